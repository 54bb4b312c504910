"""Rows by name, rows set aside, contradictions and the reading of a source, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from toadstone.records.header import Source
from toadstone.records.rows import AsideKind, Contradiction, RowAccount, SetAside
from toadstone.report.text.formats import counted, flow, format_count, listed, shortened
from toadstone.report.text.wording import LONGEST_PREVIEW, SHOWN_ROWS, short_name

_SHOWN_CONTRADICTIONS, _SHOWN_LABELS = 3, 4


class ReadData(Protocol):
    """Reading of a source: part of a data set, and of the summary of one."""

    @property
    def preparation(self) -> str:
        """Way from columns to features, in words."""

    @property
    def columns(self) -> Sequence[object]:
        """Columns of a table; empty for arrays."""

    @property
    def notes(self) -> Sequence[str]:
        """Sentences for the user."""


def reading_lines(data: ReadData, width: int | None, source: Source | None = None) -> list[str]:
    """Write how columns were read, and the notes on the source, for a terminal or a pipe."""
    return [flow(sentence, width) for sentence in reading_sentences(data, source)]


def reading_sentences(data: ReadData, source: Source | None = None) -> tuple[str, ...]:
    """Say how columns became features, how rows are named, and what else a reader should know of the source.

    Parameters
    ----------
    data : DataSummary or Split
    source : Source, optional
        Given where the output names rows.
    """
    read = f"{'Columns' if data.columns else 'Features'}: {data.preparation}".rstrip(".")
    named = f" {source.sentence}" if source is not None else ""
    return (f"{read}.{named}", *(f"Note: {note}" for note in data.notes))


def named_rows(source: Source, rows: Sequence[str], total: int) -> str:
    """Name the first of some rows and count the others: "lines 5, 9, 12 and 4 more".

    Examples
    --------
    >>> named_rows(Source("rows.csv", numbering="line"), ["5", "9"], 6)
    'lines 5, 9 and 4 more'
    """
    shown = rows[:SHOWN_ROWS]
    others = total - len(shown)
    return source.several(shown) + (f" and {format_count(others)} more" if others else "")


def aside_sentences(source: Source, aside: SetAside) -> tuple[str, ...]:
    """Say which rows were not judged, why, and whether they are kept; one sentence a reason."""
    sentences = []
    for kind in aside.kinds:
        rows = [row.row for row in aside.rows if (row.reason, row.dropped) == (kind.reason, kind.dropped)]
        was, is_ = ("was", "is") if kind.rows == 1 else ("were", "are")
        fate = f"{was} dropped as asked" if kind.dropped else f"{is_} kept without being judged"
        where = f": {named_rows(source, rows, kind.rows)}" if rows else ""
        sentences.append(f"{counted(kind.rows, 'row')} {fate} ({_because(kind)}){where}.")
    return tuple(sentences)


def _because(kind: AsideKind) -> str:
    shown = [f"'{short_name(label)}': {counted(rows, 'row')}" for label, rows in kind.labels.items()]
    others = len(shown) - _SHOWN_LABELS
    more = [counted(others, "other label")] if others > 0 else []
    return f"{kind.reason}; {listed([*shown[:_SHOWN_LABELS], *more])}" if shown else kind.reason


def account_sentence(account: RowAccount) -> str:
    """State what became of all rows of the source.

    Examples
    --------
    >>> account_sentence(RowAccount(100, 93, 5, 2)), account_sentence(RowAccount(100, 95, 5, 0))
    ('100 rows read = 93 kept + 5 removed + 2 dropped.', '100 rows read = 95 kept + 5 removed.')
    """
    dropped = f" + {format_count(account.dropped)} dropped" if account.dropped else ""
    kept, removed = format_count(account.kept), format_count(account.removed)
    return f"{counted(account.read, 'row')} read = {kept} kept + {removed} removed{dropped}."


def contradiction_sentence(source: Source, groups: int, listed_groups: Sequence[Contradiction]) -> str:
    """Say how many groups of rows are equal but for the label, and name the first; empty where there is none."""
    if not groups:
        return ""
    what = "1 group of rows is" if groups == 1 else f"{format_count(groups)} groups of rows are"
    shown = [_contradiction(source, group) for group in listed_groups[:_SHOWN_CONTRADICTIONS]]
    others = groups - len(shown)
    more = [f"{format_count(others)} more"] if others else []
    return f"{what} equal but for the label: {'; '.join([*shown, *more])}."


def _contradiction(source: Source, group: Contradiction) -> str:
    labels = ", ".join(short_name(label) for label in group.labels[:SHOWN_ROWS])
    more = ", …" if len(group.labels) > SHOWN_ROWS else ""
    return f"{named_rows(source, group.rows, len(group.rows))} ({labels}{more})"


def values_in_words(values: Mapping[str, str]) -> str:
    """List columns with their values.

    Examples
    --------
    >>> values_in_words({"age": "44", "job": "clerk"})
    'age 44, job clerk'
    """
    return shortened(", ".join(f"{column} {value}" for column, value in values.items()), LONGEST_PREVIEW)
