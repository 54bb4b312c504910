"""Encoding of table columns as one matrix: numbers scaled, categories one-hot."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array, csr_array
from scipy.sparse import hstack as sparse_hstack

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.errors import InvalidData
from toadstone.datasets.preparation.features import Features, count, fit_scaling

_FEW_LEVELS = 20
_SPARSE_COLUMNS = 1000
_SPARSE_DENSITY = 0.1
_MOSTLY = 0.9


@dataclass(frozen=True)
class Origin:
    """File and row numbering of a table, for error messages.

    Parameters
    ----------
    path : Path
    first_row : int
        Number of the first data row in the file: 2 below a header, else 1.
    """

    path: Path
    first_row: int

    def column(self, name: str) -> str:
        """Return the start of an error message about a column."""
        return f"{self.path}: column {name!r}"

    def cell(self, name: str, row: int) -> str:
        """Return the start of an error message about a cell; `row` counts data rows from 0."""
        start = "the header is row 1" if self.first_row == 2 else "the first is row 1"
        return f"{self.column(name)}, row {row + self.first_row} ({start})"


@dataclass(frozen=True, eq=False)
class _Categories:
    """Column of categories: a code for each row, -1 for a level that does not occur in training."""

    codes: IntArray
    levels: tuple[str, ...]


def encode_columns(
    table: Any, train: IntArray, test: IntArray, *, scale: str, origin: Origin, row_ids: IntArray
) -> Features:
    """Encode every column of an Arrow table, fitted on the training rows.

    Numbers come first, then one column for each level of each category that
    occurs in training. Other levels are encoded as all zero. Text, booleans
    and dictionaries are categories.

    Parameters
    ----------
    table : pyarrow.Table
    train, test : ndarray of int
        Positions of the training and the test rows.
    scale : {"auto", "standard", "none"}
        "auto" standardises numbers, with two exceptions: values within [0, 1],
        and counts. A table without categories holds counts if all values are
        whole and non-negative and every column contains a zero.
    origin : Origin
    row_ids : ndarray of int
        Row number in the file for each row of the table.

    Raises
    ------
    InvalidData
        For a missing or infinite value, or a column of another type.
    """
    numbers: dict[str, Array] = {}
    categories: dict[str, _Categories] = {}
    for name in table.column_names:
        column = plain(table[name])
        refuse_missing(column, name, origin, row_ids)
        if is_number(column.type) and not pa.types.is_dictionary(table[name].type):
            numbers[name] = _numbers(column, name, origin, row_ids)
        else:
            if is_text(table[name].type):
                _refuse_stray_text(column, name, origin, row_ids)
            categories[name] = _categories(column, train, origin.column(name))
    values = np.empty((len(row_ids), len(numbers)))
    for position, column in enumerate(numbers.values()):
        values[:, position] = column
    treatment = _treatment(values[train], scale, mixed=bool(categories))
    if treatment == "standardised":
        mean, spread = fit_scaling(values[train], str(origin.path))
        values = (values - mean) / spread
    names = (*numbers, *(f"{name}={level}" for name, part in categories.items() for level in part.levels))
    parts = tuple(categories.values())
    preparation = _describe(len(numbers), treatment, parts)
    return Features(_matrix(values[train], parts, train), _matrix(values[test], parts, test), preparation, names)


def plain(column: Any) -> Any:
    """Return a column as one Arrow array; dictionaries and text variants become plain types."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return (column.cast(pa.string()) if is_text(column.type) else column).combine_chunks()


def is_number(kind: Any) -> bool:
    """Return True if an Arrow type holds numbers."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def is_text(kind: Any) -> bool:
    """Return True if an Arrow type holds UTF-8 text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_bytes(kind: Any) -> bool:
    """Return True if an Arrow type holds bytes that are not marked as UTF-8 text."""
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def refuse_missing(column: Any, name: str, origin: Origin, row_ids: IntArray) -> None:
    """Check that a column has no missing value and no empty text.

    Raises
    ------
    InvalidData
        If it has one; the message names the first.
    """
    missing = np.asarray(column.is_null(nan_is_null=True))
    if is_text(column.type):
        missing = missing | np.asarray(pc.equal(pc.fill_null(column, ""), ""))
    if missing.all() and len(missing):
        raise InvalidData(f"{origin.column(name)}: expected values, got an empty column")
    if missing.any():
        row = int(row_ids[np.argmax(missing)])
        raise InvalidData(f"{origin.cell(name, row)}: expected a value, got nothing; fill it in or drop the row")


