"""Near-copies: rows of one label that lie closer together than their label's rows do."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, issparse
from scipy.sparse.csgraph import connected_components

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.kernels.verdict.mining import Sizes

_CLOSE = (0.25, 0.5)
PURE = 0.85
"""Least share of the label of copies among all rows where they lie."""

_ROWS_AT_ONCE = 512


def near_copies(X: Matrix, codes: IntArray, sizes: Sizes) -> list[tuple[int, IntArray]]:
    """Find groups of rows of one label that are nearly equal.

    A row is in a core if as many rows of its label as a group needs are
    nearer than a quarter of the median of that distance in the label. Core
    rows within that radius of each other are connected. A component is kept if
    85 % of all rows within the radius of its rows have its label. The same is
    done with half of the median, for groups that have no row in one found
    before: where a label's rows lie in clumps, its median is small itself.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        Columns of one scale.
    codes : ndarray of int of shape (n,)
        Label of each row, counted from zero.
    sizes : Sizes

    Returns
    -------
    list of (int, ndarray of int)
        Label and rows, ascending.

    Examples
    --------
    >>> X = np.append(np.arange(40.0), np.full(8, 60.3))[:, None]
    >>> [(label, rows.tolist()) for label, rows in near_copies(X, np.zeros(48, dtype=int), Sizes(6, 12))]
    [(0, [40, 41, 42, 43, 44, 45, 46, 47])]
    """
    squares = np.asarray(X.multiply(X).sum(axis=1) if issparse(X) else np.einsum("ij,ij->i", X, X)).ravel()
    found = []
    for label in range(int(codes.max()) + 1):
        rows = np.flatnonzero(codes == label)
        if len(rows) > sizes.least:
            found += [(label, group) for group in _of_label(X, squares, codes, rows, sizes)]
    return found


def _of_label(X: Matrix, squares: Array, codes: IntArray, rows: IntArray, sizes: Sizes) -> list[IntArray]:
    own, norms = X[rows], squares[rows]
    reach = np.empty(len(rows))
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        distances = _distances(own[part], own, norms[part], norms)
        # The row itself is the nearest, so that place `least` holds the least-th other row.
        reach[part] = np.partition(distances, sizes.least, axis=1)[:, sizes.least]
    found: list[IntArray] = []
    for share in _CLOSE:
        radius = share * share * float(np.median(reach))
        core = np.flatnonzero((reach < radius) & ~np.isin(rows, np.concatenate([*found, rows[:0]])))
        if len(core) < sizes.least:
            continue
        near = _within(own[core], own[core], norms[core], norms[core], radius)
        n_groups, member = connected_components(csr_array(near), directed=False)
        groups = [rows[core[member == number]] for number in range(n_groups)]
        found += [
            group
            for group in groups
            if sizes.least <= len(group) <= sizes.most and _purity(X, squares, codes, group, radius) >= PURE
        ]
    return found


def _purity(X: Matrix, squares: Array, codes: IntArray, group: IntArray, radius: float) -> float:
    """Return the share of the label among all rows within the radius of a group's rows."""
    near = _within(X, X[group], squares, squares[group], radius).any(axis=1)
    return float((codes[near] == codes[group[0]]).mean())


def _within(one: Matrix, other: Matrix, squares: Array, other_squares: Array, radius: float) -> Matrix:
    blocks = [
        _distances(one[start : start + _ROWS_AT_ONCE], other, squares[start : start + _ROWS_AT_ONCE], other_squares)
        < radius
        for start in range(0, one.shape[0], _ROWS_AT_ONCE)
    ]
    return np.concatenate(blocks)


def _distances(one: Matrix, other: Matrix, squares: Array, other_squares: Array) -> Array:
    """Return squared distances; those that rounding made negative or tiny count as none."""
    product = one @ other.T
    dense = product.toarray() if issparse(product) else np.asarray(product)
    scale = squares[:, None] + other_squares
    distances = scale - 2 * dense
    return np.asarray(np.where(distances <= 1e-12 * scale, 0.0, distances))
