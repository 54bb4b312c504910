"""Scans, defences and attacks of numeric targets in sentences, and as lines for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Sequence

from toadstone.records.header import Source
from toadstone.records.regression import (
    AttackedDefence,
    ErrorChange,
    RegressionAttackRecord,
    RegressionDefenceRecord,
    RegressionScanRecord,
    TargetFinding,
    WrongTarget,
)
from toadstone.report.text.formats import (
    counted,
    flow,
    format_count,
    format_fraction,
    format_interval,
    format_share,
    shortened,
    visible_lines,
)
from toadstone.report.text.rows_text import account_sentence, aside_sentences, reading_lines
from toadstone.report.text.wording import (
    LONGEST_PREVIEW,
    SHOWN_ROWS,
    function_name,
    option_name,
    rows_place,
    short_name,
)

WHERE = {"trusted": "trusted rows", "published": "the published test set"}
"""Rows that errors are measured on, in words."""

_HARDLY = 0.1
"""Share of the distance from the median, below which predictions hardly help."""

_HUGE = 12.0
"""Logarithms of odds beyond which figures say no more."""


def format_target(value: float, like: float | None = None) -> str:
    """Write a target in its own units: as it is, or with as many decimals as its size beside another calls for.

    Parameters
    ----------
    value : float
    like : float, optional
        A spread whose third digit is enough; without it the value is exact.

    Examples
    --------
    >>> format_target(4100.0), format_target(1.25), format_target(309.87, 130.0), format_target(0.012345, 0.02)
    ('4,100', '1.25', '310', '0.0123')
    """
    if like is None:
        return f"{value:,.10g}" if abs(value) < 1e15 else f"{value:.10g}"
    decimals = 0
    while decimals < 12 and abs(like) * 10**decimals < 100 and like:
        decimals += 1
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def expectation(row: WrongTarget) -> str:
    """Say what stands in a row and what is expected there: "4,100 where 310 (250 to 380) is expected".

    Examples
    --------
    >>> expectation(WrongTarget("12", 10, 4100.0, 310.2, 250.4, 380.1, 0.99, "0" * 64, ""))
    '4,100 where 310 (250 to 380) is expected'
    """
    spread = row.high - row.low
    suggested, low, high = (format_target(value, spread) for value in (row.suggested, row.low, row.high))
    return f"{format_target(row.target)} where {suggested} ({low} to {high}) is expected"


def evidence_sentence(evidence: TargetFinding) -> str:
    """Say whether the data prefer wrong targets to none, how many, and by which odds."""
    share, interval = format_share(evidence.rate), format_interval(evidence.low, evidence.high)
    if evidence.supported:
        return f"The data prefer {share} wrong targets ({interval}) to none, {_odds(evidence.log_ratio)} to 1."
    if evidence.log_ratio <= 0:
        return "The data give no sign of wrong targets: errors of prediction with heavy tails explain all of them."
    found = (
        f"The data cannot tell wrong targets from right ones that are predicted badly: {share} ({interval}) would be "
        f"wrong, {_odds(evidence.log_ratio)} to 1 against none."
    )
    if evidence.explained is None or evidence.explained >= _HARDLY:
        return found
    return f"{found} The other columns hardly predict the target, so wrong ones within its range look like right ones."


def _odds(log_ratio: float) -> str:
    if log_ratio > _HUGE:
        return "more than 100,000"
    return f"{2.718281828459045**log_ratio:,.0f}" if log_ratio > 1 else f"{2.718281828459045**log_ratio:.1f}"


def scan_sentences(record: RegressionScanRecord) -> tuple[str, ...]:
    """Say how many targets look wrong, how many of them may be right, and what the data prefer."""
    total, target = counted(record.data.rows, "row"), short_name(record.data.target)
    n = record.flagged_rows
    if not record.evidence.supported:
        lead = f"No target of {total} is called wrong ({target})."
        if n:
            lead += f" {counted(n, 'row')} {'is' if n == 1 else 'are'} listed for review."
        return lead, evidence_sentence(record.evidence)
    verb = "has a target" if n == 1 else "have targets"
    lead = (
        f"{format_count(n)} of {total} {verb} ({target}) that look{'s' if n == 1 else ''} wrong, {_innocents(record)}."
    )
    return lead, evidence_sentence(record.evidence)


def _innocents(record: RegressionScanRecord | RegressionDefenceRecord) -> str:
    expected = record.expected_innocents
    return f"about {expected:.0f} of them wrongly so" if expected >= 0.95 else "fewer than one of them wrongly so"


def scan_lines(record: RegressionScanRecord, width: int | None) -> list[str]:
    """Write what looks wrong, then the rows, then what to do next.

    Parameters
    ----------
    record : RegressionScanRecord
    width : int or None
        Columns of the terminal; None for a pipe.
    """
    sentences = (*scan_sentences(record), *aside_sentences(record.source, record.set_aside))
    lines = [flow(sentence, width) for sentence in sentences]
    if record.rows:
        lines += [
            "",
            *target_lines(
                record.source,
                record.rows,
                record.flagged_rows,
                width,
                table=rows_place("suspects.csv", record.header),
                certain=record.evidence.supported,
            ),
        ]
    return visible_lines(
        [
            *lines,
            "",
            flow(next_step(record), width),
            "",
            *reading_lines(record.data, width, record.source),
        ]
    )


def target_lines(
    source: Source, rows: Sequence[WrongTarget], total: int, width: int | None, *, table: str, certain: bool
) -> list[str]:
    """Write the first of some rows with what is expected there, and the number of the others.

    Parameters
    ----------
    source : Source
    rows : sequence of WrongTarget
    total : int
        Rows in the list, of which `rows` may be a part.
    width : int or None
        Columns of the terminal; None for a pipe.
    table : str
        Place of the whole list.
    certain : bool
        Whether the evidence supports the list, so that probabilities mean something.
    """
    lines = []
    for row in rows[:SHOWN_ROWS]:
        said = expectation(row) + (f", {_sure(row.probability)}" if certain else "")
        lines.append(flow(f"  {source.full(row.row)}: {said}", width, indent=4))
        lines.append(flow(f"    values: {shortened(row.preview, LONGEST_PREVIEW)}", width, indent=6))
    others = total - len(rows[:SHOWN_ROWS])
    if others > 0:
        lines.append(f"  and {format_count(others)} more, all in {table}")
    legend = (
        "In brackets: where 90\N{NO-BREAK SPACE}% of right targets of such rows lie. Values: columns that tell of the "
        "target, first those where the row is far from the average."
    )
    return [*lines, "", flow(legend, width)]


def _sure(probability: float) -> str:
    return "more than 99.9 % sure" if probability > 0.999 else f"{format_share(probability)} sure"


def next_step(record: RegressionScanRecord) -> str:
    """Say in one sentence what to do after a scan."""
    if record.evidence.supported:
        return (
            f"Next: check these rows against their source; `{function_name('defend', record.header)}` with the "
            "same options removes them, and measures what that brings on trusted rows or a published test set."
        )
    if record.flagged_rows:
        trusted = option_name("trusted", record.header)
        return (
            f"Next: look through the rows for review; rows that you know to be right, given as {trusted}, may decide."
        )
    return "Next: nothing has to be done."


def defence_sentences(record: RegressionDefenceRecord) -> tuple[str, ...]:
    """Say which rows were removed, what the data prefer, and what that brought where it can be known."""
    total, removed = counted(record.rows, "row"), len(record.removals)
    if not removed:
        found = [f"None of {total} was removed."]
    else:
        found = [f"{format_count(removed)} of {total} removed, {_innocents(record)}."]
    if record.spared:
        limit = format_fraction(record.max_removed or 0.0)
        listed = f"{counted(record.spared, 'listed row')} {'stays' if record.spared == 1 else 'stay'}"
        found.append(f"{listed}: no more than {limit} of the rows may be removed.")
    found.append(evidence_sentence(record.evidence))
    found += [error_sentence(one) for one in record.errors]
    if not record.errors:
        found.append(
            "What this brings or costs is not known: no trusted rows were given and the data publish no test set, and "
            "rows that a defence has kept cannot judge it."
        )
    return tuple(found)


def error_sentence(found: ErrorChange) -> str:
    r"""Say how a mean absolute error changed.

    Examples
    --------
    >>> found = ErrorChange("ridge", "trusted", 40, 12.0, 10.5, -1.5, -2.25, -0.75)
    >>> print(error_sentence(found).replace(chr(160), " ").replace(": ", ":\n"))
    ridge, on 40 rows (trusted rows):
    mean absolute error 12 without the defence, 10.5 with it:
    1.5 lower (95 % interval of the change -2.2 to -0.8).
    """
    before, after = (format_error(value, found) for value in (found.before, found.after))
    return (
        f"{short_name(found.model)}, on {counted(found.rows, 'row')} ({WHERE[found.where]}): mean absolute error "
        f"{before} without the defence, {after} with it: {change_in_words(found)}."
    )


def format_error(value: float, found: ErrorChange) -> str:
    """Write an error with as many decimals as the larger of two calls for."""
    return format_target(value, max(found.before, found.after))


def change_in_words(found: ErrorChange) -> str:
    """State how an error changed, with the interval of the change.

    Examples
    --------
    >>> change_in_words(ErrorChange("ridge", "trusted", 40, 12.0, 10.5, -1.5, -2.25, 0.75)).replace(chr(160), " ")
    '1.5 lower (95 % interval of the change -2.2 to +0.8), which chance alone may account for'
    """
    size = format_error(abs(found.change), found)
    said = "the same" if found.change == 0 else f"{size} {'lower' if found.change < 0 else 'higher'}"
    ends = (found.change_low, found.change_high)
    low, high = (f"{'+' * (end > 0)}{format_error(end, found)}" for end in ends)
    chance = ", which chance alone may account for" if ends[0] <= 0 <= ends[1] and found.change else ""
    return f"{said} (95\N{NO-BREAK SPACE}% interval of the change {low} to {high}){chance}"


def defence_lines(record: RegressionDefenceRecord, width: int | None) -> list[str]:
    """Write what was removed and what it brought, then the rows; as `scan_lines`."""
    fates = (*aside_sentences(record.source, record.set_aside), account_sentence(record.account))
    first, *others = defence_sentences(record)
    lines = [flow(sentence, width) for sentence in (first, *fates, *others)]
    if record.removals:
        table = rows_place("removals.csv", record.header)
        shown = target_lines(record.source, record.removals, len(record.removals), width, table=table, certain=True)
        lines += ["", *shown]
    return visible_lines([*lines, "", *reading_lines(record.data, width, record.source)])


def attack_lines(record: RegressionAttackRecord, width: int | None) -> list[str]:
    """Write the attack, and the error behind each defence; as `scan_lines`."""
    spent = "rows added" if record.budget == "add" else "targets changed"
    lines = [
        flow(
            f"{record.method}: {format_count(record.poison_rows)} {spent} among {counted(record.data.rows, 'row')} "
            f"({format_fraction(record.fraction)}).",
            width,
        ),
        flow(
            f"Root mean squared error of ridge regression on {counted(record.test_rows, 'test row')} "
            f"({record.test_origin}), in units of {short_name(record.data.target)}:",
            width,
        ),
        "",
        f"  {'defence':<10}{'clean':>14}{'attacked':>14}{'poison removed':>16}{'clean removed':>15}",
        *(_attacked_line(one) for one in record.defences),
    ]
    return visible_lines([*lines, "", *reading_lines(record.data, width, record.source)])


def _attacked_line(found: AttackedDefence) -> str:
    clean, attacked = (format_target(value, value) for value in (found.clean_error, found.test_error))
    return f"  {found.defence:<10}{clean:>14}{attacked:>14}{found.poison_removed:>16,}{found.clean_removed:>15,}"
