"""Conversion of Arrow tables to splits, for all table formats."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa

from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.core.checks import did_you_mean
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.preparation.columns import (
    Origin,
    encode_columns,
    is_bytes,
    is_number,
    is_text,
    plain,
    refuse_missing,
)
from toadstone.datasets.preparation.features import assemble
from toadstone.datasets.preparation.labels import as_labels, check_classes, listing, rows_of_classes
from toadstone.datasets.preparation.text import encode_texts
from toadstone.datasets.readers.request import Request
from toadstone.datasets.split import Split, stratified_rows

LABEL_NAMES = ("label", "labels", "class", "target", "y")
_INDEX = re.compile(r"__index_level_\d+__")


def split_table(table: Any, origin: Origin, request: Request) -> Split:
    """Split an Arrow table into training and test rows, with the requested labels and features.

    Raises
    ------
    InvalidArgument
        If the label or text column does not exist.
    InvalidData
        If the values cannot be used; the message names column and row.
    """
    table = _without_index(table, origin)
    if table.num_rows == 0:
        raise InvalidData(f"{origin.path}: expected rows below the column names, got none")
    label = _label_column(table.column_names, origin, request)
    y = _labels(table[label], label, origin)
    kept = rows_of_classes(y, request.classes, origin.column(label))
    check_classes(y[kept], origin.column(label))
    train, test = stratified_rows(y[kept], share=request.test_share, random_state=request.random_state)
    if request.text is None:
        rest = table.drop_columns([label]).take(pa.array(kept))
        features = encode_columns(rest, train, test, scale=request.scale, origin=origin, row_ids=kept)
    else:
        texts = _texts(table, request.text, label, origin, kept)
        what = origin.column(request.text)
        features = encode_texts(texts, train, test, weighting=request.weighting, what=what)
    labels, row_ids = (y[kept[train]], y[kept[test]]), (kept[train], kept[test])
    return assemble(origin.path.name, features, labels, row_ids, request.test_origin)


def encode_like(
    table: Any, added: Any, *, origins: tuple[Origin, Origin], row_ids: IntArray, request: Request
) -> tuple[Matrix, Labels]:
    """Encode the rows of a second Arrow table, with the encoding fitted on some rows of the first.

    Parameters
    ----------
    table, added : pyarrow.Table
        Table to fit on, and table to encode.
    origins : tuple of Origin
        Of `table` and `added`.
    row_ids : ndarray of int
        Rows of `table` to fit on.
    request : Request

    Returns
    -------
    X : ndarray or CSR of shape (n, d)
        A row for each row of `added` of the requested classes.
    y : ndarray of shape (n,)

    Raises
    ------
    InvalidData
        If a column is missing, or its values cannot be used.
    """
    origin, other = origins
    table = _without_index(table, origin)
    label = _label_column(table.column_names, origin, request)
    table = table if request.text is None else table.select([label, request.text])
    _check_columns(table.column_names, added, origins)
    y = _labels(added[label], label, other)
    kept = rows_of_classes(y, request.classes, other.column(label))
    train, rows = np.arange(len(row_ids)), np.arange(len(kept)) + len(row_ids)
    if request.text is not None:
        texts = [
            *_texts(table, request.text, label, origin, row_ids),
            *_texts(added, request.text, label, other, kept),
        ]
        what = origin.column(request.text)
        return encode_texts(texts, train, rows, weighting=request.weighting, what=what).test, y[kept]
    table = table.drop_columns([label])
    added = added.select(table.column_names).take(pa.array(kept))
    # An empty column would be of another type, so this comes before the tables are joined.
    for name in added.column_names:
        refuse_missing(plain(added[name]), name, other, kept)
    both = _joined(table.take(pa.array(row_ids)), added, other)
    ids = np.concatenate([row_ids, kept])
    return encode_columns(both, train, rows, scale=request.scale, origin=other, row_ids=ids).test, y[kept]


def _check_columns(names: list[str], added: Any, origins: tuple[Origin, Origin]) -> None:
    missing = [name for name in names if added.column_names.count(name) != 1]
    if missing or added.num_rows == 0:
        got = f"not exactly one column {missing[0]!r}" if missing else "no rows"
        raise InvalidData(f"{origins[1].path}: expected the columns of {origins[0].path}, got {got}")


def _joined(table: Any, added: Any, origin: Origin) -> Any:
    try:
        return pa.concat_tables([table, added], promote_options="permissive")
    except pa.ArrowException:
        kinds = ((name, table[name].type, added[name].type) for name in table.column_names)
        name, expected, got = next(kind for kind in kinds if kind[1] != kind[2])
        raise InvalidData(f"{origin.column(name)}: expected values of type {expected}, got {got}") from None


def _without_index(table: Any, origin: Origin) -> Any:
    """Drop the row index that data frames store; refuse other columns without a name or with the same name."""
    names: list[str] = table.column_names
    repeated = [name for name, times in Counter(names).items() if times > 1 and name]
    if repeated:
        raise InvalidData(f"{origin.path}: expected column names that differ, got {repeated[0]!r} twice")
    index = [name for name in names if _INDEX.fullmatch(name)]
    for position, name in enumerate(names, start=1):
        if name.strip():
            continue
        if names.count(name) > 1 or not _is_row_index(table[position - 1]):
            raise InvalidData(f"{origin.path}: expected a name for every column, got none for column {position}")
        index.append(name)
    return table.drop_columns(index)


def _is_row_index(column: Any) -> bool:
    if not pa.types.is_integer(column.type) or column.null_count:
        return False
    values = column.to_numpy()
    return len(values) > 0 and bool(np.array_equal(values, np.arange(len(values)) + values[0]))


def _label_column(names: list[str], origin: Origin, request: Request) -> str:
    if request.label is not None:
        return _existing("label", request.label, names, origin)
    likely = [name for name in names if name.lower() in LABEL_NAMES and name != request.text]
    if len(likely) != 1:
        raise InvalidArgument("label", f"the name of the label column of {origin.path}: {listing(names)}", "nothing")
    return likely[0]


def _existing(option: str, name: str, names: list[str], origin: Origin) -> str:
    if name in names:
        return name
    hint = did_you_mean(name, names, show=repr)
    raise InvalidArgument(option, f"a column of {origin.path}: {listing(names)}", f"{name!r}{hint}")


def _labels(column: Any, name: str, origin: Origin) -> Labels:
    values = plain(column)
    kind = values.type
    refuse_missing(values, name, origin, np.arange(len(values)))
    if is_bytes(kind):
        raise InvalidData(f"{origin.column(name)}: expected UTF-8 text, got other bytes")
    if is_text(kind):
        return np.array(values.to_pylist(), dtype=np.str_)
    if pa.types.is_decimal(kind):
        values = values.cast(pa.float64())
    elif not (is_number(kind) or pa.types.is_boolean(kind)):
        raise InvalidData(f"{origin.column(name)}: expected whole numbers or text as labels, got values of type {kind}")
    return as_labels(values.to_numpy(zero_copy_only=False), origin.column(name))


def _texts(table: Any, name: str, label: str, origin: Origin, kept: IntArray) -> list[str]:
    if _existing("text", name, table.column_names, origin) == label:
        raise InvalidArgument("text", "another column than the label's", repr(name))
    column = plain(table[name]).take(pa.array(kept))
    if not is_text(column.type):
        expected, got = (
            ("UTF-8 text", "other bytes") if is_bytes(column.type) else ("text", f"values of type {column.type}")
        )
        raise InvalidData(f"{origin.column(name)}: expected {expected}, got {got}")
    refuse_missing(column, name, origin, kept)
    texts: list[str] = column.to_pylist()
    return texts
