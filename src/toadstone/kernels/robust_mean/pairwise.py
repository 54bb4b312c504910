"""Sums over all coordinates for pairs of rows: squared differences, and inner products about a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from toadstone.core.arrays import Array, IntArray
from toadstone.kernels.robust_mean.parallel import in_order, parts
from toadstone.kernels.robust_mean.rows import centre, contiguous

_TOGETHER = 8
"""Tiles in a part: few partial sums to keep, and enough parts for several threads."""
_WIDE, _NARROW, _MANY = 512, 256, 256
"""Coordinates whose differences are taken at once, of up to so many rows and of more: they stay in a near cache."""
_SAMPLES, _SAMPLED = 8, 128


def squared_differences(base: NDArray[Any], rows: IntArray) -> Array:
    """Return the squared distances between all of some rows, each summed from differences.

    Parameters
    ----------
    base : ndarray of shape (m, d)
    rows : ndarray of int of shape (k,)
        Rows of the table; -1 is the origin.

    Returns
    -------
    ndarray of shape (k, k)
        Symmetric, with a zero diagonal. The relative error is below 1e-11, whatever the rows hold.

    Notes
    -----
    Sixteen pairs of rows are subtracted at once, so that a coordinate is read once for four of them. That is faster
    than inner products from BLAS, from which distances would have to be rescued where they cancel.
    """
    above = np.triu(_sums(base, rows, -1, _add_differences), 1)
    return above + above.T


def products_about(base: NDArray[Any], rows: IntArray, reference: int) -> Array:
    """Return the inner products of all of some rows about a row of the table; -1 is the origin.

    Parameters
    ----------
    base : ndarray of shape (m, d)
    rows : ndarray of int of shape (k,)
    reference : int

    Returns
    -------
    ndarray of shape (k, k)
    """
    total = _sums(base, rows, reference, _add_products)
    return np.triu(total) + np.triu(total, 1).T


def central_row(base: NDArray[Any], rows: IntArray) -> int:
    """Return the position among some rows of the one nearest to the median of some coordinates, never the origin."""
    members, width = np.flatnonzero(rows >= 0), base.shape[1]
    starts = np.linspace(0, max(width - _SAMPLED, 0), _SAMPLES).astype(np.int64)
    columns = np.unique(starts[:, None] + np.arange(_SAMPLED))
    sample = base[np.ix_(rows[members], columns[columns < width])].astype(np.float64)
    with np.errstate(over="ignore"):
        far = np.square(sample - np.median(sample, axis=0)).sum(axis=1)
    return int(members[np.argmin(far)])


def differences_of_pairs(block_of: Callable[[slice], Array], pairs: IntArray, length: int) -> Array:
    """Return the squared distances of some pairs of rows.

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
        for tile in _tiles(columns, _WIDE):
            _add_pairs(block_of(tile), pairs, found)
        return found

    total = np.zeros(len(pairs))
    for found in in_order(part, parts(length, _TOGETHER * _WIDE)):
        total += found
    return total


def _sums(base: NDArray[Any], rows: IntArray, reference: int, add: Callable[..., None]) -> Array:
    """Add up what a compiled loop finds in all tiles, for the pairs on and above the diagonal."""
    count, tile = len(rows), _WIDE if len(rows) <= _MANY else _NARROW

    def part(columns: slice) -> Array:
        found = np.zeros((count + -count % 4, count + -count % 4))
        source, start = contiguous(base, columns)
        for first in range(0, columns.stop - columns.start, tile):
            block = np.zeros((len(found), min(tile, columns.stop - columns.start - first)))
            centre(source, rows, reference, start + first, block)
            add(block, found)
        return found

    total = np.zeros((count, count))
    for found in in_order(part, parts(base.shape[1], _TOGETHER * tile)):
        total += found[:count, :count]
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


@njit(cache=True, nogil=True)
def _add_differences(block, found):  # type: ignore[no-untyped-def]
    """Add the squared differences of the rows of a tile, on and above the diagonal."""
    for i in range(0, len(found), 4):
        for j in range(i, len(found), 4):
            _add_sixteen_differences(block, i, j, found)


@njit(cache=True, nogil=True)
def _add_products(block, found):  # type: ignore[no-untyped-def]
    """Add the inner products of the rows of a tile, on and above the diagonal."""
    for i in range(0, len(found), 4):
        for j in range(i, len(found), 4):
            _add_sixteen_products(block, i, j, found)


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _add_sixteen_differences(block, i, j, found):  # type: ignore[no-untyped-def]
    """Add the squared differences of four rows and four: sixteen sums that stay in registers."""
    a0, a1, a2, a3 = block[i], block[i + 1], block[i + 2], block[i + 3]
    b0, b1, b2, b3 = block[j], block[j + 1], block[j + 2], block[j + 3]
    s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = 0.0
    s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = 0.0
    for k in range(block.shape[1]):
        w, x, y, z = b0[k], b1[k], b2[k], b3[k]
        a, b, c, d = a0[k], a1[k], a2[k], a3[k]
        s00, s01 = s00 + (a - w) * (a - w), s01 + (a - x) * (a - x)
        s02, s03 = s02 + (a - y) * (a - y), s03 + (a - z) * (a - z)
        s10, s11 = s10 + (b - w) * (b - w), s11 + (b - x) * (b - x)
        s12, s13 = s12 + (b - y) * (b - y), s13 + (b - z) * (b - z)
        s20, s21 = s20 + (c - w) * (c - w), s21 + (c - x) * (c - x)
        s22, s23 = s22 + (c - y) * (c - y), s23 + (c - z) * (c - z)
        s30, s31 = s30 + (d - w) * (d - w), s31 + (d - x) * (d - x)
        s32, s33 = s32 + (d - y) * (d - y), s33 + (d - z) * (d - z)
    sums = ((s00, s01, s02, s03), (s10, s11, s12, s13), (s20, s21, s22, s23), (s30, s31, s32, s33))
    for p in range(4):
        for q in range(4):
            found[i + p, j + q] += sums[p][q]


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _add_sixteen_products(block, i, j, found):  # type: ignore[no-untyped-def]
    """Add the inner products of four rows and four: sixteen sums that stay in registers."""
    a0, a1, a2, a3 = block[i], block[i + 1], block[i + 2], block[i + 3]
    b0, b1, b2, b3 = block[j], block[j + 1], block[j + 2], block[j + 3]
    s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = 0.0
    s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = 0.0
    for k in range(block.shape[1]):
        w, x, y, z = b0[k], b1[k], b2[k], b3[k]
        a, b, c, d = a0[k], a1[k], a2[k], a3[k]
        s00, s01 = s00 + a * w, s01 + a * x
        s02, s03 = s02 + a * y, s03 + a * z
        s10, s11 = s10 + b * w, s11 + b * x
        s12, s13 = s12 + b * y, s13 + b * z
        s20, s21 = s20 + c * w, s21 + c * x
        s22, s23 = s22 + c * y, s23 + c * z
        s30, s31 = s30 + d * w, s31 + d * x
        s32, s33 = s32 + d * y, s33 + d * z
    sums = ((s00, s01, s02, s03), (s10, s11, s12, s13), (s20, s21, s22, s23), (s30, s31, s32, s33))
    for p in range(4):
        for q in range(4):
            found[i + p, j + q] += sums[p][q]
