"""Near-copies: rows of one label that lie closer together than their label's rows do."""

from __future__ import annotations

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.sparse import issparse

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.kernels.verdict.mining import Sizes

_CLOSE = 0.5
"""Distance within which rows of a clump have enough others, in that of the label's rows; medians of both."""

_WIDER, _HALO = 2.0, 1.2
"""A clump stands apart if at so many times its radius it has no more than so many times its rows."""

PURE = 0.85
"""Least share of the label of copies among all rows where they lie."""

_ALONE, _HABIT = 8.0, 2.0
"""Distance from the label's other rows, in radii, from which a clump stands out; or how much more than any other's."""

_ROUNDING = 1 + 1e-9
"""Equal distances are within each other whatever rounding did to them."""

_ROWS_AT_ONCE = 512


def near_copies(X: Matrix, codes: IntArray, sizes: Sizes) -> list[tuple[int, IntArray]]:
    """Find groups of rows of one label that are nearly equal.

    For each radius, the rows of a label that steps of that length connect form
    clumps (single linkage [1]_). Copies are a clump, at any radius, that grows
    by a fifth at most while the radius is doubled; the group is the grown one,
    since a copy that is left out would vouch for the others. The distance within
    which a row has as many of its label as make a group is, in the median over
    the clump, below half of its median over the label; and 85 % of all rows
    within the radius of the group have its label. Where clumps are the habit
    of a table, such as of one with several measurements of each person, a
    clump must stand out among them: by a distance from the other rows of its
    label of eight times its radius, or of twice that share of any other clump.

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
        Label and rows, ascending; the farthest from others, for their radius,
        first. No row is in two of them.

    References
    ----------
    .. [1] Gower and Ross, "Minimum spanning trees and single linkage cluster
       analysis", Applied Statistics, 1969.

    Examples
    --------
    >>> X = np.append(np.arange(40.0), np.full(8, 60.3))[:, None]
    >>> [(label, rows.tolist()) for label, rows in near_copies(X, np.zeros(48, dtype=int), Sizes(6, 12))]
    [(0, [40, 41, 42, 43, 44, 45, 46, 47])]
    """
    squares = np.asarray(X.multiply(X).sum(axis=1) if issparse(X) else np.einsum("ij,ij->i", X, X)).ravel()
    found: list[tuple[float, int, IntArray]] = []
    for label in range(int(codes.max()) + 1):
        rows = np.flatnonzero(codes == label)
        if len(rows) > sizes.least:
            for places, radius, away in _clumps(X[rows], squares[rows], sizes):
                if _purity(X, squares, codes, rows[places], radius) >= PURE:
                    found.append((radius / away, label, rows[places]))
    found.sort(key=lambda one: (one[0], one[1], int(one[2][0])))
    # Only the first can stand twice as far apart as all others.
    first = len(found) == 1 or (len(found) > 1 and _HABIT * found[0][0] <= found[1][0])
    return [(label, rows) for n, (share, label, rows) in enumerate(found) if _ALONE * share <= 1 or (first and n == 0)]


def _clumps(own: Matrix, norms: Array, sizes: Sizes) -> list[tuple[IntArray, float, float]]:
    """Return places, radius and distance from the nearest other row of each clump that stands apart."""
    n = len(norms)
    distances, reach = _pairwise(own, norms, sizes.least)
    tree = linkage(distances, "single")
    joined = tree[:, :2].astype(np.int64)
    height, size = np.append(np.zeros(n), tree[:, 2]), np.append(np.ones(n, dtype=np.int64), tree[:, 3].astype(int))
    above, start = np.full(2 * n - 1, -1), np.zeros(2 * n - 1, dtype=np.int64)
    above[joined] = np.arange(n, 2 * n - 1)[:, None]
    # Leaves in the order of the tree: those of a node are next to each other.
    for node in range(2 * n - 2, n - 1, -1):
        start[joined[node - n]] = start[node], start[node] + size[joined[node - n, 0]]
    order = np.argsort(start[:n])
    radii: dict[int, float] = {}
    for node in range(n, 2 * n - 2):
        grown = node
        while above[grown] >= 0 and height[above[grown]] <= _WIDER * _ROUNDING * height[node]:
            grown = int(above[grown])
        if above[grown] >= 0 and sizes.least <= size[grown] <= min(sizes.most, _HALO * size[node]):
            radii.setdefault(grown, float(height[node]))
    found, taken = [], np.zeros(n, dtype=bool)
    for node in sorted(radii, reverse=True):
        places = order[start[node] : start[node] + size[node]]
        if not taken[places[0]] and np.median(reach[places]) < _CLOSE * np.median(reach):
            taken[places] = True
            found.append((np.sort(places), radii[node], float(height[above[node]])))
    return found


def _pairwise(own: Matrix, norms: Array, least: int) -> tuple[Array, Array]:
    """Return the distances of all pairs, row by row, and of each row that within which `least` rows lie."""
    n = len(norms)
    pairs, reach = np.empty(n * (n - 1) // 2), np.empty(n)
    place = 0
    for start in range(0, n, _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        distances = np.sqrt(_distances(own[part], own, norms[part], norms))
        # The row itself is the nearest, and counts.
        reach[part] = np.partition(distances, least - 1, axis=1)[:, least - 1]
        for row, line in enumerate(distances, start):
            pairs[place : place + n - row - 1] = line[row + 1 :]
            place += n - row - 1
    return pairs, reach


def _purity(X: Matrix, squares: Array, codes: IntArray, group: IntArray, radius: float) -> float:
    """Return the share of the label among all rows within the radius of a group's rows."""
    near = _within(X, X[group], squares, squares[group], (radius * _ROUNDING) ** 2).any(axis=1)
    return float((codes[near] == codes[group[0]]).mean())


def _within(one: Matrix, other: Matrix, squares: Array, other_squares: Array, radius: float) -> Matrix:
    blocks = [
        _distances(one[start : start + _ROWS_AT_ONCE], other, squares[start : start + _ROWS_AT_ONCE], other_squares)
        <= radius
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
