"""A defence in sentences, and as lines for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Sequence

from toadstone.records.audit import Removal
from toadstone.records.defence import AccuracyChange, DefenceRecord, RelabelledRow, RemovedRow, WeighedRow
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
from toadstone.report.text.rows_text import account_sentence, aside_sentences, reading_lines, values_in_words
from toadstone.report.text.wording import (
    SHOWN_ROWS,
    function_name,
    learner_in_words,
    option_name,
    short_name,
)

NOT_MEASURED = (
    "What this costs or brings in accuracy is not known: no trusted rows were given and the data publish no test set, "
    "and rows that a defence has kept cannot judge it."
)

_MANY = 0.25
_WHERE = {
    "trusted": "On the {rows}, which the model was not trained on,",
    "published": "On the {rows} of the published test set, which decided nothing,",
}
_NOUN = {"trusted": "trusted row", "published": "row"}


def defence_lines(record: DefenceRecord, width: int | None) -> list[str]:
    """Write what was done and what it cost, then the groups, then rows with their reasons, then what to do next.

    Parameters
    ----------
    record : DefenceRecord
    width : int or None
        Columns of the terminal; None for a pipe.
    """
    first, *others = defence_sentences(record)
    account = fates(record.source, record.account, record.set_aside)
    lines = [flow(sentence, width) for sentence in (first, *account, *others)]
    if record.groups:
        lines += ["", "Groups", *(flow(f"  {group.sentence}", width, indent=4) for group in record.groups)]
    for title, body in (
        ("Removed rows", _treated_lines(record, record.removals, width)),
        ("Relabelled rows", _treated_lines(record, record.relabelled, width)),
        ("Rows of the lowest weight", _treated_lines(record, record.light, width)),
    ):
        lines += ["", title, *body] if body else []
    lines += ["", "Next", *(flow(f"  {sentence}", width, indent=4) for sentence in next_sentences(record))]
    return visible_lines([*lines, "", *reading_lines(record.data, width, record.source)])


def removal_lines(source: Source, removals: Sequence[Removal], width: int | None) -> list[str]:
    """Write the first of the removed rows with their reasons, and the number of the others."""
    lines = [
        flow(f"  {source.full(removal.row)}, {short_name(removal.label)}: {removal.reason}", width, indent=4)
        for removal in removals[:SHOWN_ROWS]
    ]
    others = len(removals) - len(lines)
    return visible_lines([*lines, f"  and {format_count(others)} more"] if others else lines)


def _treated_lines(
    record: DefenceRecord, rows: Sequence[RemovedRow | RelabelledRow | WeighedRow], width: int | None
) -> list[str]:
    """Write the first of some rows with what became of them and their values, and the number of the others."""
    lines = []
    for row in rows[:SHOWN_ROWS]:
        lines.append(flow(f"  {record.source.full(row.row)}, {_fate(row)}", width, indent=4))
        if row.values:
            lines.append(flow(f"    {values_in_words(row.values)}", width, indent=6))
    others = len(rows) - len(rows[:SHOWN_ROWS])
    return [*lines, f"  and {format_count(others)} more"] if others else lines


def _fate(row: RemovedRow | RelabelledRow | WeighedRow) -> str:
    label = short_name(row.label)
    if isinstance(row, RelabelledRow):
        return f"{label}: becomes {short_name(row.new_label)} ({format_share(row.probability)} sure)"
    if isinstance(row, WeighedRow):
        return f"{label}: weight {row.weight:.2f}, {row.reason}"
    return f"{label}: {row.reason}"


def defence_sentences(record: DefenceRecord) -> tuple[str, ...]:
    """State what was done to which rows, how many of them may be innocent, and what it cost where that is known."""
    return (*_done_sentences(record), *_noise_sentences(record), *_cost_sentences(record))


def fates(source: Source, account: RowAccount, aside: SetAside) -> tuple[str, ...]:
    """Say which rows were not judged, and what became of all rows of the source."""
    return (*aside_sentences(source, aside), account_sentence(account))


def _done_sentences(record: DefenceRecord) -> list[str]:
    found = [_done(record)]
    innocents = record.expected_innocents
    if record.action == "weight":
        if record.weighed:
            found.append(
                f"By the verdict’s own estimate, {innocents:.1f} rows’ worth of this was taken from innocent rows."
            )
    elif record.removals or record.relabelled:
        found.append(f"By the verdict’s own estimate, about {innocents:.1f} of them are innocent.")
    found += [f"{sentence}." for sentence in record.stays]
    return found


def _done(record: DefenceRecord) -> str:
    total = counted(record.rows, "row")
    if record.action == "weight":
        if not record.weighed:
            return f"All of {total} keep their full weight: the verdict has nothing against them."
        n = len(record.light)
        return (
            f"{format_count(n)} of {total} weigh{'s' * (n == 1)} less than half of a row; "
            f"all rows together lost {record.weight_lost:.1f} rows’ worth, and none was removed."
        )
    parts = []
    if record.relabelled:
        parts.append(f"{format_count(len(record.relabelled))} of {total} got another label")
    if record.removed or not parts:
        parts.append(_removed_words(record, "none" if parts else f"None of {total}"))
    return "; ".join(parts) + "."


def _removed_words(record: DefenceRecord, none: str) -> str:
    if not record.removed:
        return f"{none} was removed"
    grouped = sum(row.step == "group" for row in record.removals)
    were = "was" if record.removed == 1 else "were"
    alone = record.removed - grouped
    kinds = [f"{format_count(grouped)} in {counted(len(record.groups), 'group')}"] * bool(grouped)
    kinds += [f"{format_count(alone)} for their labels"] * bool(alone)
    return (
        f"{format_count(record.removed)} of {counted(record.rows, 'row')} {were} removed "
        f"({format_share(record.removed / record.rows)}): {' and '.join(kinds)}; {format_count(record.kept)} are left"
    )


def _noise_sentences(record: DefenceRecord) -> list[str]:
    noise = record.noise
    said = noise.sentence.rstrip(".")
    # Groups leave the data before labels are judged.
    said = f"in the other rows, {said}" if said and record.groups else said
    found = [f"{said[:1].upper()}{said[1:]}."] if said else []
    if noise.for_review:
        found.append(
            f"{counted(noise.for_review, 'row')} may have a wrong label and stayed as they are, because these data "
            "cannot tell wrong labels from overlap."
        )
    return found


def _cost_sentences(record: DefenceRecord) -> list[str]:
    if not record.measurements:
        return [NOT_MEASURED]
    sentences = []
    for found in record.measurements:
        change = found.change
        where = _WHERE[found.where].format(rows=counted(change.rows, _NOUN[found.where]))
        before = _with_interval(change.before, change.before_low, change.before_high)
        after = _with_interval(change.after, change.after_low, change.after_high)
        sentences.append(
            f"{where} accuracy is {before} without the defence and {after} with it: {change_in_words(change)}."
        )
    return sentences


def change_in_words(change: AccuracyChange) -> str:
    """State the difference in percentage points with its interval, and what the interval allows to say.

    Examples
    --------
    >>> change = AccuracyChange(50, 0.96, 0.87, 0.99, 0.92, 0.81, 0.97, 0.04, -0.0312, 0.1177)
    >>> change_in_words(change).replace(chr(160), " ")
    '4.00 points lower (95 % interval of the change -11.77 to +3.12), which chance alone may account for'
    """
    rise, low, high = (100 * value + 0.0 for value in (-change.drop, -change.drop_high, -change.drop_low))
    sure = "" if low > 0 or high < 0 else ", which chance alone may account for"
    if change.drop == 0:
        said, sure = "the same", ""
    else:
        said = f"{abs(rise):.2f} points {'higher' if rise > 0 else 'lower'}"
    return f"{said} (95\N{NO-BREAK SPACE}% interval of the change {low:+.2f} to {high:+.2f}){sure}"


def next_sentences(record: DefenceRecord) -> tuple[str, ...]:
    """Say what to do next."""
    found = []
    share = record.removed / record.rows
    if share > _MANY:
        found.append(f"{format_share(share)} of the rows are gone: look at where they are from before you train.")
    if record.removals or record.relabelled or record.light:
        found.append("Look at the rows with their reasons before you rely on the result.")
    if record.spared:
        limit = option_name("max_removed", record.header)
        found.append(
            f"Listed rows are still among the kept ones: look at where they are from, or let more go by {limit}."
        )
    if record.noise.for_review:
        scan = function_name("scan", record.header)
        found.append(f"{scan} ranks the rows whose labels may be wrong, for a look by somebody who knows.")
    if not record.trusted_rows:
        trusted = option_name("trusted", record.header)
        found.append(
            f"A few dozen rows whose labels you have checked, as {trusted}, would measure the cost and help the "
            "verdict."
        )
    found.append(f"{function_name('audit', record.header)} tries attacks on these data, and says which defence holds.")
    return tuple(found)


def model_sentence(record: DefenceRecord) -> str:
    """Name the model that was trained and where it is from; empty where nothing was measured."""
    if not record.learner:
        return ""
    origin = f"; {record.learner_origin}" if record.learner_origin else ""
    return f"{learner_in_words(record.learner)}{origin}"


def limit_in_words(record: DefenceRecord) -> str:
    """Say how many rows could be removed at most."""
    return "no limit" if record.max_removed is None else f"{format_fraction(record.max_removed)} of the rows"


def _with_interval(value: float, low: float, high: float) -> str:
    return f"{format_accuracy(value)} ({format_interval(low, high)})"


def format_accuracy(value: float | None) -> str:
    """Write an accuracy in per cent; a dash for none.

    Examples
    --------
    >>> format_accuracy(0.98123).replace(chr(160), " "), format_accuracy(None)
    ('98.12 %', '-')
    """
    return "-" if value is None else f"{100 * value:.2f}\N{NO-BREAK SPACE}%"
