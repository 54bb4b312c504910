"""From an Arrow table to a split, whatever file it came from."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa

from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.core.checks import did_you_mean
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.preparation.columns import Origin, encode_columns, is_number, is_text, plain, refuse_missing
from toadstone.datasets.preparation.features import assemble
from toadstone.datasets.preparation.labels import as_labels, check_classes, listing, rows_of_classes
from toadstone.datasets.preparation.text import encode_texts
from toadstone.datasets.readers.request import Request
from toadstone.datasets.split import Split, stratified_rows

LABEL_NAMES = ("label", "labels", "class", "target", "y")
_INDEX = re.compile(r"__index_level_\d+__")


def split_table(table: Any, origin: Origin, request: Request) -> Split:
    """Choose labels, rows and features of an Arrow table as requested.

    Raises
    ------
    InvalidArgument
        If the label or text column does not exist.
    InvalidData
        If the values cannot be used; the sentence names column and row.
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


def encode_beside(
    ours: Any, theirs: Any, *, origins: tuple[Origin, Origin], row_ids: IntArray, request: Request
) -> tuple[Matrix, Labels]:
    """Encode the rows of another Arrow table by what is learnt from some rows of ours.

    Parameters
    ----------
    ours, theirs : pyarrow.Table
    origins : tuple of Origin
        Of both.
    row_ids : ndarray of int
        The rows of ours to learn from.
    request : Request

    Returns
    -------
    X : ndarray or CSR of shape (n_theirs, d)
    y : ndarray of shape (n_theirs,)

    Raises
    ------
    InvalidData
        If a column is missing, or its values cannot be used.
    """
    ours, (mine, other) = _without_index(ours, origins[0]), origins
    label = _label_column(ours.column_names, mine, request)
    ours = ours if request.text is None else ours.select([label, request.text])
    _refuse_other_columns(ours.column_names, theirs, origins)
    y = _labels(theirs[label], label, other)
    kept = rows_of_classes(y, request.classes, other.column(label))
    train, rows = np.arange(len(row_ids)), np.arange(len(kept)) + len(row_ids)
    if request.text is not None:
        texts = [
            *_texts(ours, request.text, label, mine, row_ids),
            *_texts(theirs, request.text, label, other, kept),
        ]
        what = mine.column(request.text)
        return encode_texts(texts, train, rows, weighting=request.weighting, what=what).test, y[kept]
    ours = ours.drop_columns([label])
    theirs = theirs.select(ours.column_names).take(pa.array(kept))
    for name in theirs.column_names:
        refuse_missing(plain(theirs[name]), name, other, kept)
    both = _joined(ours.take(pa.array(row_ids)), theirs, other)
    ids = np.concatenate([row_ids, kept])
    return encode_columns(both, train, rows, scale=request.scale, origin=other, row_ids=ids).test, y[kept]


def _refuse_other_columns(names: list[str], theirs: Any, origins: tuple[Origin, Origin]) -> None:
    missing = [name for name in names if theirs.column_names.count(name) != 1]
    if missing or theirs.num_rows == 0:
        got = f"not one named {missing[0]!r}" if missing else "no rows"
        raise InvalidData(f"{origins[1].path}: expected the columns of {origins[0].path}, got {got}")


def _joined(ours: Any, theirs: Any, origin: Origin) -> Any:
    try:
        return pa.concat_tables([ours, theirs], promote_options="permissive")
    except pa.ArrowException:
        kinds = ((name, ours[name].type, theirs[name].type) for name in ours.column_names)
        name, expected, got = next(kind for kind in kinds if kind[1] != kind[2])
        raise InvalidData(f"{origin.column(name)}: expected values of type {expected}, got {got}") from None


def _without_index(table: Any, origin: Origin) -> Any:
    """Leave out the row numbers that data frames store; refuse other nameless or doubled columns."""
    names: list[str] = table.column_names
    doubled = [name for name, times in Counter(names).items() if times > 1 and name]
    if doubled:
        raise InvalidData(f"{origin.path}: expected column names that differ, got {doubled[0]!r} twice")
    index = [name for name in names if _INDEX.fullmatch(name)]
    for position, name in enumerate(names, start=1):
        if name.strip():
            continue
        if names.count(name) > 1 or not _counts_rows(table[position - 1]):
            raise InvalidData(f"{origin.path}: expected a name for every column, got none for column {position}")
        index.append(name)
    return table.drop_columns(index)


def _counts_rows(column: Any) -> bool:
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
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
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
        binary = pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)
        expected, got = ("UTF-8 text", "other bytes") if binary else ("text", f"values of type {column.type}")
        raise InvalidData(f"{origin.column(name)}: expected {expected}, got {got}")
    refuse_missing(column, name, origin, kept)
    texts: list[str] = column.to_pylist()
    return texts
