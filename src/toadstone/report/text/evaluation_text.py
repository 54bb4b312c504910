"""An evaluation in sentences, and as a matrix for a terminal or a pipe."""

from __future__ import annotations

from toadstone.records.audit import NO_ATTACK
from toadstone.records.evaluation import NO_DEFENCE, AttackInfo, EvaluationRecord
from toadstone.records.standings import as_good, standings
from toadstone.records.trials import CAUGHT, MISSED, Thresholds
from toadstone.report.text.evaluation_grid import GridBlock, abbreviated, attack_columns, grid_lines
from toadstone.report.text.formats import (
    counted,
    flow,
    format_fraction,
    format_share,
    listed,
    visible_lines,
)
from toadstone.report.text.rows_text import reading_lines
from toadstone.report.text.standing_text import defence_in_words, first_of, format_estimate, standing_sentences

_THRESHOLD_WORDS: dict[Thresholds, str] = {
    "own": "Thresholds from each class's own scores",
    "trusted": "Thresholds from trusted rows",
    "": "No thresholds",
}


def evaluation_lines(record: EvaluationRecord, width: int | None) -> list[str]:
    """Write the worst attack and the most helpful defence, each attack, the matrices of detectors, and the setting.

    Parameters
    ----------
    record : EvaluationRecord
    width : int or None
        Columns of the terminal; None for a pipe.
    """
    *answer, setting = evaluation_sentences(record)
    lines = [*(flow(sentence, width) for sentence in answer), *([""] if answer else []), "Attacks"]
    lines += [flow(f"  {attack_sentence(record, info)}", width, indent=4) for info in record.attacks[1:]]
    columns = attack_columns(record)
    for source in ("own", "trusted"):
        rows = [info for info, thresholds in record.columns("detector") if thresholds == source]
        if rows:
            lines += ["", flow(f"{_THRESHOLD_WORDS[source]}: poison flagged, in per cent", width)]
            lines += grid_lines(record, GridBlock(columns, rows, source, adaptive=False), width)
            if any(column.adaptive for column in columns):
                lines += [flow("  by an attacker who knows the detector", width)]
                lines += grid_lines(record, GridBlock(columns, rows, source, adaptive=True), width)
    if record.columns("detector"):
        lines += ["", flow(_KEY, width)]
        heads = (f"{abbreviated(column.name)} {column.name}" for column in columns)
        lines += [flow(f"Columns: {', '.join(['f.a. false alarms', *heads])}.", width)]
    lines += ["", *(flow(sentence, width) for sentence in unrun_sentences(record))]
    lines += [flow(setting, width), flow(record.trusted_origin, width)]
    lines += reading_lines(record.data, width)
    lines += [flow(f"Note: {warning}", width) for warning in record.warnings]
    return visible_lines(lines)


_KEY = (
    f"[87]: caught, {100 * CAUGHT:g} % of the poison or more; 43: partly; .: missed, less than {100 * MISSED:g} %; "
    "-: not run. False alarms: share of the clean rows flagged without an attack."
)


def evaluation_sentences(record: EvaluationRecord) -> tuple[str, ...]:
    """Name the worst attack, the most helpful defence and the attacks that no detector catches, then the setting."""
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
    ranked = [sentence for one in standings(record) for sentence in standing_sentences(one)]
    uncaught = record.uncaught()
    if not attacks or "detector" not in kinds:
        return (*ranked, setting)
    if not uncaught:
        return (*ranked, "No attack got through: each is caught by at least one detector.", setting)
    through = (
        f"{len(uncaught)} of {counted(len(attacks), 'attack')} got through: no detector flags {100 * CAUGHT:g} % or "
        f"more of the poison of {first_of(uncaught)}."
    )
    return (*ranked, through, setting)


def unrun_sentences(record: EvaluationRecord) -> tuple[str, ...]:
    """Say which defences could not be run against how many attacks, and why."""
    reasons: dict[tuple[str, str], set[str]] = {}
    for cell in record.cells:
        if cell.skipped:
            reasons.setdefault((cell.skipped, cell.defence), set()).update({cell.attack} - {NO_ATTACK})
    grouped: dict[str, list[str]] = {}
    for (reason, defence), attacks in reasons.items():
        where = counted(len(attacks), "attack") if attacks else "clean rows"
        grouped.setdefault(reason, []).append(f"{defence} ({where})")
    return tuple(f"Not run: {first_of(names)}: {reason}." for reason, names in grouped.items())


def attack_sentence(record: EvaluationRecord, info: AttackInfo) -> str:
    """Name the detectors that catch an attack, count those that miss it, and state its effect."""
    found = record.detectors_by_verdict(info.name)
    parts = []
    if any(found.values()):
        parts.append(f"caught by {listed(found['caught']) if found['caught'] else 'no detector'}")
        if found["missed"]:
            missed = found["missed"]
            parts.append(f"missed by {missed[0] if len(missed) == 1 else len(missed)}")
    parts += [_effect_undefended(record, info), _effect_defended(record, info)]
    return f"{info.name}: {'; '.join(part for part in parts if part)}."


def attack_glance(record: EvaluationRecord) -> dict[str, list[str]]:
    """Tabulate each attack: its effect undefended and behind the best defence, and the detectors that catch it."""
    table: dict[str, list[str]] = {name: [] for name in ("attack", "undefended", "best_defence", "leaves", "caught_by")}
    for info in record.attacks[1:]:
        bare, best = record.cell(info.name, NO_DEFENCE), record.best_defence(info.name)
        row = (
            info.name,
            "" if bare is None else format_estimate(bare.effect),
            "" if best is None else defence_in_words((best.defence, best.thresholds)),
            "" if best is None else format_estimate(best.effect),
            first_of(record.detectors_by_verdict(info.name)["caught"] or ("none",)),
        )
        for column, value in zip(table.values(), row, strict=True):
            column.append(value)
    return table


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
    others = {name for name, _ in as_good(record, info.name)} - {best.defence}
    tied = f", with {counted(len(others), 'other')} within its interval" if others else ""
    return f"{goal}{left} behind the best defence, {defence_in_words((best.defence, best.thresholds))}{tied}"


def _goal(info: AttackInfo) -> str:
    return {"trigger": "success", "group": "errors in the group"}.get(info.goal, "test error")
