"""A defence in sentences, and as lines for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Sequence

from toadstone.records.audit import Removal
from toadstone.records.defence import AccuracyChange, DefenceRecord, DefenceStep, RemovedRow
from toadstone.records.header import Source
from toadstone.records.rows import RowAccount, SetAside
from toadstone.report.text.formats import (
    counted,
    flow,
    format_count,
    format_fraction,
    format_interval,
    format_share,
    visible_lines,
)
from toadstone.report.text.rows_text import account_sentence, aside_sentences, reading_lines
from toadstone.report.text.wording import SHOWN_ROWS, short_name, spoken

REMOVING = ("filter", "inspection")
"""Layers that remove rows."""


def defence_lines(record: DefenceRecord, width: int | None) -> list[str]:
    """Write the rows removed and their cost, then the reasons, then the figures of each step.

    Parameters
    ----------
    record : DefenceRecord
    width : int or None
        Columns of the terminal; None for a pipe.
    """
    removed, *others = defence_sentences(record)
    account = fates(record.source, record.account, record.set_aside)
    lines = [flow(sentence, width) for sentence in (removed, *account, *others)]
    if record.removals:
        lines += ["", "Removed rows", *removal_lines(record.source, record.removals, width)]
    lines += ["", *reading_lines(record.data, width, record.source)]
    widest = max(len(step.name) for step in record.steps)
    lines += ["", f"  {'step':<{widest}}  flagged  removed   so far   before    after  cost"]
    for step in record.steps:
        lines.append(_step_line(step, widest))
        if step_note(step):
            lines.append(flow(f"  {'':<{widest}}  {step_note(step)}", width, indent=widest + 4))
    lines += [
        "",
        flow(f"Before and after: {record.measure}, each step by the rows that it keeps.", width),
        flow(
            "Cost: points of accuracy lost for each percent of the rows removed; negative where they were gained.",
            width,
        ),
    ]
    return visible_lines(lines)


def removal_lines(source: Source, removals: Sequence[Removal] | Sequence[RemovedRow], width: int | None) -> list[str]:
    """Write the first of the removed rows with their reasons, and the number of the others."""
    lines = [
        flow(f"  {source.full(removal.row)}, {short_name(removal.label)}: {removal.reason}", width, indent=4)
        for removal in removals[:SHOWN_ROWS]
    ]
    others = len(removals) - len(lines)
    return visible_lines([*lines, f"  and {format_count(others)} more"] if others else lines)


def defence_sentences(record: DefenceRecord) -> tuple[str, ...]:
    """State the rows removed, the accuracy before and after, and the limits of both figures."""
    sentences = [_removed_sentence(record)]
    change = record.accuracy_change
    if change is not None:
        where = (
            f"On the {counted(record.trusted_rows, 'trusted row')}"
            if record.trusted_rows
            else "Out of fold, on the kept rows,"
        )
        sentences.append(
            f"{where} accuracy is {_with_interval(change.before, change.before_low, change.before_high)} without the "
            f"defence and {_with_interval(change.after, change.after_low, change.after_high)} with it: "
            f"{change_in_words(change)}."
        )
    tested = record.test_change
    if tested is not None:
        before, after = format_share(1 - tested.before), format_share(1 - tested.after)
        sentences.append(
            f"On the published test set, which decided nothing, the error is {before} before and {after} after: "
            f"{change_in_words(tested)}."
        )
    if any(step.cut for step in record.steps):
        sentences.append(
            f"More rows were flagged than may be removed: at most {format_fraction(record.max_removed)} of them, and "
            "never a whole class."
        )
    if not record.trusted_rows:
        sentences.append(
            "Nothing was validated, because no trusted rows were given: the rows that measure accuracy may be "
            "poisoned themselves."
        )
    return tuple(sentences)


def fates(source: Source, account: RowAccount, aside: SetAside) -> tuple[str, ...]:
    """Say which rows were not judged, and what became of all rows of the source."""
    return (*aside_sentences(source, aside), account_sentence(account))


def _removed_sentence(record: DefenceRecord) -> str:
    if not record.removed:
        return f"None of {counted(record.rows, 'row')} was removed."
    were = "was" if record.removed == 1 else "were"
    return (
        f"{format_count(record.removed)} of {counted(record.rows, 'row')} {were} removed "
        f"({format_share(record.removed / record.rows)}); {format_count(record.kept)} are left."
    )


def change_in_words(change: AccuracyChange) -> str:
    """State the accuracy gained or lost, in percentage points with the interval.

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
    """Say why a step removed fewer rows than it flagged, if it did."""
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
