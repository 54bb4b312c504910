"""An evaluation in sentences, and as a matrix for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Sequence

from toadstone.records.audit import NO_ATTACK
from toadstone.records.evaluation import NO_DEFENCE, AttackInfo, DefenceInfo, EvaluationRecord
from toadstone.records.trials import CAUGHT, MISSED, Estimate, MatrixCell, Thresholds
from toadstone.report.text.formats import (
    counted,
    flow,
    format_count,
    format_fraction,
    format_interval,
    format_share,
    listed,
    visible_lines,
)
from toadstone.report.text.rows_text import reading_lines

_LETTERS, _CELL, _LONGEST_NAME, _MOST_NAMES = 4, 6, 24, 3
_THRESHOLD_WORDS: dict[Thresholds, str] = {
    "own": "Thresholds from each class's own scores",
    "trusted": "Thresholds from trusted rows",
    "": "No thresholds",
}

Column = tuple[DefenceInfo, Thresholds]


def evaluation_lines(record: EvaluationRecord, width: int | None) -> list[str]:
    """Write the attacks that got through, then each attack, then the matrix of detectors, then the setting.

    Parameters
    ----------
    record : EvaluationRecord
    width : int or None
        Columns of the terminal; None for a pipe.
    """
    *answer, setting = evaluation_sentences(record)
    lines = [*(flow(sentence, width) for sentence in answer), *([""] if answer else []), "Attacks"]
    lines += [flow(f"  {attack_sentence(record, info)}", width, indent=4) for info in record.attacks[1:]]
    detectors = record.columns("detector")
    for source in ("own", "trusted"):
        columns = [column for column in detectors if column[1] == source]
        if columns:
            lines += ["", flow(f"{_THRESHOLD_WORDS[source]}: poison flagged, in per cent", width)]
            lines += _matrix(record, columns, width)
    if detectors:
        names = list(dict.fromkeys(info.name for info, _ in detectors))
        lines += ["", flow(_KEY, width)]
        lines += [flow(f"Columns: {', '.join(f'{abbreviated(name)} {name}' for name in names)}.", width)]
    lines += ["", flow(setting, width), flow(record.trusted_origin, width)]
    lines += reading_lines(record.data, width)
    lines += [flow(f"Note: {warning}", width) for warning in record.warnings]
    return visible_lines(lines)


_KEY = (
    f"[87]: caught, {100 * CAUGHT:g} % of the poison or more; 43: partly; .: missed, less than {100 * MISSED:g} %; "
    "-: not run. False alarms: share of the clean rows flagged without an attack."
)


def evaluation_sentences(record: EvaluationRecord) -> tuple[str, ...]:
    """Name the attacks that no detector catches, then the setting; the setting alone without detectors."""
    attacks = [info.name for info in record.attacks if info.name != NO_ATTACK]
    kinds = [info.kind for info in record.defences]
    against = [
        counted(kinds.count(kind), noun)
        for kind, noun in (("detector", "detector"), ("sanitizer", "sanitizer"), ("learner", "robust learner"))
        if kind in kinds
    ]
    setting = (
        f"{counted(len(attacks), 'attack')} against {listed(against or ['no defence'])}, "
        f"{counted(len(record.seeds), 'seed')}: {format_fraction(record.fraction)} poison on "
        f"{counted(record.rows, 'row')}, {counted(record.trusted_rows, 'trusted row')} beside them, "
        f"{counted(record.test_rows, 'test row')}."
    )
    uncaught = record.uncaught()
    if not attacks or "detector" not in kinds:
        return (setting,)
    if not uncaught:
        return "No attack got through: each is caught by at least one detector.", setting
    return (
        f"{len(uncaught)} of {counted(len(attacks), 'attack')} got through: no detector flags {100 * CAUGHT:g} % or "
        f"more of the poison of {listed(uncaught)}.",
        setting,
    )


def attack_sentence(record: EvaluationRecord, info: AttackInfo) -> str:
    """Name the detectors that catch and miss an attack, and state its effect with and without defence."""
    found = record.detectors_by_verdict(info.name)
    parts = []
    if any(found.values()):
        parts.append(f"caught by {listed(found['caught']) if found['caught'] else 'no detector'}")
        if found["missed"]:
            parts.append(f"missed by {_shortly(found['missed'])}")
    parts += [_effect_undefended(record, info), _effect_defended(record, info)]
    skipped = [cell.skipped for cell in record.cells if cell.attack == info.name and cell.skipped]
    if skipped:
        times = "once" if len(skipped) == 1 else f"{format_count(len(skipped))} times"
        parts.append(f"{times} not run ({skipped[0]})")
    return f"{info.name}: {'; '.join(part for part in parts if part)}."


def abbreviated(name: str) -> str:
    """Shorten a catalogue name to at most four characters, for the head of a column.

    Examples
    --------
    >>> [abbreviated(name) for name in ("spectral", "deep-knn", "local-outlier-factor")]
    ['spec', 'de-k', 'lof']
    """
    words = name.split("-")
    if len(words) == 1:
        return name[:_LETTERS]
    if len(words) == 2:
        return f"{words[0][:2]}-{words[1][:1]}"
    return "".join(word[:1] for word in words)[:_LETTERS]


def format_estimate(estimate: Estimate | None) -> str:
    """Write a share with its interval, where it has one; a dash for none.

    Examples
    --------
    >>> format_estimate(Estimate(0.5, 0.42, 0.58, 3)).replace(chr(160), " "), format_estimate(None)
    ('50.0 % (42.0 to 58.0 %)', '-')
    """
    if estimate is None:
        return "-"
    if estimate.low is None or estimate.high is None:
        return format_share(estimate.mean)
    return f"{format_share(estimate.mean)} ({format_interval(estimate.low, estimate.high)})"


def _effect_undefended(record: EvaluationRecord, info: AttackInfo) -> str:
    cell, clean = record.cell(info.name, NO_DEFENCE), record.cell(NO_ATTACK, NO_DEFENCE)
    if cell is None or cell.test_error is None or clean is None or clean.test_error is None:
        return ""
    if cell.success is not None:
        before = "" if cell.clean_success is None else f", {format_share(cell.clean_success.mean)} without the attack"
        return f"{_goal(info)} {format_estimate(cell.success)} undefended{before}"
    return (
        f"test error {format_estimate(cell.test_error)} undefended, {format_share(clean.test_error.mean)} on clean rows"
    )


def _effect_defended(record: EvaluationRecord, info: AttackInfo) -> str:
    best = record.best_defence(info.name)
    if best is None:
        return ""
    left = format_estimate(best.success if best.success is not None else best.test_error)
    goal = "" if record.cell(info.name, NO_DEFENCE) is not None else f"{_goal(info)} "
    return f"{goal}{left} behind the best defence ({_defence_name(best)})"


def _goal(info: AttackInfo) -> str:
    return {"trigger": "success", "group": "errors in the group"}.get(info.goal, "test error")


def _defence_name(cell: MatrixCell) -> str:
    return f"{cell.defence}, {cell.thresholds} thresholds" if cell.thresholds else cell.defence


def _shortly(names: Sequence[str]) -> str:
    if len(names) <= _MOST_NAMES + 1:
        return listed(names)
    return listed([*names[:_MOST_NAMES], f"{len(names) - _MOST_NAMES} others"])


def _matrix(record: EvaluationRecord, columns: Sequence[Column], width: int | None) -> list[str]:
    """Arrange attacks down and detectors across, in as many blocks as the width requires."""
    widest = min(_LONGEST_NAME, max(len(info.name) for info in record.attacks) + 2)
    fitting = len(columns) if width is None else max(1, (width - widest - 2) // _CELL)
    lines = []
    for start in range(0, len(columns), fitting):
        block = columns[start : start + fitting]
        lines += ["  " + " " * widest + "".join(f"{abbreviated(info.name):>{_CELL}}" for info, _ in block)]
        for attack in record.attacks:
            cells = [record.cell(attack.name, info.name, source) for info, source in block]
            name = "false alarms" if attack.name == NO_ATTACK else attack.name
            lines.append(f"  {name[:widest]:<{widest}}" + "".join(f"{_shown(cell):>{_CELL}}" for cell in cells))
    return lines


def _shown(cell: MatrixCell | None) -> str:
    if cell is None or (cell.caught is None and cell.false_alarms is None):
        return "-"
    if cell.caught is None and cell.false_alarms is not None:
        return f"{100 * cell.false_alarms.mean:.1f} "
    share = f"{100 * cell.caught.mean:.0f}" if cell.caught is not None else "-"
    return {"caught": f"[{share}]", "partly": f"{share} ", "missed": ". "}.get(cell.verdict, "- ")
