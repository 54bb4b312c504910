"""Reader of data frames and arrays in memory, prepared in the same way as files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa
from scipy.sparse import issparse

from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.core.dataset import as_matrix
from toadstone.core.errors import InvalidData
from toadstone.core.row_names import RowNames
from toadstone.datasets.preparation.exact_numbers import check_numbers
from toadstone.datasets.preparation.features import ArrayValues, RowScaling, renamed
from toadstone.datasets.readers.aside import labels_of
from toadstone.datasets.readers.formats.columnar import without_views
from toadstone.datasets.readers.matrices import split_matrix
from toadstone.datasets.readers.request import Request
from toadstone.datasets.readers.tables import Table, TableReader, repeated_names, split_table
from toadstone.datasets.split import Split

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
        twice = repeated_names([str(name) for name in getattr(data, "columns", ())])
        raise InvalidData(f"{FRAME}: expected column names that differ, got {twice or _first_line(error)}") from None
    if isinstance(wrapped, nw.LazyFrame):
        raise InvalidData(f"{FRAME}: expected rows in memory, got a lazy frame; collect it first")
    return wrapped if isinstance(wrapped, nw.DataFrame) else None


def read_frame(frame: nw.DataFrame[Any], request: Request) -> tuple[Split, TableReader]:
    """Prepare a data frame and hold out a test set, as for a file of the same columns.

    Parameters
    ----------
    frame : narwhals.DataFrame
        The index, if there is one, is not a column: it names the rows.
    request : Request

    Returns
    -------
    split : Split
        Row ids count the rows of the frame from 0.
    reader : TableReader

    Raises
    ------
    InvalidArgument, InvalidData
        As `toadstone.datasets.read`.
    """
    request.refuse_notation("a data frame")
    return split_table(frame_table(frame, FRAME), FRAME, request)


def frame_table(frame: nw.DataFrame[Any], source: str) -> Table:
    """Convert a data frame to a table whose rows are named by the index.

    Raises
    ------
    InvalidData
        If Arrow cannot hold its columns.
    """
    plain = nw.maybe_reset_index(frame)
    unnamed = [name for name in plain.columns if not isinstance(name, str)]
    if unnamed:
        plain = plain.rename({name: str(name) for name in unnamed})
    plain = _with_one_type_a_column(plain)
    try:
        columns = plain.to_arrow()
        columns = columns.cast(without_views(columns.schema))
    except (pa.ArrowException, TypeError) as error:
        raise InvalidData(f"{source}: expected columns that Arrow can hold, got: {_first_line(error)}") from None
    index = list(frame.to_native().index) if frame.implementation.is_pandas_like() else range(len(frame))
    return Table(source, columns, RowNames("index", names=index))


@dataclass(frozen=True, eq=False)
class ArrayPreparation:
    """Preparation of the rows of other arrays as those of a split were.

    Parameters
    ----------
    scaling : RowScaling
    columns : int
    request : Request
    """

    scaling: RowScaling
    columns: int
    request: Request

    def encode(self, X: Any, y: Any, what: str = "trusted arrays") -> tuple[Matrix, Labels]:
        """Return prepared rows and labels; messages call them `what`.

        Raises
        ------
        InvalidData
            If there are other columns.
        """
        rows = as_matrix(X)
        if rows.shape[1] != self.columns:
            raise InvalidData(f"{what}: X: expected {self.columns} columns as in the data, got {rows.shape[1]}")
        return self.scaling.apply(rows), labels_of(np.asarray(y), f"{what}: y", self.request)


def read_arrays(
    X: Any,
    y: Any,
    request: Request,
    *,
    feature_names: tuple[str, ...] | None = None,
    row_ids: IntArray | None = None,
) -> tuple[Split, ArrayPreparation]:
    """Prepare arrays of features and labels and hold out a test set.

    Parameters
    ----------
    X : array_like or sparse matrix of shape (n, d)
    y : array_like of shape (n,)
    request : Request
    feature_names : tuple of str, optional
    row_ids : ndarray of int, optional
        Names of the rows; from 0 by default.

    Raises
    ------
    InvalidArgument, InvalidData
        As `toadstone.datasets.read`.
    """
    request.refuse_columns(ARRAYS)
    if isinstance(X, np.ndarray) and X.dtype.kind in "iu":
        check_numbers(X, f"{ARRAYS}: X")
    rows, labels = as_matrix(X), labels_of(np.asarray(y), f"{ARRAYS}: y", request)
    if labels.shape != (rows.shape[0],):
        raise InvalidData(f"{ARRAYS}: expected a label for each of {rows.shape[0]} rows, got y of shape {labels.shape}")
    names = RowNames("index", names=row_ids, first=0)
    split, scaling = split_matrix(rows, labels, request, name=ARRAYS, source=ARRAYS, labels=f"{ARRAYS}: y", rows=names)
    split = replace(renamed(split, feature_names), raw=ArrayValues(rows, feature_names))
    return split, ArrayPreparation(scaling, rows.shape[1], request)


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
    column = column[:, 0] if column.ndim == 2 and column.shape[1] == 1 else column
    if column.ndim != 1:
        raise InvalidData(
            f"{FRAME}: expected one label a row, got an array of shape {column.shape}: several labels a row, and "
            "one-hot labels, cannot be used; pass one column"
        )
    if len(column) != len(features):
        raise InvalidData(f"{FRAME}: expected a label for each of {len(features)} rows, got {len(column)}")
    series = nw.new_series(name, column.tolist(), backend=features.implementation)
    joined = nw.maybe_reset_index(features).with_columns(series)
    if features.implementation.is_pandas_like():
        native = joined.to_native()
        native.index = features.to_native().index
        joined = nw.from_native(native, eager_only=True)
    return joined, name


def _with_one_type_a_column(frame: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """Write columns of several types, which Arrow has not, as texts, as a file would have them."""
    if not frame.implementation.is_pandas_like():
        return frame
    native = frame.to_native()
    mixed = {}
    for name in (name for name, kind in native.dtypes.items() if kind.kind == "O"):
        try:
            pa.array(native[name], from_pandas=True)
        except (pa.ArrowException, TypeError):
            if all(isinstance(value, str | int | float | bool | None) for value in native[name]):
                mixed[name] = native[name].map(str, na_action="ignore")
    return nw.from_native(native.assign(**mixed), eager_only=True) if mixed else frame


def _first_line(error: Exception) -> str:
    # Arrow adds the column to the sentence as a second argument.
    told = "; ".join(map(str, error.args)) or type(error).__name__
    return told.strip().splitlines()[0]
