"""Reader of data frames and arrays in memory, prepared in the same way as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa
from scipy.sparse import issparse

from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.core.dataset import as_matrix
from toadstone.core.errors import InvalidData
from toadstone.datasets.preparation.columns import Origin
from toadstone.datasets.preparation.features import assemble, renamed, scaled_rows
from toadstone.datasets.preparation.labels import as_labels, check_classes, rows_of_classes
from toadstone.datasets.readers.parquet import without_views
from toadstone.datasets.readers.request import Request
from toadstone.datasets.readers.tables import encode_like, split_table
from toadstone.datasets.split import Split, stratified_rows

FRAME, ARRAYS = "DataFrame", "arrays"
"""Names of data in memory, for reports and error messages."""


def as_frame(data: Any) -> nw.DataFrame[Any] | None:
    """Wrap a data frame of pandas, polars, pyarrow or another library; return None for other objects.

    Raises
    ------
    InvalidData
        If it is a lazy frame, or two columns have the same name.
    """
    try:
        wrapped = nw.from_native(data, pass_through=True)
    except nw.exceptions.DuplicateError as error:
        raise InvalidData(f"{FRAME}: expected column names that differ; {_first_line(error)}") from None
    if isinstance(wrapped, nw.LazyFrame):
        raise InvalidData(f"{FRAME}: expected rows in memory, got a lazy frame; collect it first")
    return wrapped if isinstance(wrapped, nw.DataFrame) else None


def read_frame(frame: nw.DataFrame[Any], request: Request) -> Split:
    """Prepare a data frame and hold out a test set, as for a file of the same columns.

    Parameters
    ----------
    frame : narwhals.DataFrame
        The index, if there is one, is not a column.
    request : Request

    Returns
    -------
    Split
        Row ids count the rows of the frame from 0.

    Raises
    ------
    InvalidArgument, InvalidData
        As `toadstone.datasets.read`.
    """
    try:
        return split_table(_table(frame), _origin(FRAME), request)
    except pa.ArrowException as error:
        raise InvalidData(f"{FRAME}: expected columns that Arrow can hold, got: {_first_line(error)}") from None


def read_frame_like(
    frame: nw.DataFrame[Any], other: nw.DataFrame[Any], row_ids: IntArray, request: Request
) -> tuple[Matrix, Labels]:
    """Prepare another data frame of the same columns, with the preparation fitted on some rows of this one.

    Raises
    ------
    InvalidArgument, InvalidData
        As `toadstone.datasets.read`.
    """
    origins = (_origin(FRAME), _origin(f"trusted {FRAME}"))
    try:
        return encode_like(_table(frame), _table(other), origins=origins, row_ids=row_ids, request=request)
    except pa.ArrowException as error:
        raise InvalidData(f"trusted {FRAME}: expected columns as in data, got: {_first_line(error)}") from None


def read_arrays(
    X: Any,
    y: Any,
    request: Request,
    *,
    feature_names: tuple[str, ...] | None = None,
    row_ids: IntArray | None = None,
) -> Split:
    """Prepare arrays of features and labels and hold out a test set.

    Parameters
    ----------
    X : array_like or sparse matrix of shape (n, d)
    y : array_like of shape (n,)
    request : Request
    feature_names : tuple of str, optional
    row_ids : ndarray of int, optional
        Row numbers; from 0 by default.

    Raises
    ------
    InvalidArgument, InvalidData
        As `toadstone.datasets.read`.
    """
    request.refuse_columns(ARRAYS)
    rows, labels = as_matrix(X), as_labels(np.asarray(y), f"{ARRAYS}: y")
    if labels.shape != (rows.shape[0],):
        raise InvalidData(f"{ARRAYS}: expected a label for each of {rows.shape[0]} rows, got y of shape {labels.shape}")
    kept = rows_of_classes(labels, request.classes, f"{ARRAYS}: y")
    check_classes(labels[kept], f"{ARRAYS}: y")
    train, test = (
        kept[part]
        for part in stratified_rows(labels[kept], share=request.test_share, random_state=request.random_state)
    )
    features = scaled_rows(rows[train], rows[test], request.scale, ARRAYS)
    ids = np.arange(len(labels)) if row_ids is None else row_ids
    split = assemble(ARRAYS, features, (labels[train], labels[test]), (ids[train], ids[test]), request.test_origin)
    return split if feature_names is None else renamed(split, feature_names)


def labelled(X: Any, y: Any) -> tuple[nw.DataFrame[Any], str] | None:
    """Join a data frame of features and its labels; return None if X is not a data frame.

    Returns
    -------
    frame : narwhals.DataFrame
    label : str
        Name of the label column.
    """
    features = None if issparse(X) or isinstance(X, np.ndarray | list) else as_frame(X)
    if features is None:
        return None
    values = nw.from_native(y, series_only=True, pass_through=True)
    name = str(getattr(values, "name", None) or "label")
    while name in features.columns:
        name += "_"
    column = values.to_numpy() if isinstance(values, nw.Series) else np.asarray(y)
    if len(column) != len(features):
        raise InvalidData(f"{FRAME}: expected a label for each of {len(features)} rows, got {len(column)}")
    series = nw.new_series(name, column.tolist(), backend=features.implementation)
    joined = nw.maybe_reset_index(features).with_columns(series)
    if features.implementation.is_pandas_like():
        native = joined.to_native()
        native.index = features.to_native().index
        joined = nw.from_native(native, eager_only=True)
    return joined, name


def _origin(name: str) -> Origin:
    return Origin(Path(name), first_row=1)


def _table(frame: nw.DataFrame[Any]) -> Any:
    """Convert a data frame to an Arrow table of named columns, without its index."""
    plain = nw.maybe_reset_index(frame)
    unnamed = [name for name in plain.columns if not isinstance(name, str)]
    if unnamed:
        plain = plain.rename({name: str(name) for name in unnamed})
    table = plain.to_arrow()
    return table.cast(without_views(table.schema))


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
