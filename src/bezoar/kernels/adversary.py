"""The poison side of the minimax problem: one feasible point for each label."""

from __future__ import annotations

import numpy as np

from bezoar.core.arrays import Array, IntArray
from bezoar.core.feasible import Extremum, Region
from bezoar.kernels.descent import exchange
from bezoar.kernels.losses import MarginLoss
from bezoar.kernels.regions import maximize, project
from bezoar.kernels.response import joint_metric, response

SIGNS = np.array([-1.0, 1.0])
_NO_MASS = 1e-9


class Adversary:
    """Two poison points and their dual masses, improved in place.

    By the collapse of Koh, Steinhardt and Liang (2022, theorem 1) one point a
    label is enough, so the best point for a given mass is a projection.

    Parameters
    ----------
    regions : tuple of two Region
        Where points labelled -1 and +1 may lie.
    fraction : float
        Total poison mass.
    loss : MarginLoss
    """

    def __init__(self, regions: tuple[Region, Region], fraction: float, loss: MarginLoss) -> None:
        self.regions, self.fraction, self.loss = regions, fraction, loss
        self.points = np.ones((2, regions[0].n_features + 1))
        self.masses = np.zeros(2)
        self._targets = [region.centre for region in regions]
        self._multipliers = [np.zeros(1 + len(region.low)) for region in regions]

    @property
    def signed(self) -> Array:
        """The points, constant feature last, times their labels."""
        return SIGNS[:, None] * self.points

    @property
    def active(self) -> IntArray:
        """Which of the two points carry mass."""
        return np.flatnonzero(self.masses > _NO_MASS * self.fraction)

    def pull(self) -> Array:
        """The sum of signed points weighted by mass."""
        return np.asarray(self.masses @ self.signed)

    def gain(self) -> float:
        """Linear part of the dual objective that the masses contribute."""
        if self.fraction == 0:
            return 0.0
        share = np.minimum(self.masses.sum() / self.fraction, self.loss.cap)
        return float(self.fraction * self.loss.conjugate_gain(share))

    def attack(self, theta: Array, last: list[Extremum]) -> list[Extremum]:
        """The worst feasible point of each label against a model, with a proof."""
        starts = [extremum.multipliers for extremum in last] if last else [None, None]
        triples = zip(self.regions, SIGNS, starts, strict=True)
        return [maximize(region, -sign * theta[:-1], start) for region, sign, start in triples]

    def worst_margin(self, theta: Array, extrema: list[Extremum]) -> Array:
        """No feasible row has a smaller margin."""
        margins = [sign * theta[-1] - extremum.bound for sign, extremum in zip(SIGNS, extrema, strict=True)]
        return np.asarray(min(margins))

    def place(self, extrema: list[Extremum]) -> None:
        """Put points that carry no mass where they would hurt most."""
        for k, extremum in enumerate(extrema):
            if self.masses[k] <= _NO_MASS * self.fraction:
                self.points[k, :-1] = extremum.point

    def rebalance(self, theta: Array, kappa: float, metric: tuple[Array, Array]) -> None:
        """Give the masses their best values in a metric, moving `theta` along."""
        signed, before = self.signed, self.masses.copy()
        shape = (self.loss.shift, self.loss.temperature, self.loss.curvature, self.loss.cap)
        exchange(self.masses, signed @ theta, gram(signed, metric), self.fraction, kappa, shape)
        theta += (self.masses - before) @ signed / kappa

    def answer(self, theta: Array, kappa: float) -> None:
        """Move each point to its best place for its mass, moving `theta` along."""
        for k in self.active:
            old = self.points[k, :-1].copy()
            self._targets[k] = old - SIGNS[k] * kappa / self.masses[k] * theta[:-1]
            new, self._multipliers[k] = project(self.regions[k], self._targets[k], self._multipliers[k])
            theta[:-1] += self.masses[k] * SIGNS[k] / kappa * (new - old)
            self.points[k, :-1] = new

    def metric(self, trust: float) -> tuple[Array, Array]:
        """How far a model moves once the points have answered; see `joint_metric`."""
        answers = [response(self.regions[k], self._targets[k], self._multipliers[k]) for k in self.active]
        if not answers or trust <= 0:
            d = self.points.shape[1] - 1
            return np.ones(d), np.empty((d, 0))
        return joint_metric(answers, trust)


def gram(signed: Array, metric: tuple[Array, Array]) -> Array:
    """Products of vectors of shape (k, d + 1) in a metric of the first d features."""
    scales, factor = metric
    inner = signed[:, :-1]
    along = inner @ factor
    return np.asarray((inner * scales) @ inner.T + along @ along.T + np.outer(signed[:, -1], signed[:, -1]))
