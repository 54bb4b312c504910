"""Kinds of columns, and conversion of Arrow columns to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from toadstone.core.arrays import Mask
from toadstone.core.checks import plainly, quoted
from toadstone.core.errors import InvalidData
from toadstone.core.row_names import RowNames
from toadstone.datasets.preparation.dates import DateFormat
from toadstone.datasets.preparation.exact_numbers import EXACT, LARGEST
from toadstone.datasets.preparation.numerals import MISSING, MISSING_TEXT, Notation


@dataclass(frozen=True)
class Origin:
    """Source of a table and the names of its rows, for messages.

    Parameters
    ----------
    source : str
    rows : RowNames
    """

    source: str
    rows: RowNames

    def column(self, name: str) -> str:
        """Return the start of an error message about a column."""
        return f"{self.source}: column {quoted(name)}"

    def cell(self, name: str, row: int) -> str:
        """Return the start of an error message about a cell; `row` is the position of its row."""
        return f"{self.column(name)}, {self.rows.full(row)}"


@dataclass(frozen=True)
class ColumnType:
    """Kind of one column, and how its values are read.

    Parameters
    ----------
    name : str
    kind : {"number", "category", "date", "text", "left out"}
    reader : Notation or DateFormat, optional
        Of numbers or dates that are written as text.
    note : str
        What the user should know about it.
    lenient : bool
        True if the caller states the kind: values that do not fit are missing.
    unlike : bool
        True of a column that is left out because its texts nearly all differ.
    """

    name: str
    kind: str
    reader: Notation | DateFormat | None = None
    note: str = ""
    lenient: bool = False
    unlike: bool = False


def convert(column: Any, how: ColumnType, origin: Origin) -> Any:
    """Convert a column to its kind: float64 for numbers and dates, text for others; null where it is missing.

    Raises
    ------
    InvalidData
        If a value does not fit.
    """
    column = plain(column)
    if how.kind == "text":
        return pc.fill_null(_as_text(column), "")
    if how.kind == "category":
        texts = pc.utf8_trim_whitespace(_as_text(column))
        return pc.if_else(pc.match_substring_regex(texts, MISSING_TEXT), None, texts)
    if how.kind == "date" and not is_text(column.type):
        return _days(column, how, origin)
    return _numbers(column, how, origin)


def read_texts(texts: Any, reader: Notation | DateFormat) -> tuple[Any, Mask]:
    """Read numbers or days from texts; return a mask of those that are neither, nor marks of missing values, too."""
    values = reader.days(texts) if isinstance(reader, DateFormat) else reader.numbers(texts)
    marks = pc.match_substring_regex(pc.fill_null(texts, ""), MISSING)
    return values, np.asarray(pc.and_not(pc.is_null(values), marks))


def plain(column: Any) -> Any:
    """Return a column as one Arrow array; dictionaries and variants of text become plain types."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(pa.string()) if is_text(column.type) else column


def is_number(kind: Any) -> bool:
    """Return True if an Arrow type holds numbers."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def is_text(kind: Any) -> bool:
    """Return True if an Arrow type holds UTF-8 text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_bytes(kind: Any) -> bool:
    """Return True if an Arrow type holds bytes that are not marked as UTF-8 text."""
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def _as_text(column: Any) -> Any:
    if pa.types.is_boolean(column.type):
        return pc.if_else(column, "True", "False")
    return column if is_text(column.type) else column.cast(pa.string())


def _numbers(column: Any, how: ColumnType, origin: Origin) -> Any:
    if is_text(column.type):
        texts = pc.utf8_trim_whitespace(column)
        values, unread = read_texts(texts, how.reader or Notation())
        if not how.lenient and unread.any():
            row = int(np.argmax(unread))
            got = quoted(texts[row].as_py())
            raise InvalidData(f"{origin.cell(how.name, row)}: expected a {how.kind} as in the other rows, got {got}")
    else:
        texts, values = column, pc.cast(column, pa.float64(), safe=False)
    return _checked(values, texts, how, origin)


def _checked(values: Any, shown: Any, how: ColumnType, origin: Origin) -> Any:
    """Refuse numbers that are infinite, too large, or whole numbers that float64 would round."""
    numbers = values.to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore"):
        bad = np.isinf(numbers) | (np.abs(numbers) > LARGEST)
    if bad.any() and not how.lenient:
        row = int(np.argmax(bad))
        expected = "a finite number" if np.isinf(numbers[row]) else f"a number up to {LARGEST:g}"
        raise InvalidData(
            f"{origin.cell(how.name, row)}: expected {expected}, got {plainly(shown[row].as_py())}; "
            f"`types` with {plainly(how.name)}=number reads such values as missing, `drop` leaves the column out"
        )
    # The float 2**53 may stand for the whole number after it.
    large = np.flatnonzero((np.abs(numbers) >= EXACT) & ~bad)
    for row in large.tolist():
        exact = _whole_number(shown[row].as_py())
        if exact is not None and exact != int(numbers[row]) and not how.lenient:
            raise InvalidData(
                f"{origin.cell(how.name, row)}: expected a number that a float holds exactly, got {exact}; "
                f"`types` with {plainly(how.name)}=category keeps it, `drop` leaves the column out"
            )
    return pa.array(np.where(bad, np.nan, numbers), from_pandas=True)


def _whole_number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _days(column: Any, how: ColumnType, origin: Origin) -> Any:
    kind = column.type
    try:
        if pa.types.is_time(kind) or pa.types.is_duration(kind):
            unit = pa.duration("us") if pa.types.is_duration(kind) else pa.time64("us")
            micros = pc.cast(pc.cast(pc.cast(column, unit, safe=False), pa.int64()), pa.float64())
        else:
            micros = pc.cast(pc.cast(pc.cast(column, pa.timestamp("us"), safe=False), pa.int64()), pa.float64())
    except (pa.ArrowException, ValueError):
        raise InvalidData(f"{origin.column(how.name)}: expected dates, got values of type {kind}") from None
    return pc.divide(micros, 86_400e6)
