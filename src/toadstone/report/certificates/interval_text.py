"""Intervals of predicted numbers as lines for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Sequence

from toadstone.records.guarantees.intervals import IntervalSummary
from toadstone.report.certificates.unit_words import one_unit
from toadstone.report.text.formats import counted, flow, format_count, format_fraction, visible_lines


def interval_lines(summaries: Sequence[IntervalSummary], width: int | None) -> list[str]:
    """Write how far predictions can be moved, a line for each penalty, and what is assumed.

    Parameters
    ----------
    summaries : sequence of IntervalSummary
        At several penalties, of the same rows.
    width : int or None
        Columns of the terminal; None for a pipe.
    """
    best = min(summaries, key=lambda summary: summary.error)
    key = next(iter(best.median_change))
    rows = [["lambda", "error", *(f"{_units(each)} half / any" for each in best.median_change)]]
    for one in summaries:
        changes = zip(one.median_change.values(), one.largest_change.values(), strict=True)
        rows.append([_number(one.lambda_), _number(one.error), *(f"{_number(a)} / {_number(b)}" for a, b in changes)])
    widths = [max(len(row[place]) for row in rows) + 2 for place in range(len(rows[0]))]
    remarks = [
        f"Sets {'targets of training rows' if best.unit.startswith('targets') else f'all targets of {best.unit}'} of "
        f"its choice to anything from {_number(best.allowed_low)} to {_number(best.allowed_high)}. Pointwise: the "
        "attacker may choose anew for every test row.",
        "Intervals are exact but for rounding, which widens them. Error: root mean square on the test rows.",
        "The features, lambda and all other parameters do not depend on targets that the attacker may set, and no "
        "target outside of the range comes in; rows that are added or changed are not covered.",
    ]
    compared = (
        "The penalties are compared on the test rows. Choose one beforehand or on trusted rows; none may be chosen by "
        "targets that an attacker may set."
    )
    remarks = [*remarks, *([compared] if len(summaries) > 1 else [])]
    return visible_lines(
        [
            flow(_sentence(best, key), width),
            "",
            "By how much half of the predictions, and any of them, can be moved at most:",
            *("".join(cell.rjust(size) for cell, size in zip(row, widths, strict=True)) for row in rows),
            "",
            *(flow(remark, width) for remark in remarks),
        ]
    )


def _sentence(summary: IntervalSummary, key: str) -> str:
    rows, median, largest = counted(summary.queries, "test row"), summary.median_change, summary.largest_change
    if summary.unit.startswith("targets"):
        who = f"whoever sets {format_fraction(float(key))} of {format_count(summary.n_units)} training targets"
    else:
        who = f"any one {one_unit(summary.unit)} of the {format_count(summary.n_units)}"
    return (
        f"At lambda {_number(summary.lambda_)}, {who} moves half of the predictions for {rows} by at most "
        f"{_number(median[key])}, and none by more than {_number(largest[key])}; the error without an attack is "
        f"{_number(summary.error)}."
    )


def _units(key: str) -> str:
    return f"{key} {'source' if key == '1' else 'sources'}:" if key.isdigit() else f"{format_fraction(float(key))}:"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
