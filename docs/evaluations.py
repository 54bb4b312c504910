"""Write docs/results/evaluations.md: `python docs/evaluations.py FOLDER ...`, folders of `toadstone evaluate --out`.

The sections of these folders are written anew, and the others stay. The matrix of each is kept beside the page as
docs/results/evaluations/FOLDER.csv; records are too large to keep. Folders of optimized attacks, given together, make
the first section.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from toadstone.pipeline.evaluation.configure import OPTIMIZED
from toadstone.records.audit import NO_ATTACK
from toadstone.records.evaluation import AttackInfo, DefenceInfo, EvaluationRecord
from toadstone.records.trials import CAUGHT, MISSED, Estimate, MatrixCell, Thresholds
from toadstone.report.text.evaluation_text import attack_sentence, evaluation_sentences, format_estimate

RESULTS = Path(__file__).parent / "results"
MATRICES, PAGE = RESULTS / "evaluations", RESULTS / "evaluations.md"
HEAD = f"""# Attacks against detectors

`python docs/evaluations.py FOLDER ...` after the commands below; the matrices with all figures and intervals are in
[evaluations](evaluations). A cell is the share of the poison that a detector flags, in per cent, by thresholds from the
class's own scores / from trusted rows; **bold** where one of them is {100 * CAUGHT:g} or more (caught), empty where
both are below {100 * MISSED:g} (missed). Below "clean" are false alarms where nobody attacks. An adaptive attacker
knows the detector and runs it before choosing which rows to poison; trusted rows are out of everybody's reach.
"""

QUESTION = "Do the defences stop the strongest attacks?"
ANSWER = """**None of SEVER, RONI, trimmed loss and the vote stops all of them.** Enron is where 3 % poison does most
harm: the undefended error rises from 2.9 % to 10.5 % (7.4 to 13.6 %). RONI flags no poison row there and leaves 11.3
% (6.3 to 16.3 %). SEVER with thresholds from trusted rows comes closest: it flags the KKT attacks wholly, nine tenths
of influence and half of min-max, and leaves at most 4.1 % (3.7 to 4.5 %); by its own thresholds it leaves 8.3 % (3.9
to 12.7 %). Trimmed loss flags the KKT attacks, less than half of influence and none of min-max, and leaves 5.9 % (3.9
to 7.9 %) or 6.2 % (3.1 to 9.2 %). Under trimmed training, severed training and the partition vote the error hardly
rises, but it is 15.1 %, 6.5 % and 10.3 % without any attack. On Adult, where influence raises 14.6 % to 16.8 % (16.1
to 17.4 %), SEVER and trimmed loss flag at most a quarter of it and no point of KKT or min-max; RONI flags most of it
and none of min-max; the vote costs little (15.0 % on clean rows) and leaves 15.6 % (14.7 to 16.6 %). On SMS no attack
raises the undefended error by more than 0.6 points, and every interval of the rise includes zero: nothing is to be
stopped. Among the others, trusted bootstrap keeps Enron at 3.2 % (2.8 to 3.6 %), as on its clean rows, and `deep-knn`
with trusted rows at 3.3 % (2.9 to 3.8 %), which an attacker who knows it raises to 4.3 % (2.4 to 6.1 %). Confident
learning, cross-validation and the ensemble catch KKT and influence on Enron and miss min-max. Knowing the defence
gains the attacker little here: the least suspicious of its rows do less harm, and moving points by influence on the
rows that a detector keeps does not hide them from one that compares labels. Three seeds leave wide intervals, and a
longer search may find stronger attacks."""
LEGEND = """Test errors are means over the seeds with Student's 95 % interval. "Strongest" is the attack that leaves the
largest mean error behind the defence; "knows the defence" is the same over the attacks made by an attacker who knows it
and its trusted rows: `adaptive-kkt-influence` follows the rows that it keeps, learners included; the others choose the
rows that it finds least suspicious. "Caught" is the share of that attack's poison that is flagged."""
ASKED = ("sever", "roni", "trimmed-loss", "trimmed-training", "severed-training", "partition-vote")


def main() -> None:
    """Render the records of the folders named."""
    MATRICES.mkdir(exist_ok=True)
    written, optimized = sections_of(PAGE.read_text(encoding="utf-8")) if PAGE.exists() else {}, {}
    for folder in map(Path, sys.argv[1:]):
        record = EvaluationRecord.from_json((folder / "record.json").read_text(encoding="utf-8"))
        shutil.copyfile(folder / "matrix.csv", MATRICES / f"{folder.name}.csv")
        if {info.name for info in record.attacks} & set(OPTIMIZED):
            optimized[folder.name] = record
        else:
            written[folder.name] = "\n".join(section(folder.name, record))
    if optimized:
        written = {QUESTION: "\n".join(strongest(optimized))} | {
            title: text for title, text in written.items() if title != QUESTION
        }
    PAGE.write_text("\n".join([HEAD, *written.values()]), encoding="utf-8")


def sections_of(page: str) -> dict[str, str]:
    """Return the sections of a page by their titles."""
    parts = re.split(r"^(?=## )", page, flags=re.MULTILINE)[1:]
    return {part.split("\n", 1)[0].removeprefix("## "): part.rstrip("\n") + "\n" for part in parts}


