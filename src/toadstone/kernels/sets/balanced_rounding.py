"""Random rounding of one point to many rows that agree in a few directions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numba import njit
from numpy.random import Generator

from toadstone.core.arrays import Array, IntArray, Mask
from toadstone.core.errors import EmptyFeasibleSet
from toadstone.core.feasible import Region
from toadstone.kernels.sets.membership import violations
from toadstone.kernels.sets.regions import project
from toadstone.kernels.sets.rounding import round_systematically

_ROUNDS, _FEWEST, _TRIALS = 30, 8, 6


def round_balanced(point: Array, directions: Array, draws: int, rng: Generator) -> Array:
    """Round a point at random to rows whose products with some directions hardly differ.

    Starts from systematic rounding; then pairs of rows exchange the roundings
    of single coordinates for as long as that brings both closer to the
    products that the point would have. The mean over all rows is that of
    systematic rounding: each coordinate within ``1 / draws`` of the point's.

    Parameters
    ----------
    point : ndarray of shape (d,)
    directions : ndarray of shape (k, d)
        Few; what a coordinate adds to each product when it is rounded up.
    draws : int
        Rows wanted; at least eight are made, to have what to exchange.
    rng : Generator

    Returns
    -------
    ndarray of shape (draws, d)
        Whole numbers, each the floor or the ceiling of the point's.

    Examples
    --------
    >>> directions = np.array([[1.0, 2.0, 3.0, 4.0], [4.0, 1.0, 2.0, 3.0]])
    >>> round_balanced(np.full(4, 0.5), directions, 8, np.random.default_rng(0)).mean(axis=0)
    array([0.5, 0.5, 0.5, 0.5])
    """
    many = max(draws, _FEWEST)
    rows = round_systematically(point, directions[0], many, rng)
    part = point - np.floor(point)
    split = np.flatnonzero(part > 0)
    if not len(split):
        return rows[:draws]
    ups = rows[:, split] > np.floor(point[split])
    steps = np.ascontiguousarray(directions[:, split].T)
    gaps = (ups - part[split]) @ steps
    spread = np.maximum(gaps.std(axis=0), 1e-300)
    # An exchange keeps the sum of both rows in each coordinate, and so the mean of all rows.
    partners = np.stack([rng.permutation(many) for _ in range(_ROUNDS)])
    _exchange(ups, steps / spread, gaps / spread, partners)
    rows[:, split] = np.floor(point[split]) + ups
    return rows[:draws]


@njit(cache=True, nogil=True)
def _exchange(ups: Mask, steps: Array, gaps: Array, partners: IntArray) -> None:
    """Exchange the best coordinate between pairs of rows, round after round, in place."""
    for r in range(partners.shape[0]):
        for one in range(ups.shape[0]):
            other = partners[r, one]
            if one == other:
                continue
            best, least = -1, -1e-12
            for i in range(ups.shape[1]):
                if ups[one, i] == ups[other, i]:
                    continue
                way = -1.0 if ups[one, i] else 1.0
                change = 0.0
                for j in range(gaps.shape[1]):
                    step = way * steps[i, j]
                    change += 2.0 * step * (gaps[one, j] - gaps[other, j] + step)
                if change < least:
                    best, least = i, change
            if best >= 0:
                way = -1.0 if ups[one, best] else 1.0
                for j in range(gaps.shape[1]):
                    gaps[one, j] += way * steps[best, j]
                    gaps[other, j] -= way * steps[best, j]
                ups[one, best], ups[other, best] = ups[other, best], ups[one, best]


def round_inside(point: Array, region: Region, direction: Array, draws: int, rng: Generator) -> Array:
    """Round a feasible point to feasible rows, alike in a direction and in all constraints.

    Where some rows leave the region, the point is first moved to the nearest
    one that has the slack they lacked.

    Parameters
    ----------
    point : ndarray of shape (d,)
    region : Region
    direction : ndarray of shape (d,)
        Usually the model that the point is meant to mislead.
    draws : int
    rng : Generator

    Returns
    -------
    ndarray of shape (r, d)
        At most `draws` rows, all inside; fewer, or none, where no more were found.
    """
    tight, best = region, np.empty((0, len(point)))
    for _ in range(_TRIALS):
        # Rounding coordinate i up adds 2 floor + 1 - 2 mu_i to the squared distance from the centre.
        slopes = 2 * np.floor(point) + 1 - 2 * region.centre
        rows = round_balanced(point, np.vstack([direction, region.bands, slopes]), draws, rng)
        inside = np.all(violations(region, rows) <= 1e-8, axis=1)
        if inside.sum() > len(best):
            best = rows[inside]
        if inside.all():
            break
        try:
            tight = _tightened(tight, region, rows)
            point = project(tight, point)[0]
        except EmptyFeasibleSet:
            break
    return best


def _tightened(tight: Region, region: Region, rows: Array) -> Region:
    """Move a region's limits inwards by the amounts by which rows violate those of another."""
    products = rows @ region.bands.T
    over = np.maximum(products.max(axis=0, initial=-np.inf) - region.high, 0.0)
    under = np.maximum(region.low - products.min(axis=0, initial=np.inf), 0.0)
    far = max(float(np.sum((rows - region.centre) ** 2, axis=1).max()) - region.radius**2, 0.0)
    # A fifth more than was lacking, because other draws scatter a little farther.
    radius = float(np.sqrt(max(tight.radius**2 - 1.2 * far, 0.0)))
    return replace(tight, radius=radius, low=tight.low + 1.2 * under, high=tight.high - 1.2 * over)