def _numbers(column: Any, name: str, origin: Origin, row_ids: IntArray) -> Array:
    # Unsafe casts round whole numbers beyond 2**53 instead of failing.
    values: Array = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    infinite = ~np.isfinite(values)
    if infinite.any():
        row = int(np.argmax(infinite))
        raise InvalidData(f"{origin.cell(name, int(row_ids[row]))}: expected a finite number, got {values[row]}")
    return values


def _categories(column: Any, train: IntArray, what: str) -> _Categories:
    kind = column.type
    if is_bytes(kind):
        raise InvalidData(f"{what}: expected UTF-8 text, got other bytes")
    if not (is_text(kind) or is_number(kind) or pa.types.is_boolean(kind)):
        raise InvalidData(f"{what}: expected numbers, categories or text, got values of type {kind}; drop it")
    coded = column.dictionary_encode()
    raw = np.asarray(coded.indices, dtype=np.int64)
    texts = [str(level) for level in coded.dictionary.to_pylist()]
    levels = tuple(sorted({texts[code] for code in np.unique(raw[train])}))
    place = {level: position for position, level in enumerate(levels)}
    return _Categories(np.array([place.get(text, -1) for text in texts], dtype=np.int64)[raw], levels)


def _refuse_stray_text(column: Any, name: str, origin: Origin, row_ids: IntArray) -> None:
    """Refuse columns of numbers with a few texts among them, and text with too many different values."""
    coded = column.dictionary_encode()
    codes, texts = np.asarray(coded.indices), coded.dictionary.to_pylist()
    stray = ~np.array([_is_numeral(text) for text in texts])[codes]
    if stray.any() and stray.mean() < 1 - _MOSTLY:
        row = int(np.argmax(stray))
        raise InvalidData(
            f"{origin.cell(name, int(row_ids[row]))}: expected a number as in the other rows, got {texts[codes[row]]!r}"
        )
    if len(texts) > max(_FEW_LEVELS, len(codes) / 2):
        raise InvalidData(
            f"{origin.column(name)}: expected categories, got {len(texts):,} different texts in {len(codes):,} rows "
            f"(such as {texts[0][:40]!r}); drop it, or name it as the text column"
        )


def _is_numeral(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _treatment(values: Array, scale: str, *, mixed: bool) -> str:
    """Return the scaling of the numbers, as it is stated in the preparation."""
    if scale == "standard" or values.size == 0:
        return "standardised" if scale == "standard" else "as given"
    lowest = values.min(axis=0)
    if scale == "none" or (lowest.min() >= 0 and values.max() <= 1):
        return "as given"
    counts = not mixed and bool(np.all(lowest == 0)) and bool(np.all(values == np.floor(values)))
    return "taken for counts, as given" if counts else "standardised"


def _describe(numbers: int, treatment: str, categories: tuple[_Categories, ...]) -> str:
    parts = []
    if numbers:
        parts.append(f"{count(numbers, 'number')} {treatment}")
    if categories:
        width = sum(len(part.levels) for part in categories)
        parts.append(f"{count(len(categories), 'category', 'categories')} one-hot ({count(width, 'column')})")
    return ", ".join(parts)


def _matrix(values: Array, categories: tuple[_Categories, ...], rows: IntArray) -> Matrix:
    """Join numbers and one-hot columns; the result is sparse if it is wide and mostly zero."""
    width = values.shape[1] + sum(len(part.levels) for part in categories)
    if width > _SPARSE_COLUMNS and values.shape[1] + len(categories) < _SPARSE_DENSITY * width:
        return csr_array(sparse_hstack([values, *(_one_hot_sparse(part, rows) for part in categories)], format="csr"))
    out = np.zeros((len(rows), width))
    out[:, : values.shape[1]] = values
    start = values.shape[1]
    for part in categories:
        codes = part.codes[rows]
        seen = np.flatnonzero(codes >= 0)
        out[seen, start + codes[seen]] = 1.0
        start += len(part.levels)
    return out


def _one_hot_sparse(part: _Categories, rows: IntArray) -> Any:
    codes = part.codes[rows]
    seen = np.flatnonzero(codes >= 0)
    return coo_array((np.ones(len(seen)), (seen, codes[seen])), shape=(len(rows), len(part.levels)))