def strongest(records: dict[str, EvaluationRecord]) -> list[str]:
    """Answer for several data sets whether the defences stop optimized attacks."""
    lines = [f"## {QUESTION}", "", ANSWER, "", LEGEND, ""]
    for name, record in records.items():
        lines += [f"### {name}", "", f"`{record.header.command}`", "", *strongest_sentences(record), ""]
        lines += [*strongest_table(record), "", *(f"- Note: {warning}" for warning in record.warnings), ""]
    return lines


def strongest_sentences(record: EvaluationRecord) -> list[str]:
    """State the setting, and the error of the undefended model on clean rows and under each attack."""
    setting = evaluation_sentences(record)[-1]
    bare = [(info.name, record.cell(info.name, "none")) for info in record.attacks if not info.knows_detector]
    errors = [f"{name} {format_estimate(cell.test_error)}" for name, cell in bare[1:] if cell is not None]
    clean = record.cell(NO_ATTACK, "none")
    without = "-" if clean is None else format_estimate(clean.test_error)
    return [setting, f"Undefended, the test error is {without} on clean rows and under attack: {'; '.join(errors)}."]


def strongest_table(record: EvaluationRecord) -> list[str]:
    """One defence a line: its error on clean rows, under the strongest attack, and under one that knows it."""
    head = [
        "defence",
        "thresholds",
        "clean rows",
        "strongest",
        "error",
        "caught",
        "knows the defence",
        "error",
        "caught",
    ]
    plain = [info.name for info in record.attacks[1:] if not info.knows_detector]
    adaptive = [info.name for info in record.attacks[1:] if info.knows_detector]
    rows = []
    for info, thresholds in record.columns():
        clean = record.cell(NO_ATTACK, info.name, thresholds)
        marked = f"**`{info.name}`**" if info.name in ASKED else f"`{info.name}`"
        cells = [marked, thresholds, "-" if clean is None else format_estimate(clean.test_error)]
        for attacks in (plain, adaptive):
            cells += worst(record, attacks, info.name, thresholds)
        rows.append(cells)
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---", *(["---"] * (len(head) - 1))], *rows)]


def worst(record: EvaluationRecord, attacks: Sequence[str], defence: str, thresholds: Thresholds) -> list[str]:
    """The attack of largest error behind a defence, that error, and the share of its poison that is flagged."""
    found = [record.cell(attack, defence, thresholds) for attack in attacks]
    ran = [cell for cell in found if cell is not None and cell.test_error is not None]
    if not ran:
        return ["", "", ""]
    cell = max(ran, key=lambda cell: cell.test_error.mean if cell.test_error else 0.0)
    return [cell.attack, format_estimate(cell.test_error), shown(cell.caught)]


def shown(share: Estimate | None) -> str:
    """A share in per cent without its interval, which stands in the matrix."""
    return "" if share is None else f"{100 * share.mean:.0f} %"


def section(title: str, record: EvaluationRecord) -> list[str]:
    """One record as Markdown."""
    plain = [info for info in record.attacks if not info.knows_detector]
    adaptive = [info for info in record.attacks if info.knows_detector]
    lines = [f"## {title}", "", f"`{record.header.command}`", "", *evaluation_sentences(record)]
    lines += [record.trusted_origin, "", *(table(record, plain) if len(plain) > 1 else ()), ""]
    if adaptive:
        lines += ["Knows the detector:", "", *table(record, adaptive), ""]
    lines += [f"- {attack_sentence(record, info)}" for info in record.attacks[1:]]
    return [*lines, *(f"- Note: {warning}" for warning in record.warnings), ""]


def table(record: EvaluationRecord, attacks: list[AttackInfo]) -> list[str]:
    """Detectors down, attacks across."""
    detectors = [info for info in record.defences if info.kind == "detector"]
    head = ["detector", *("clean" if info.name == NO_ATTACK else info.name for info in attacks)]
    rows = [[f"`{info.name}`", *(entry(record, attack, info) for attack in attacks)] for info in detectors]
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---", *(["---:"] * len(attacks))], *rows)]


def entry(record: EvaluationRecord, attack: AttackInfo, detector: DefenceInfo) -> str:
    """Flagged poison, or of clean rows the false alarms, by own and trusted thresholds."""
    cells = [record.cell(attack.name, detector.name, thresholds) for thresholds in ("own", "trusted")]
    if attack.name == NO_ATTACK:
        return " / ".join(alarms(cell) for cell in cells)
    shares = [None if cell is None or cell.caught is None else cell.caught.mean for cell in cells]
    if all(share is None or share < MISSED for share in shares):
        return "" if any(share is not None for share in shares) else "not run"
    text = " / ".join("–" if share is None else f"{100 * share:.0f}" for share in shares)
    return f"**{text}**" if any(share is not None and share >= CAUGHT for share in shares) else text


def alarms(cell: MatrixCell | None) -> str:
    """The share of clean rows flagged, without its interval."""
    if cell is None or cell.false_alarms is None:
        return "–"
    return format_estimate(cell.false_alarms).split(" (")[0]


if __name__ == "__main__":
    main()
