"""The poison side of the minimax problem: one feasible point for each label."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import Array, IntArray
from toadstone.core.feasible import Extremum, Region
from toadstone.kernels.linear.coordinate_descent import exchange
from toadstone.kernels.losses import MarginLoss
from toadstone.kernels.sets.projection_derivative import joint_metric, response
from toadstone.kernels.sets.regions import maximize, project

SIGNS = np.array([-1.0, 1.0])
_NO_MASS, _FAR = 1e-9, 1e5
_SHORTEST_LEAP, _LONGEST_LEAP = 0.1, 1e3


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
        self._extreme = [False, False]
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

    def ways(self, theta: Array) -> tuple[Array, Array, Array]:
        """How the masses may move, for a Newton step.

        Returns
        -------
        ways : ndarray of shape (w, 2)
            Changes of the two masses: each on its own while their sum is free,
            from one to the other once it is at its limit.
        wanted : ndarray of shape (w,)
            The dual objective's slope along each.
        bend : ndarray of shape (w, w)
            Its curvature that does not come from the model.
        """
        active, loss, total = self.active, self.loss, float(self.masses.sum())
        margins = self.signed @ theta
        if total >= self.fraction * loss.cap * (1 - _NO_MASS):
            ways = np.array([[-1.0, 1.0]]) if len(active) == 2 else np.empty((0, 2))
            return ways, -(ways @ margins), np.zeros((len(ways), len(ways)))
        ways = np.eye(2)[active]
        bend = np.full((len(ways), len(ways)), loss.curvature / self.fraction if self.fraction > 0 else 0.0)
        short = loss.shift - (loss.curvature * total / self.fraction if self.fraction > 0 else 0.0)
        return ways, short - ways @ margins, bend

    def allowed(self, masses: Array) -> Array:
        """Masses made not negative, and no more in all than the fraction allows."""
        positive = np.maximum(masses, 0.0)
        return positive * min(1.0, self.fraction * self.loss.cap / max(float(positive.sum()), 1e-300))

    def place(self, extrema: list[Extremum]) -> None:
        """Put points that carry no mass where they would hurt most."""
        for k, extremum in enumerate(extrema):
            if self.masses[k] <= _NO_MASS * self.fraction:
                self.points[k, :-1] = extremum.point

    def rebalance(self, theta: Array, kappa: float, metric: tuple[Array, Array]) -> None:
        """Give the masses their best values in a metric, moving `theta` along."""
        signed, before = self.signed, self.masses.copy()
        exchange(self.masses, signed @ theta, gram(signed, metric), self.fraction, kappa, self.loss.coefficients)
        theta += (self.masses - before) @ signed / kappa

    def answer(self, theta: Array, kappa: float) -> None:
        """Move each point to its best place for its mass, moving `theta` along.

        Two points that answer each other creep like alternating projections;
        a step along what both have moved, as long as the model's norm asks
        for, is kept if it pays once projected back.
        """
        before = self.points.copy()
        self._answer(theta, kappa)
        if len(self.active) < 2:
            return
        moved = self.points - before
        shift = (self.masses * SIGNS) @ moved / kappa
        stride = -float(theta @ shift) / max(float(shift @ shift), 1e-300)
        if stride > _SHORTEST_LEAP:
            kept, kept_theta = self.points, theta.copy()
            self.points = self.admitted(kept + min(stride, _LONGEST_LEAP) * moved)
            theta += (self.masses * SIGNS) @ (self.points - kept) / kappa
            self._answer(theta, kappa)
            if theta @ theta >= kept_theta @ kept_theta:
                self.points, theta[:] = kept, kept_theta

    def admitted(self, points: Array) -> Array:
        """The nearest feasible points to two others, where they carry mass."""
        nearest = points.copy()
        for k in self.active:
            nearest[k, :-1] = project(self.regions[k], points[k, :-1])[0]
        return nearest

    def extrapolate(self, old: tuple[Array, Array], stride: float) -> None:
        """Go on the way that masses and points have come from an older state."""
        masses, points = self.masses, self.points
        limit = self.fraction * self.loss.cap
        ahead = np.maximum(masses + stride * (masses - old[0]), 0.0)
        if ahead.sum() > limit or masses.sum() >= limit * (1 - _NO_MASS):
            ahead *= limit / max(float(ahead.sum()), 1e-300)
        self.masses = ahead
        weight = np.maximum(masses + stride * (masses - old[0]), 1e-300)[:, None]
        moved = (points * masses[:, None] + stride * (masses[:, None] * points - old[0][:, None] * old[1])) / weight
        moved[self.masses <= _NO_MASS * self.fraction] = points[self.masses <= _NO_MASS * self.fraction]
        moved[:, -1] = 1.0
        self.points = self.admitted(moved)

    def _answer(self, theta: Array, kappa: float) -> None:
        for k in self.active:
            old = self.points[k, :-1].copy()
            pushed = -SIGNS[k] * kappa / self.masses[k] * theta[:-1]
            reach = self.regions[k].radius if self.regions[k].radius < np.inf else 1.0 + float(np.linalg.norm(old))
            self._extreme[k] = float(np.linalg.norm(pushed)) > _FAR * reach
            if self._extreme[k]:
                # So little mass has nothing to lose: its best place is the worst point itself.
                new = maximize(self.regions[k], -SIGNS[k] * theta[:-1]).point
            else:
                self._targets[k] = old + pushed
                new, self._multipliers[k] = project(self.regions[k], self._targets[k], self._multipliers[k])
            theta[:-1] += self.masses[k] * SIGNS[k] / kappa * (new - old)
            self.points[k, :-1] = new

    def metric(self, trust: float) -> tuple[Array, Array]:
        """How far a model moves once the points have answered; see `joint_metric`."""
        answers = [
            response(self.regions[k], self._targets[k], self._multipliers[k])
            for k in self.active
            if not self._extreme[k]
        ]
        if not answers or trust <= 0:
            d = self.points.shape[1] - 1
            return np.ones(d), np.empty((d, 0))
        return joint_metric(answers, trust)


def applied(metric: tuple[Array, Array], vectors: Array) -> Array:
    """Vectors of shape (k, d) multiplied by a metric."""
    scales, factor = metric
    return np.asarray(vectors * scales + (vectors @ factor) @ factor.T)


def gram(signed: Array, metric: tuple[Array, Array]) -> Array:
    """Products of vectors of shape (k, d + 1) in a metric of the first d features."""
    return np.asarray(applied(metric, signed[:, :-1]) @ signed[:, :-1].T + np.outer(signed[:, -1], signed[:, -1]))
