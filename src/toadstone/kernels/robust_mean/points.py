"""Points and their distances, from inner products, and from differences wherever the subtraction has cancelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray

from toadstone.core.arrays import Array, IntArray
from toadstone.kernels.robust_mean.parallel import in_order, parts
from toadstone.kernels.robust_mean.rows import centre, contiguous, width_of

_TOGETHER = 8
"""Tiles in a part: few partial sums to keep, and enough parts for several threads."""
_PAIRED = 512
"""Coordinates whose differences are taken at once: those of all rows stay in a near cache."""
_SAMPLES, _SAMPLED = 8, 128


class Points(Protocol):
    """Points whose inner products about one of them can be computed, and single differences."""

    def centre(self) -> int:
        """Return a point that lies among the others."""

    def products(self, middle: int) -> tuple[Array, Array]:
        """Return the inner products about a point, shape (k, k), and the scale of each point, shape (k,).

        The error of a squared distance is that of arithmetic times the scales of its two points.
        """

    def pairs(self, pairs: IntArray) -> Array:
        """Return the squared distances of pairs, shape (p, 2), from their differences."""


def all_pairs(count: int) -> IntArray:
    """Return every pair of `count` points, shape (p, 2)."""
    return np.stack(np.triu_indices(count, 1), axis=1)


def squared_distances_of(points: Points, *, least: float) -> Array:
    """Return the squared distances of all pairs.

    Parameters
    ----------
    points : Points
    least : float
        A squared distance below this share of its points' scales has lost too many digits.

    Returns
    -------
    ndarray of shape (k, k)

    Notes
    -----
    Only points that are near each other, seen from the centre, have to be measured again. That costs time, not
    digits, and at most that of all differences.
    """
    products, scale = points.products(points.centre())
    squares = np.diagonal(products)
    with np.errstate(invalid="ignore", over="ignore"):
        result = np.add.outer(squares, squares) - 2.0 * products
        # Written so that what is not a number, from squares that overflow, counts as lost.
        lost = ~(result >= least * np.maximum.outer(scale, scale))
    np.fill_diagonal(result, 0.0)
    np.fill_diagonal(lost, val=False)
    pairs = np.argwhere(np.triu(lost))
    return with_pairs(result, pairs, points.pairs(pairs)) if len(pairs) else result


def with_pairs(table: Array, pairs: IntArray, values: Array) -> Array:
    """Write the values of pairs into a symmetric table, and return it."""
    table[pairs[:, 0], pairs[:, 1]] = table[pairs[:, 1], pairs[:, 0]] = values
    return table


class Given:
    """Rows of a table.

    Parameters
    ----------
    base : ndarray of shape (m, d)
    rows : ndarray of int of shape (k,)
        The rows that are meant; -1 is the origin.
    """

    def __init__(self, base: NDArray[Any], rows: IntArray) -> None:
        self.base, self.rows = base, rows
        self.central: Array | None = None
        """The inner products about a row, once they were asked for."""

    def centre(self) -> int:
        """Return the row nearest to the median of some coordinates, leaving the origin out."""
        members, width = np.flatnonzero(self.rows >= 0), self.base.shape[1]
        starts = np.linspace(0, max(width - _SAMPLED, 0), _SAMPLES).astype(np.int64)
        columns = np.unique(starts[:, None] + np.arange(_SAMPLED))
        sample = self.base[np.ix_(self.rows[members], columns[columns < width])].astype(np.float64)
        with np.errstate(over="ignore"):
            far = np.square(sample - np.median(sample, axis=0)).sum(axis=1)
        return int(members[np.argmin(far)])

    def products(self, middle: int) -> tuple[Array, Array]:
        """Return the inner products about one of the rows, and the squared length of each."""
        products = self.central = self.about(int(self.rows[middle]))
        return products, np.ascontiguousarray(np.diagonal(products))

    def about(self, reference: int) -> Array:
        """Return the inner products about a row of the table; -1 is the origin."""
        count = len(self.rows)
        width = width_of(count)

        def part(columns: slice) -> Array:
            total = np.zeros((count, count))
            for tile in _tiles(columns, width):
                block = self._block(self.rows, reference, tile)
                total += block @ block.T
            return total

        total = np.zeros((count, count))
        for found in in_order(part, parts(self.base.shape[1], _TOGETHER * width)):
            total += found
        return total

    def pairs(self, pairs: IntArray) -> Array:
        """Return the squared distances of pairs."""
        members, among = np.unique(pairs, return_inverse=True)
        chosen = self.rows[members]
        return sum_differences(
            lambda columns: self._block(chosen, -1, columns), among.reshape(pairs.shape), self.base.shape[1]
        )

    def _block(self, rows: IntArray, reference: int, columns: slice) -> Array:
        source, start = contiguous(self.base, columns)
        block = np.empty((len(rows), columns.stop - columns.start))
        centre(source, rows, reference, start, block)
        return block


def sum_differences(block_of: Callable[[slice], Array], pairs: IntArray, length: int) -> Array:
    """Return the squared distances of pairs of rows.

    Parameters
    ----------
    block_of : callable
        Returns some coordinates of the rows, shape (k, width).
    pairs : ndarray of int of shape (p, 2)
    length : int
        Number of coordinates.

    Returns
    -------
    ndarray of shape (p,)
    """

    def part(columns: slice) -> Array:
        found = np.zeros(len(pairs))
        for tile in _tiles(columns, _PAIRED):
            _add_pairs(block_of(tile), pairs, found)
        return found

    total = np.zeros(len(pairs))
    for found in in_order(part, parts(length, _TOGETHER * _PAIRED)):
        total += found
    return total


def _tiles(columns: slice, width: int) -> list[slice]:
    return [slice(start, min(start + width, columns.stop)) for start in range(columns.start, columns.stop, width)]


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _add_pairs(block, pairs, found):  # type: ignore[no-untyped-def]
    for p in range(len(pairs)):
        left, right, total = block[pairs[p, 0]], block[pairs[p, 1]], 0.0
        for j in range(block.shape[1]):
            total += (left[j] - right[j]) * (left[j] - right[j])
        found[p] += total
