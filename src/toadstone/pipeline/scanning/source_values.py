"""Rows and columns as the source has them: which features are one column, and the values behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from scipy.sparse import issparse

from toadstone.core.arrays import Array, IntArray, Mask
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.core.row_names import RowNames
from toadstone.datasets.split import RawValues, Split
from toadstone.pipeline.harness.row_account import ids_of

_DISTINCT_SHOWN = 4
_LONGEST = 80
_SECONDS_A_DAY = 86400.0


@dataclass(frozen=True, eq=False)
class SourceValues:
    """Names and values of rows as they stand in their source.

    Parameters
    ----------
    data : Dataset
        The rows, prepared.
    names : RowNames
        Of the rows in their source.
    raw : RawValues or None
        Values of the source; the prepared ones where it is None.
    column_of : ndarray of int of shape (d,)
        Features of one column share a number; each word of a text has its own.
    is_word : ndarray of bool of shape (d,)
        Features that are words of a text.
    moments : sequence, optional
        The time of each row of the source, as it stands there.
    times : ndarray, optional
        The same as numbers, not a number where one is missing.
    """

    data: Dataset
    names: RowNames
    raw: RawValues | None
    column_of: IntArray
    is_word: Mask
    moments: Sequence[Any] | None = None
    times: Array | None = None

    @property
    def ids(self) -> IntArray:
        """Positions of the rows in their source."""
        return ids_of(self.data)

    def name(self, row: int) -> str:
        """Name a row as the source does."""
        return self.names[int(self.ids[row])]

    def column(self, feature: int) -> str:
        """Name the column that a feature comes from; a word of a text stands for itself."""
        if self.raw is not None and not self.is_word[feature]:
            return self.raw.column(feature) or "column"
        return self.feature(feature)

    def feature(self, feature: int) -> str:
        """Name a feature."""
        names = self.data.feature_names
        named = names[feature].strip() if names is not None else ""
        return named or f"column {feature}"

    def shown(self, row: int, features: Sequence[int]) -> dict[str, str]:
        """Show the values of a row behind some features, by the names of their columns; of a word, its whole text."""
        if self.raw is None:
            return {self.feature(feature): self._values([row], feature)[0] for feature in features}
        position = [int(self.ids[row])]
        return {self.raw.column(feature) or "column": self.raw.values(position, feature)[0] for feature in features}

    def shared(self, rows: IntArray, features: Sequence[int]) -> dict[str, str]:
        """Show the value or the range that some rows have in the columns of some features."""
        return {self.column(feature): _summary(self._values(rows.tolist(), feature)) for feature in features}

    def period(self, rows: IntArray) -> str:
        """Name the first and the last time of some rows as they stand in the source; empty where it has none."""
        if self.moments is None or self.times is None:
            return ""
        places = [place for place in self.ids[rows].tolist() if not np.isnan(self.times[place])]
        ordered = sorted((self.times[place], str(self.moments[place])) for place in places)
        return f"{ordered[0][1]} to {ordered[-1][1]}" if ordered else ""

    def _values(self, rows: Sequence[int], feature: int) -> list[str]:
        if self.raw is not None and not self.is_word[feature]:
            return self.raw.values(self.ids[list(rows)].tolist(), feature)
        taken = self.data.X[list(rows)][:, [feature]]
        return [f"{value:.4g}" for value in (taken.toarray() if issparse(taken) else taken).ravel()]


def source_values(split: Split, data: Dataset, time: str | None = None) -> SourceValues:
    """Find out which features of a split come from one column, and which are words.

    Parameters
    ----------
    split : Split
    data : Dataset
        Rows of it.
    time : str, optional
        Column of times, which is no feature.
    """
    d, moments = data.n_features, None if split.raw is None or time is None else split.raw.cells(time.strip())
    times = None if moments is None or time is None else _times(split, time)
    texts = {column.name for column in split.columns if column.kind == "text"}
    if not split.columns or split.raw is None:
        return SourceValues(data, split.row_names, split.raw, np.arange(d), np.zeros(d, dtype=bool), moments, times)
    named = [split.raw.column(feature) for feature in range(d)]
    is_word = np.array([name in texts for name in named], dtype=bool)
    # Words of a text are columns of their own: hiding one must not hide the others.
    keys = [f"word {feature}" if is_word[feature] else f"column {name}" for feature, name in enumerate(named)]
    column_of = np.unique(keys, return_inverse=True)[1]
    return SourceValues(data, split.row_names, split.raw, column_of.astype(np.int64), is_word, moments, times)


def sources_of(split: Split, data: Dataset, column: str) -> np.ndarray[Any, Any]:
    """Read who each row is from; None where that is not said.

    Raises
    ------
    InvalidArgument
        If there is no such column.
    """
    cells = _cells(split, "group", column)
    found = [cells[position] for position in ids_of(data).tolist()]
    return np.array([None if _is_missing(cell) else str(cell).strip() for cell in found], dtype=object)


def times_of(split: Split, data: Dataset, column: str) -> Array:
    """Read the time of each row as a number: of seconds where the column holds dates, not a number where it is missing.

    Raises
    ------
    InvalidArgument
        If there is no such column, or a value is neither a number nor a date.
    InvalidData
        If the dates can be read in several ways; the sentence names the option.
    """
    return _times(split, column)[ids_of(data)]


def holds_dates(split: Split, column: str) -> bool:
    """Tell a column of dates from one of numbers.

    Raises
    ------
    InvalidArgument
        If there is no such column.
    """
    first = next((cell for cell in _cells(split, "time", column) if not _is_missing(cell)), 0)
    return isinstance(first, date) or (isinstance(first, str) and not _is_number(first))


def _times(split: Split, column: str) -> Array:
    """Read the times of all rows of the source: numbers, moments in ISO form, or dates as the features are read."""
    cells = _cells(split, "time", column)
    found = [_moment(cell) for cell in cells]
    strange = next((cell for cell, time in zip(cells, found, strict=True) if time is None), None)
    if strange is None:
        return np.array(found, dtype=np.float64)
    days = None if split.raw is None else split.raw.days(column.strip())
    if days is None:
        expected = "a column of numbers or of dates such as 2024-03-01 or 01/03/2024"
        raise InvalidArgument("time", expected, f"{strange!r} in {column}")
    return days * _SECONDS_A_DAY


def _cells(split: Split, option: str, column: str) -> list[Any]:
    cells = None if split.raw is None else split.raw.cells(column.strip())
    if cells is None:
        raise InvalidArgument(option, f"a column of a table, and {split.name} has none of that name", repr(column))
    return cells


def _is_missing(cell: Any) -> bool:
    return cell is None or not str(cell).strip()


def _moment(value: Any) -> float | None:
    """Return a number, or the seconds of a moment; None where the value is neither."""
    if _is_missing(value):
        return float("nan")
    try:
        if isinstance(value, str):
            value = float(value) if _is_number(value) else datetime.fromisoformat(value.strip())
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day, tzinfo=UTC)
        if isinstance(value, datetime):
            return (value if value.tzinfo is not None else value.replace(tzinfo=UTC)).timestamp()
        return float(value)
    except (TypeError, ValueError):
        return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _summary(values: Sequence[str]) -> str:
    """One value, a range of numbers, or the first of several texts."""
    distinct = sorted(set(values))
    if len(distinct) == 1:
        return distinct[0]
    if all(_is_number(value) for value in distinct):
        ordered = sorted(distinct, key=float)
        return f"{ordered[0]} to {ordered[-1]}"
    shown = ", ".join(value[:_LONGEST] for value in distinct[:_DISTINCT_SHOWN])
    return shown if len(distinct) <= _DISTINCT_SHOWN else f"{shown} and {len(distinct) - _DISTINCT_SHOWN} more"
