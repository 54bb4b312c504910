"""Worst feasible point of a multi-class model, over all pairs of a label and a rival class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numba import njit

from toadstone.core.arrays import Array
from toadstone.core.errors import EmptyFeasibleSet
from toadstone.core.feasible import Region
from toadstone.kernels.sets.regions import maximize
from toadstone.kernels.sets.separable import Parts, compile_region, linear_bound


@dataclass(frozen=True, eq=False)
class WorstPoint:
    """A feasible point of largest loss.

    Parameters
    ----------
    label, rival : int
        Its class, and the wrong class whose score exceeds the right one's
        by most; counted from zero.
    point : ndarray of shape (d,)
    loss, bound : float
        One plus that excess, and what no feasible point exceeds.
    solved : int
        How many of the pairs had to be solved.
    """

    label: int
    rival: int
    point: Array
    loss: float
    bound: float
    solved: int


class RivalSearch:
    """Exact search over all pairs of a label and a rival, most of them excluded by a bound.

    The multipliers that once proved a pair's maximum bound it for every later
    model too (weak duality), so that only pairs whose bound exceeds the best
    value found are solved anew.

    Parameters
    ----------
    regions : sequence of Region or None
        Where rows of each class may lie; None for a class that poison cannot
        carry. A region without a point is treated alike.

    Raises
    ------
    EmptyFeasibleSet
        By `worst`, if no region has a point.
    """

    def __init__(self, regions: Sequence[Region | None]) -> None:
        self._regions = list(regions)
        k = len(self._regions)
        self._forms = [None if region is None else compile_region(region) for region in self._regions]
        # Multipliers for a direction of unit length.
        self._rates = [np.zeros((k, 1 if region is None else 1 + len(region.low))) for region in self._regions]

    def worst(self, theta: Array) -> WorstPoint:
        """Find the feasible point of largest loss.

        Parameters
        ----------
        theta : ndarray of shape (k, d + 1)
            One row a class: weights, then the bias.

        Returns
        -------
        WorstPoint

        Raises
        ------
        EmptyFeasibleSet
            If no region has a point.
        """
        return self.solve(theta)[0]

    def solve(self, theta: Array) -> list[WorstPoint]:
        """Return the worst points of all pairs that had to be solved, the feasible point of largest loss first.

        Parameters
        ----------
        theta : ndarray of shape (k, d + 1)

        Returns
        -------
        list of WorstPoint
            The `bound` of the first holds for every pair, that of another
            for its own alone.

        Raises
        ------
        EmptyFeasibleSet
            If no region has a point.
        """
        bounds = self._bounds(theta)
        found: list[WorstPoint] = []
        # Largest bound first: the search ends once no bound exceeds the best value found.
        while not found or bounds.max() > found[0].loss:
            label, rival = (int(index) for index in np.unravel_index(bounds.argmax(), bounds.shape))
            region = self._regions[label]
            if region is None or label == rival:
                raise EmptyFeasibleSet("no class has a point that satisfies its constraints")
            excess = theta[rival] - theta[label]
            try:
                extremum = maximize(region, excess[:-1], self._scaled(label, rival, excess))
            except EmptyFeasibleSet:
                self._regions[label], bounds[label] = None, -np.inf
                continue
            self._rates[label][rival] = extremum.multipliers / (np.linalg.norm(excess[:-1]) or 1.0)
            loss, bound = (float(1 + excess[-1] + part) for part in (extremum.value, extremum.bound))
            bounds[label, rival] = -np.inf
            point = WorstPoint(label, rival, extremum.point, loss, bound, len(found) + 1)
            found.insert(0 if not found or loss > found[0].loss else len(found), point)
        proved = max(float(bounds.max()), *(one.bound for one in found), -np.inf)
        return [replace(found[0], bound=proved, solved=len(found)), *found[1:]]

    def multipliers(self, theta: Array) -> Array:
        """Return multipliers for each label and rival that prove the last search's bound, shape (k, k, 1 + J).

        Parameters
        ----------
        theta : ndarray of shape (k, d + 1)
            The model of that search.
        """
        lengths = np.linalg.norm(theta[None, :, :-1] - theta[:, None, :-1], axis=2)
        return np.asarray(lengths[:, :, None] * np.stack(self._rates))

    def _bounds(self, theta: Array) -> Array:
        """Bound the loss of every point, for each label and rival, shape (k, k)."""
        k = len(self._regions)
        bounds = np.full((k, k), -np.inf)
        for label, form in enumerate(self._forms):
            if form is None or self._regions[label] is None:
                continue
            excess = theta - theta[label]
            multipliers = np.linalg.norm(excess[:, :-1], axis=1)[:, None] * self._rates[label]
            bounds[label] = (
                1 + excess[:, -1] + _support_bounds(np.ascontiguousarray(excess[:, :-1]), *form, multipliers)
            )
            bounds[label, label] = -np.inf
        return bounds

    def _scaled(self, label: int, rival: int, excess: Array) -> Array:
        return np.asarray(self._rates[label][rival] * np.linalg.norm(excess[:-1]))


@njit(cache=True, nogil=True)
def _support_bounds(directions: Array, parts: Parts, limits: Parts, multipliers: Array) -> Array:
    """Compute `linear_bound` of several directions over one region, rounded up."""
    bounds = np.empty(len(directions))
    for j in range(len(directions)):
        bound, rounding = linear_bound(directions[j], parts, limits, multipliers[j])
        bounds[j] = bound + rounding
    return bounds
