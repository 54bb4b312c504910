"""Data sets, trusted rows and poison: the rows of a defender, and those of an attacker."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array, issparse

from toadstone.core.arrays import Array, IntArray, Labels, Matrix
from toadstone.core.errors import InvalidArgument, InvalidData


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled rows: all that a defender may see.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        Features, converted to float64. A sparse matrix stays sparse.
    y : array_like of shape (n,)
        Labels of any one scalar type.
    feature_names : tuple of str, optional
        One name a column.
    row_ids : ndarray of shape (n,), optional
        The row numbers of the original source; ``0..n-1`` by default.

    Raises
    ------
    InvalidData
        If shapes disagree, or a value is NaN or infinite.

    Examples
    --------
    >>> Dataset([[0.0, 1.0], [2.0, 0.0]], ["ham", "spam"]).classes.tolist()
    ['ham', 'spam']
    """

    X: Matrix
    y: Labels
    feature_names: tuple[str, ...] | None = None
    row_ids: IntArray | None = None

    def __post_init__(self) -> None:
        X, y = as_matrix(self.X), np.asarray(self.y)
        if X.shape[0] == 0 or X.shape[1] == 0:
            raise InvalidData(f"features: expected at least one row and one column, got shape {X.shape}")
        if y.ndim != 1 or y.shape[0] != X.shape[0]:
            raise InvalidData(f"labels: expected one for each of {X.shape[0]} rows, got shape {y.shape}")
        _check_labels(y)
        ids = np.arange(X.shape[0]) if self.row_ids is None else np.asarray(self.row_ids, dtype=np.int64)
        if ids.shape != y.shape:
            raise InvalidData(f"row ids: expected {y.shape[0]}, got shape {ids.shape}")
        if self.feature_names is not None and len(self.feature_names) != X.shape[1]:
            raise InvalidData(f"feature names: expected {X.shape[1]}, got {len(self.feature_names)}")
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "y", y)
        object.__setattr__(self, "row_ids", ids)

    def __len__(self) -> int:
        return int(self.X.shape[0])

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return int(self.X.shape[1])

    @cached_property
    def classes(self) -> Labels:
        """Sorted distinct labels."""
        return np.unique(self.y)

    @cached_property
    def signs(self) -> Array:
        """Labels as -1 (first class) and +1 (second class).

        Raises
        ------
        InvalidData
            If there are not exactly two classes.
        """
        if len(self.classes) != 2:
            raise InvalidData(f"labels: expected two classes, got {len(self.classes)}")
        return np.where(self.y == self.classes[1], 1.0, -1.0)

    def take(self, rows: IntArray) -> Dataset:
        """Return the given rows, in the given order, under their original ids."""
        ids = None if self.row_ids is None else self.row_ids[rows]
        return Dataset(self.X[rows], self.y[rows], self.feature_names, ids)


@dataclass(frozen=True, eq=False)
class Poison:
    """Rows that an attack adds, possibly none, and the clean rows they displace.

    Parameters
    ----------
    X : ndarray or CSR of shape (m, d)
    y : array_like of shape (m,)
    replaces : ndarray of shape (r,), optional
        Indices of clean rows that these rows take the place of; empty when
        rows are only added.
    """

    X: Matrix
    y: Labels
    replaces: IntArray | None = None

    def __post_init__(self) -> None:
        X, y = as_matrix(self.X), np.asarray(self.y)
        if y.shape != (X.shape[0],):
            raise InvalidData(f"poison labels: expected one for each of {X.shape[0]} rows, got shape {y.shape}")
        replaces = np.empty(0, dtype=np.int64) if self.replaces is None else np.asarray(self.replaces, dtype=np.int64)
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "y", y)
        object.__setattr__(self, "replaces", replaces)

    def __len__(self) -> int:
        return int(self.X.shape[0])


@dataclass(frozen=True, eq=False)
class Trusted:
    """Rows declared to be clean, with the reason.

    Thresholds and validations are only as good as the rows they rest on.
    Functions that use trusted rows therefore require this declaration and
    refuse a plain `Dataset`.

    Parameters
    ----------
    data : Dataset
    because : str
        Reason why the rows can be trusted; reports quote it.

    Raises
    ------
    InvalidArgument
        If no reason is given.

    Examples
    --------
    >>> Trusted(Dataset([[0.0], [1.0]], ["ham", "spam"]), because="read by two of us").because
    'read by two of us'
    """

    data: Dataset
    because: str

    def __post_init__(self) -> None:
        if not self.because.strip():
            raise InvalidArgument("because", "why these rows can be trusted", "nothing")

    def __len__(self) -> int:
        return len(self.data)


def demand_trusted(rows: object) -> Trusted:
    """Check that rows are declared to be clean.

    Raises
    ------
    InvalidArgument
        If they are not `Trusted`.

    Examples
    --------
    >>> demand_trusted(Dataset([[0.0]], ["ham"]))
    Traceback (most recent call last):
    toadstone.core.errors.InvalidArgument: `trusted`: expected rows declared clean, as Trusted(rows, because=...), \
got Dataset, which may be poisoned
    """
    if not isinstance(rows, Trusted):
        expected = "rows declared clean, as Trusted(rows, because=...)"
        raise InvalidArgument("trusted", expected, f"{type(rows).__name__}, which may be poisoned")
    return rows


def as_matrix(X: object) -> Matrix:
    """Convert features to a float64 ndarray or CSR array, all finite.

    Raises
    ------
    InvalidData
        If the values are not numbers, not two-dimensional or not finite, or
        if the parts of a sparse matrix contradict each other.
    """
    if issparse(X):
        matrix = csr_array(X, dtype=np.float64)
        try:
            matrix.check_format(full_check=True)
        except ValueError as error:
            raise InvalidData(f"features: expected a sparse matrix whose parts fit together, got: {error}") from None
        if not matrix.has_canonical_format:
            matrix = matrix.copy()
            matrix.sum_duplicates()
        matrix = _with_small_indices(matrix)
        values = matrix.data
    else:
        try:
            matrix = np.ascontiguousarray(X, dtype=np.float64)
        except (TypeError, ValueError):
            raise InvalidData("features: expected numbers, got values that are not") from None
        if matrix.ndim != 2:
            raise InvalidData(f"features: expected a table of two dimensions, got {matrix.ndim}")
        values = matrix
    if not np.isfinite(values).all():
        row = _first_bad_row(matrix)
        raise InvalidData(f"features: expected finite numbers, got NaN or infinity in row {row}")
    return matrix


def _with_small_indices(matrix: Matrix) -> Matrix:
    # liblinear and others refuse 64-bit indices, even where 32 bits suffice.
    if matrix.indices.dtype == np.int32 or max(matrix.nnz, *matrix.shape) > np.iinfo(np.int32).max:
        return matrix
    parts = (matrix.data, matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32))
    return csr_array(parts, shape=matrix.shape)


def _first_bad_row(matrix: Matrix) -> int:
    if issparse(matrix):
        position = int(np.flatnonzero(~np.isfinite(matrix.data))[0])
        return int(np.searchsorted(matrix.indptr, position, side="right")) - 1
    return int(np.flatnonzero(~np.isfinite(matrix).all(axis=1))[0])


def _check_labels(y: Labels) -> None:
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        row = int(np.flatnonzero(~np.isfinite(y))[0])
        raise InvalidData(f"labels: expected no missing value, got NaN or infinity in row {row}")
    if y.dtype.kind not in "biufUS":
        raise InvalidData(f"labels: expected numbers or strings, got values of type {y.dtype}")
