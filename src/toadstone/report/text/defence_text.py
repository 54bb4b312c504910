"""A defence in sentences, and as lines for a terminal or a pipe."""

from __future__ import annotations

from toadstone.records.defence import AccuracyChange, DefenceRecord, DefenceStep
from toadstone.report.text.audit_text import SHOWN_REMOVALS, flow
from toadstone.report.text.formats import (
    format_count,
    format_fraction,
    format_interval,
    format_share,
    shortened,
    visible,
)
from toadstone.report.text.wording import spoken

_LONGEST_LABEL = 24
REMOVING = ("filter", "inspection")
"""Layers that remove rows."""


def defence_sentences(record: DefenceRecord) -> tuple[str, ...]:
    """What a defence came to, in a few sentences."""
    sentences = [
        f"Of {format_count(record.rows)} rows {format_count(record.removed)} were removed "
        f"({format_share(record.removed / record.rows)}); {format_count(record.kept)} are left."
    ]
    if any(step.cut for step in record.steps):
        sentences.append(
            f"More was flagged than could be removed: at most {format_fraction(record.max_removed)} of the rows may "
            "go, and no class may vanish."
        )
    change = record.accuracy_change
    if change is not None:
        where = (
            f"On the {format_count(record.trusted_rows)} trusted rows"
            if record.trusted_rows
            else "Out of fold, on the kept rows,"
        )
        sentences.append(
            f"{where} the model is right on {_with_interval(change.before, change.before_low, change.before_high)} "
            f"without the defence and on {_with_interval(change.after, change.after_low, change.after_high)} with it: "
            f"{change_in_words(change)}."
        )
    if not record.trusted_rows:
        sentences.append(
            "Nothing was validated, because no trusted rows were given: the rows judged may be poisoned themselves."
        )
    tested = record.test_change
    if tested is not None:
        before, after = format_share(1 - tested.before), format_share(1 - tested.after)
        sentences.append(
            f"On the published test set, which decided nothing, the error is {before} before and {after} after: "
            f"{change_in_words(tested)}."
        )
    return tuple(sentences)


def change_in_words(change: AccuracyChange) -> str:
    """The accuracy gained or lost, in percentage points with the interval.

    Examples
    --------
    >>> change = AccuracyChange(50, 0.96, 0.87, 0.99, 0.92, 0.81, 0.97, 0.04, -0.0312, 0.1177)
    >>> change_in_words(change).replace(chr(160), " ")
    'a loss of 4.00 points (95 % interval -3.12 to 11.77)'
    """
    word, sign = ("a loss", 1) if change.drop > 0 else ("a gain", -1)
    low, high = sorted((sign * change.drop_low, sign * change.drop_high))
    return (
        f"{word} of {100 * sign * change.drop + 0.0:.2f} points "
        f"(95\N{NO-BREAK SPACE}% interval {100 * low:.2f} to {100 * high:.2f})"
    )


def _with_interval(value: float, low: float, high: float) -> str:
    return f"{format_accuracy(value)} ({format_interval(low, high)})"


def step_note(step: DefenceStep) -> str:
    """Why a step did less than it wanted, if it did."""
    return f"skipped: {step.skipped}" if step.skipped else step.cut


def format_accuracy(value: float | None) -> str:
    """Write an accuracy in per cent; a dash for none.

    Examples
    --------
    >>> format_accuracy(0.98123).replace(chr(160), " "), format_accuracy(None)
    ('98.12 %', '-')
    """
    return "-" if value is None else f"{100 * value:.2f}\N{NO-BREAK SPACE}%"


def format_cost(value: float | None) -> str:
    """Write percentage points of accuracy lost for each percent of rows removed; a dash for none.

    Examples
    --------
    >>> format_cost(0.0012), format_cost(-0.0001), format_cost(None)
    ('0.12', '-0.01', '-')
    """
    return "-" if value is None else f"{100 * value + 0.0:.2f}"


def defence_lines(record: DefenceRecord, width: int | None) -> list[str]:
    """What each step removed and what was paid for it, and the most suspicious of the removed rows."""
    lines = [flow(sentence, width) for sentence in defence_sentences(record)]
    widest = max(len(step.name) for step in record.steps)
    lines += ["", f"  {'step':<{widest}}  flagged  removed   so far   before    after  paid"]
    for step in record.steps:
        lines.append(_step_line(step, widest))
        if step_note(step):
            lines.append(flow(f"  {'':<{widest}}  {step_note(step)}", width, indent=widest + 4))
    lines += [
        "",
        flow(f"Before and after: {record.measure}, each step by the rows that it keeps.", width),
        flow(
            "Paid: points of accuracy lost for each percent of the rows removed; negative where they were gained.",
            width,
        ),
    ]
    if record.removals:
        lines += ["", "Removed rows"]
    for removal in record.removals[:SHOWN_REMOVALS]:
        label = shortened(visible(removal.label), _LONGEST_LABEL)
        lines.append(flow(f"  row {removal.row}, {label}: {visible(removal.reason)}", width, indent=4))
    others = len(record.removals) - SHOWN_REMOVALS
    return [*lines, f"  and {format_count(others)} more"] if others > 0 else lines


def _step_line(step: DefenceStep, widest: int) -> str:
    counts = (
        (format_count(step.flagged), format_count(step.removed))
        if step.layer in REMOVING and not step.skipped
        else ("-", "-")
    )
    before, after = (
        format_accuracy(value).replace("\N{NO-BREAK SPACE}", " ")
        for value in (step.accuracy_before, step.accuracy_after)
    )
    so_far = f"{100 * step.share_so_far:.2f} %"
    return (
        f"  {spoken(step.name):<{widest}}{counts[0]:>9}{counts[1]:>9}{so_far:>9}{before:>9}{after:>9}"
        f"{format_cost(step.cost_per_percent):>6}"
    )
