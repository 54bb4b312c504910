"""Write docs/results/evaluations.md: `python docs/evaluations.py FOLDER ...`, folders of `toadstone evaluate --out`.

The matrix of each is kept beside it as docs/results/evaluations/FOLDER.csv; records are too large to keep.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from toadstone.records.audit import NO_ATTACK
from toadstone.records.evaluation import AttackInfo, DefenceInfo, EvaluationRecord
from toadstone.records.trials import CAUGHT, MISSED, MatrixCell
from toadstone.report.text.evaluation_text import attack_sentence, evaluation_sentences, format_estimate

RESULTS = Path(__file__).parent / "results"
MATRICES, PAGE = RESULTS / "evaluations", RESULTS / "evaluations.md"
HEAD = f"""# Attacks against detectors

`python docs/evaluations.py FOLDER ...` after the commands below; the matrices with all figures and intervals are in
[evaluations](evaluations). A cell is the share of the poison that a detector flags, in per cent, by thresholds from the
class's own scores / from trusted rows; **bold** where one of them is {100 * CAUGHT:g} or more (caught), empty where
both are below {100 * MISSED:g} (missed). Below "clean" are false alarms where nobody attacks. An adaptive attacker is
told the detector and tries it out before choosing which rows to poison; trusted rows are out of everybody's reach.
"""


def main() -> None:
    """Render the records of the folders named."""
    MATRICES.mkdir(exist_ok=True)
    sections = []
    for folder in map(Path, sys.argv[1:]):
        record = EvaluationRecord.from_json((folder / "record.json").read_text(encoding="utf-8"))
        shutil.copyfile(folder / "matrix.csv", MATRICES / f"{folder.name}.csv")
        sections += section(folder.name, record)
    PAGE.write_text("\n".join([HEAD, *sections]), encoding="utf-8")


def section(title: str, record: EvaluationRecord) -> list[str]:
    """One record as Markdown."""
    plain = [info for info in record.attacks if not info.knows_detector]
    told = [info for info in record.attacks if info.knows_detector]
    lines = [f"## {title}", "", f"`{record.header.command}`", "", *evaluation_sentences(record)]
    lines += [record.trusted_origin, "", *(table(record, plain) if len(plain) > 1 else ()), ""]
    if told:
        lines += ["Told the detector:", "", *table(record, told), ""]
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
