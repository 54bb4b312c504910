"""Operations on rows that treat dense and CSR matrices alike.

``X @ w`` and ``X.T @ a`` mean the same for both; the rest is here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array, issparse
from scipy.sparse import vstack as sparse_vstack
from sklearn.utils.extmath import row_norms

from toadstone.core.arrays import Array, IntArray, Labels, Mask, Matrix

SMALL = 2**23
"""Entries, zeros counted, up to which a table is dense in `canonical_form`: 64 MiB."""

_DENSE_SHARE = 1 / 8


class CSRParts(NamedTuple):
    """Rows in compressed form, as compiled loops read them.

    Attributes
    ----------
    values : ndarray of float64 of shape (nnz,)
    indices : ndarray of unsigned integers of shape (nnz,)
        Column of each value.
    pointers : ndarray of int of shape (n + 1,)
        Where each row's values begin, and the end of the last.
    """

    values: Array
    indices: Any
    pointers: Any


def csr_parts(X: Matrix) -> CSRParts:
    """Return the arrays of dense or CSR rows in compressed form, without a copy where `X` is CSR."""
    rows = csr_array(X)
    # Numba wraps negative indices around; unsigned ones spare the loops that branch.
    indices = rows.indices.view(np.uint64 if rows.indices.itemsize == 8 else np.uint32)
    return CSRParts(rows.data, indices, rows.indptr)


def canonical_form(X: Matrix) -> Matrix:
    """Return the rows in the one form that their values call for, whatever form they came in.

    Dense and sparse arithmetic round differently, and a threshold can turn on
    that. A table is dense if it has at most `SMALL` entries or an eighth of
    them are not zero, which takes at most 5.4 times the memory of its CSR form;
    any other is CSR, its columns sorted and no zero stored.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        Of float64.

    Returns
    -------
    ndarray or CSR of shape (n, d)
        Not a copy where `X` has this form already.

    Examples
    --------
    >>> canonical_form(csr_array([[0.0, 2.0]]))
    array([[0., 2.]])
    """
    n, d = X.shape
    if n * d <= SMALL or count_entries(X) >= _DENSE_SHARE * n * d:
        table = X.toarray() if issparse(X) else np.ascontiguousarray(X)
        # -0.0 equals 0.0, and is stored by one form alone; adding zero makes the one the other.
        return table + 0.0 if np.signbit(table[table == 0]).any() else table
    rows = csr_array(X)
    if not (rows.has_canonical_format and np.all(rows.data)):
        rows = rows.copy() if issparse(X) else rows
        rows.sum_duplicates()
        rows.eliminate_zeros()
    return rows


def value_order(X: Matrix, y: Array | IntArray) -> IntArray:
    """Return an order of labelled rows that depends on their values only.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    y : ndarray of shape (n,)
        Numbers: codes of classes, or targets.

    Examples
    --------
    >>> X, y = np.array([[2.0], [1.0]]), np.array([1, 0])
    >>> value_order(X, y) + value_order(X[::-1], y[::-1])
    array([1, 1])
    """
    if issparse(X):
        ends = zip(X.indptr[:-1], X.indptr[1:], strict=True)
        keys = [
            (X.indices[a:b].tobytes(), X.data[a:b].tobytes(), label)
            for (a, b), label in zip(ends, y.tolist(), strict=True)
        ]
        return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)
    # Any total order will do. One of bytes is decided at the first byte that differs, without reading the whole row.
    table = np.empty((len(y), X.shape[1] + 1))
    # Adding zero makes -0.0, which equals 0.0 but has other bytes, the same row.
    table[:, :-1], table[:, -1] = X + 0.0, y
    return np.argsort(table.view(f"V{table.itemsize * table.shape[1]}").ravel(), kind="stable")


def squared_distances(X: Matrix, centre: Array) -> Array:
    """Compute the squared Euclidean distance of each row to one centre.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    centre : ndarray of shape (d,)

    Returns
    -------
    ndarray of shape (n,)
    """
    if not issparse(X):
        difference = X - centre
        direct: Array = np.einsum("ij,ij->i", difference, difference)
        return direct
    # Expanded, since a difference with a dense centre would fill the matrix; rounding may make it negative.
    expanded: Array = row_norms(X, squared=True) - 2 * (X @ centre) + centre @ centre
    return np.maximum(expanded, 0.0)


def mean(X: Matrix, rows: Mask) -> Array:
    """Compute the mean of the chosen rows, shape (d,)."""
    weights = rows / np.count_nonzero(rows)
    return np.asarray(X.T @ weights)


def column_extremes(X: Matrix) -> tuple[Array, Array]:
    """Return the smallest and largest value of each column."""
    if issparse(X):
        return X.min(axis=0).toarray().ravel(), X.max(axis=0).toarray().ravel()
    return X.min(axis=0), X.max(axis=0)


def stack(blocks: Sequence[Matrix]) -> Matrix:
    """Stack the rows of several matrices, sparse if any block is."""
    if any(issparse(block) for block in blocks):
        return csr_array(sparse_vstack(blocks, format="csr"))
    return np.vstack(blocks)


def count_entries(X: Matrix) -> int:
    """Count the nonzero values."""
    return int(X.count_nonzero() if issparse(X) else np.count_nonzero(X))


def count_distinct(X: Matrix) -> int:
    """Count the distinct rows."""
    if not X.shape[0]:
        return 0
    if not issparse(X):
        return len(np.unique(X, axis=0))
    ordered = csr_array(X, copy=True)
    ordered.sum_duplicates()
    ordered.eliminate_zeros()
    ends = zip(ordered.indptr[:-1], ordered.indptr[1:], strict=True)
    return len({(ordered.indices[a:b].tobytes(), ordered.data[a:b].tobytes()) for a, b in ends})


def class_masks(y: Labels) -> dict[object, Mask]:
    """Return a mask of the rows of each label, by label in sorted order."""
    return {label: y == label for label in np.unique(y).tolist()}


def fitting_domain(X: Matrix) -> str:
    """Return the tightest domain that holds all values.

    Returns
    -------
    str
        ``"integer"`` for counts, ``"box"`` for values within [0, 1],
        otherwise ``"real"``.
    """
    values = X.data if issparse(X) else X
    if values.size == 0 or values.min() < 0:
        return "real"
    if np.all(values == np.floor(values)) and values.max() > 1:
        return "integer"
    return "box" if values.max() <= 1 else "real"
