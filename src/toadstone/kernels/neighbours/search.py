"""Nearest training rows of queries, in an order that depends on values alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.sparse import issparse
from sklearn.utils.extmath import row_norms

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.checks import check_count, check_positive
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.kernels.rows import CSRParts, canonical_form, csr_parts, value_order

_BLOCK_BYTES = 2**27
_EPSILON = float(np.finfo(float).eps)


class RowIndex(NamedTuple):
    """Training rows in an order of values, with what a search needs of them."""

    rows: Matrix
    codes: IntArray
    squares: Array

    def block(self, queries: Matrix) -> int:
        """Return how many queries fit into memory at once."""
        return int(max(1, _BLOCK_BYTES // (8 * max(len(self.codes), queries.shape[1]))))

    def products(self, queries: Matrix) -> tuple[Array, Array, Array]:
        """Return dense queries, squared distances to all rows, and what these are certainly wrong by at most."""
        dense = queries.toarray() if issparse(queries) else np.ascontiguousarray(queries)
        squares = row_norms(dense, squared=True)
        # Sparse rows times dense columns; a product of two sparse matrices would be slower where rows share features.
        products = self.rows @ dense.T
        rough = squares[:, None] + self.squares - 2 * products.T
        wrong = 4 * (dense.shape[1] + 4) * _EPSILON * (squares + self.squares.max())
        return dense, rough, wrong


def nearest_labels(X: Matrix, codes: IntArray, queries: Matrix, *, width: int) -> IntArray:
    """Return the classes of the nearest training rows of each query, the nearest first.

    Rows at equal distance are ordered by their values and then by their
    class, so that the order of the training rows does not matter. Distances
    are Euclidean, and computed from differences where they decide.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        Training rows.
    codes : ndarray of int, shape (n,)
        Their class positions.
    queries : ndarray or CSR of shape (q, d)
    width : int
        How many, at most n.

    Returns
    -------
    ndarray of int, shape (q, width)

    Raises
    ------
    InvalidArgument
        If there are fewer training rows.
    InvalidData
        If queries have other columns.

    Examples
    --------
    >>> nearest_labels(np.array([[0.0], [3.0], [1.0], [2.0]]), np.array([0, 1, 0, 1]), np.array([[2.2]]), width=3)
    array([[1, 1, 0]])
    """
    check_count(width=width)
    if width > len(codes):
        raise InvalidArgument("width", f"at most the {len(codes)} training rows", width)
    return nearest_codes(index_rows(X, codes, queries.shape[1]), queries, width)


def nearest_codes(index: RowIndex, queries: Matrix, width: int) -> IntArray:
    """Return the codes of the nearest rows of an index, as `nearest_labels` does."""
    found = np.empty((queries.shape[0], width), dtype=np.int64)
    step = index.block(queries)
    for start in range(0, queries.shape[0], step):
        dense, rough, wrong = index.products(queries[start : start + step])
        reach = np.partition(rough, width - 1, axis=1)[:, width - 1] + 2 * wrong
        for place in range(len(dense)):
            near = np.flatnonzero(rough[place] <= reach[place])
            # Places among the rows ascend in the order of values, and a stable sort leaves ties in it.
            order = np.argsort(_exactly(index.rows, near, dense[place]), kind="stable")[:width]
            found[start + place] = index.codes[near[order]]
    return found


def votes_within(X: Matrix, codes: IntArray, queries: Matrix, *, radius: float, n_classes: int) -> IntArray:
    """Count the training rows of each class within a radius of each query, those at the radius included.

    Parameters
    ----------
    X, codes, queries
        As for `nearest_labels`.
    radius : float
    n_classes : int

    Returns
    -------
    ndarray of int, shape (q, n_classes)

    Raises
    ------
    InvalidArgument
        If the radius is not positive.
    InvalidData
        If queries have other columns.

    Examples
    --------
    >>> X, codes = np.array([[0.0], [1.0], [2.0], [5.0]]), np.array([0, 1, 1, 0])
    >>> votes_within(X, codes, np.array([[1.0], [9.0]]), radius=1.0, n_classes=2)
    array([[1, 2],
           [0, 0]])
    """
    check_positive(radius=radius)
    index = index_rows(X, codes, queries.shape[1])
    votes = np.zeros((queries.shape[0], n_classes), dtype=np.int64)
    step = index.block(queries)
    for start in range(0, queries.shape[0], step):
        dense, rough, wrong = index.products(queries[start : start + step])
        for place in range(len(dense)):
            near = np.flatnonzero(rough[place] <= radius**2 + wrong[place])
            inside = near[_exactly(index.rows, near, dense[place]) <= radius**2]
            votes[start + place] = np.bincount(index.codes[inside], minlength=n_classes)
    return votes


def index_rows(X: Matrix, codes: IntArray, columns: int) -> RowIndex:
    """Order training rows by their values, then by their codes, for queries of so many columns.

    Raises
    ------
    InvalidData
        If the rows have other columns.
    """
    if columns != X.shape[1]:
        raise InvalidData(f"queries: expected {X.shape[1]} columns, got {columns}")
    rows = canonical_form(X)
    order = value_order(rows, codes)
    rows = rows[order]
    return RowIndex(rows, codes[order], row_norms(rows, squared=True))


def _exactly(rows: Matrix, near: IntArray, query: Array) -> Array:
    """Compute squared distances of some rows to a query, equal for equal rows wherever they stand."""
    if issparse(rows):
        return _sparse_distances(csr_parts(rows), near, query, float(query @ query))
    return _dense_distances(rows, near, query)


@njit(cache=True, nogil=True)
def _dense_distances(rows: Array, near: IntArray, query: Array) -> Array:
    out, d = np.empty(len(near)), len(query)
    for place in range(len(near)):
        row, a, b, c, e = rows[near[place]], 0.0, 0.0, 0.0, 0.0
        # Four sums at once, always the same four: fast, and equal for equal rows.
        for j in range(0, d - 3, 4):
            a += (row[j] - query[j]) ** 2
            b += (row[j + 1] - query[j + 1]) ** 2
            c += (row[j + 2] - query[j + 2]) ** 2
            e += (row[j + 3] - query[j + 3]) ** 2
        for j in range(d - d % 4, d):
            a += (row[j] - query[j]) ** 2
        out[place] = (a + b) + (c + e)
    return out


@njit(cache=True, nogil=True)
def _sparse_distances(rows: CSRParts, near: IntArray, query: Array, square: float) -> Array:
    out = np.empty(len(near))
    for place in range(len(near)):
        total = 0.0
        for entry in range(rows.pointers[near[place]], rows.pointers[near[place] + 1]):
            column, value = rows.indices[entry], rows.values[entry]
            total += value * (value - 2 * query[column])
        out[place] = max(total + square, 0.0)
    return out
