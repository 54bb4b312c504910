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
        bounds = self._bounds(theta)
        best: WorstPoint | None = None
        solved, proved = 0, -np.inf
        # Largest bound first: the search ends once no bound exceeds the best value found.
        while best is None or bounds.max() > best.loss:
            label, rival = (int(index) for index in np.unravel_index(bounds.argmax(), bounds.shape))
            region = self._regions[label]
            if region is None or label == rival:
                raise EmptyFeasibleSet("no class has a point that satisfies its constraints")
            excess = theta[rival] - theta[label]
            try:
                found = maximize(region, excess[:-1], self._scaled(label, rival, excess))
            except EmptyFeasibleSet:
                self._regions[label], bounds[label] = None, -np.inf
                continue
            solved += 1
            self._rates[label][rival] = found.multipliers / (np.linalg.norm(excess[:-1]) or 1.0)
            loss = float(1 + excess[-1] + found.value)
            proved = max(proved, float(1 + excess[-1] + found.bound))
            bounds[label, rival] = -np.inf
            if best is None or loss > best.loss:
                best = WorstPoint(label, rival, found.point, loss, proved, solved)
        return replace(best, bound=max(proved, float(bounds.max())), solved=solved)

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
