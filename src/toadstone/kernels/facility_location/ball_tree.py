"""A ball tree over rows, which bounds the distances that a new centre can shorten.

Distances are rounded to multiples of a power of two and kept as whole numbers
in float64. Sums of them are exact, so that neither the order of summation nor
what was left out because it adds nothing can change a choice.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from toadstone.core.arrays import Array, IntArray

FULL = 2.0**30
"""Units in a length that no distance exceeds."""
NONE = 2.0 * FULL
"""Stands for the distance to a centre that does not exist."""
# Larger groups leave more distances to compute, smaller ones more bounds.
_LEAF = 128
# Units added to radii, for the rounding of distances to whole units and of the centres themselves.
_MARGIN = 4.0


class Leaves(NamedTuple):
    """Rows divided into groups of nearby rows, each within a ball.

    Attributes
    ----------
    points : ndarray of shape (n, d)
        The rows, those of a group beside each other.
    columns : ndarray of shape (d, n)
        The same, transposed.
    order : ndarray of shape (n,)
        Where each of them was before.
    starts : ndarray of shape (l + 1,)
        First row of each group, and n.
    centres : ndarray of shape (d, l)
    radii : ndarray of shape (l,)
        In units; with a margin for rounding.
    scale : float
        Units in a distance of one.
    """

    points: Array
    columns: Array
    order: IntArray
    starts: IntArray
    centres: Array
    radii: Array
    scale: float


class Cover(NamedTuple):
    """Distances of the rows to the nearest of the centres chosen so far, in units.

    Attributes
    ----------
    nearest, second : ndarray of shape (n,)
        Distances to the two nearest centres.
    owners : ndarray of shape (n,)
        The nearest centre, counted in the order of choice; -1 before the first.
    reach : ndarray of shape (l,)
        Largest `nearest` of each group.
    second_reach : ndarray of shape (l,)
        Largest `second` of each group.
    """

    nearest: Array
    second: Array
    owners: IntArray
    reach: Array
    second_reach: Array


def group(rows: Array) -> Leaves:
    """Halve rows along their widest side until groups are small.

    Parameters
    ----------
    rows : ndarray of shape (n, d)

    Returns
    -------
    Leaves
        With a unit that is a power of two and does not depend on the order of
        the rows.
    """
    order, starts = _halved(rows)
    points = np.ascontiguousarray(rows[order])
    sizes = np.diff(starts)
    centres = np.add.reduceat(points, starts[:-1]) / sizes[:, None]
    spread = np.sqrt(((points - np.repeat(centres, sizes, axis=0)) ** 2).sum(axis=1))
    scale = FULL / longest(rows)
    radii = np.maximum.reduceat(spread, starts[:-1]) * scale + _MARGIN
    columns = np.ascontiguousarray(points.T)
    return Leaves(points, columns, order, starts, np.ascontiguousarray(centres.T), radii, scale)


def longest(rows: Array) -> float:
    """Return the least power of two not below the diagonal of the rows' bounding box; 1 if all rows coincide.

    Examples
    --------
    >>> longest(np.array([[0.0, 0.0], [3.0, 4.0]]))
    8.0
    """
    diagonal = 0.0
    for side in rows.max(axis=0) - rows.min(axis=0):
        diagonal += float(side) ** 2
    return float(2.0 ** np.ceil(np.log2(np.sqrt(diagonal)))) if diagonal > 0 else 1.0


def _halved(rows: Array) -> tuple[IntArray, IntArray]:
    order = np.arange(len(rows))
    starts, waiting = [len(rows)], [(0, len(rows))]
    while waiting:
        begin, end = waiting.pop()
        if end - begin <= _LEAF:
            starts.append(begin)
            continue
        part = order[begin:end]
        # The median along the widest side keeps groups of equal size and small radius, as in a k-d tree.
        widest = np.argmax(rows[part].max(axis=0) - rows[part].min(axis=0))
        half = (end - begin) // 2
        order[begin:end] = part[np.argpartition(rows[part, widest], half)]
        waiting += [(begin, begin + half), (begin + half, end)]
    return order, np.sort(np.array(starts))


def empty_cover(leaves: Leaves) -> Cover:
    """Return the state before the first choice, every row at the largest distance."""
    n, groups = len(leaves.order), len(leaves.radii)
    nearest, second = np.full(n, FULL), np.full(n, NONE)
    return Cover(nearest, second, np.full(n, -1), np.full(groups, FULL), np.full(groups, NONE))


@njit(cache=True, nogil=True, error_model="numpy")
def measure(columns: Array, point: Array, begin: int, end: int, scale: float, found: Array) -> None:
    """Compute the distances from a point to some columns, in whole units.

    Squares are added in the order of the coordinates, so that the result
    has the same bits as a plain loop; four at a time save passes over memory.
    """
    width, d = end - begin, len(point)
    for i in range(width):
        found[i] = 0.0
    t = 0
    while t + 4 <= d:
        one, two, three, four = columns[t], columns[t + 1], columns[t + 2], columns[t + 3]
        a, b, c, e = point[t], point[t + 1], point[t + 2], point[t + 3]
        one, two, three, four = one[begin:end], two[begin:end], three[begin:end], four[begin:end]
        for i in range(width):
            p, q, r, s = one[i] - a, two[i] - b, three[i] - c, four[i] - e
            found[i] = (((found[i] + p * p) + q * q) + r * r) + s * s
        t += 4
    while t < d:
        one, a = columns[t, begin:end], point[t]
        for i in range(width):
            p = one[i] - a
            found[i] += p * p
        t += 1
    for i in range(width):
        found[i] = np.int64(np.sqrt(found[i]) * scale + 0.5)


@njit(cache=True, nogil=True)
def gain(leaves: Leaves, cover: Cover, row: int, apart: Array, found: Array) -> float:
    """Compute the reduction of the sum of all distances by a new centre at a row, in units.

    `apart` and `found` are scratch, of a number for each group and each row
    of a group.
    """
    point, starts = leaves.points[row], leaves.starts
    measure(leaves.centres, point, 0, len(leaves.radii), leaves.scale, apart)
    total = 0.0
    for leaf in range(len(leaves.radii)):
        # Triangle inequality: no row of the ball lies nearer than this, so none would come nearer.
        if apart[leaf] - leaves.radii[leaf] >= cover.reach[leaf]:
            continue
        begin, end = starts[leaf], starts[leaf + 1]
        measure(leaves.columns, point, begin, end, leaves.scale, found)
        nearest = cover.nearest[begin:end]
        # Whole numbers: the sum is exact and so the same in any order of rows.
        units = np.int64(0)
        for i in range(end - begin):
            units += np.int64(max(nearest[i] - found[i], 0.0))
        total += units
    return total


@njit(cache=True, nogil=True)
def add_centre(
    leaves: Leaves, cover: Cover, row: int, rank: int, apart: Array, found: Array, moved: IntArray, before: Array
) -> tuple[float, int]:
    """Add a row to the centres and update the cover.

    Parameters
    ----------
    moved, before : ndarray of shape (n,)
        Receive the rows that came nearer, and how far they were.

    Returns
    -------
    float
        What the sum of distances lost, in units.
    int
        How many rows moved.
    """
    point, starts = leaves.points[row], leaves.starts
    measure(leaves.centres, point, 0, len(leaves.radii), leaves.scale, apart)
    total, count = 0.0, 0
    for leaf in range(len(leaves.radii)):
        if apart[leaf] - leaves.radii[leaf] >= cover.second_reach[leaf]:
            continue
        begin, end = starts[leaf], starts[leaf + 1]
        measure(leaves.columns, point, begin, end, leaves.scale, found)
        reach, second_reach = 0.0, 0.0
        for i in range(begin, end):
            near = found[i - begin]
            if near < cover.nearest[i]:
                moved[count], before[count] = i, cover.nearest[i]
                count += 1
                total += cover.nearest[i] - near
                # Before the first choice there is no centre to become the second.
                cover.second[i] = cover.nearest[i] if cover.owners[i] >= 0 else NONE
                cover.nearest[i], cover.owners[i] = near, rank
            elif near < cover.second[i]:
                cover.second[i] = near
            reach, second_reach = max(reach, cover.nearest[i]), max(second_reach, cover.second[i])
        cover.reach[leaf], cover.second_reach[leaf] = reach, second_reach
    cover.owners[row] = rank
    return total, count


@njit(cache=True, nogil=True)
def lower_gains(leaves: Leaves, row: int, old: float, new: float, gains: Array, apart: Array, found: Array) -> None:
    """Lower the gains of all candidates near a row whose distance to its centre has fallen."""
    point, starts = leaves.points[row], leaves.starts
    measure(leaves.centres, point, 0, len(leaves.radii), leaves.scale, apart)
    for leaf in range(len(leaves.radii)):
        # Candidates farther from the row than its old centre had no gain from it to lose.
        if apart[leaf] - leaves.radii[leaf] >= old:
            continue
        begin, end = starts[leaf], starts[leaf + 1]
        measure(leaves.columns, point, begin, end, leaves.scale, found)
        part = gains[begin:end]
        for i in range(end - begin):
            part[i] -= max(old - max(found[i], new), 0.0)
