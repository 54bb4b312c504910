"""The poison side of the minimax problem: one feasible point for each label."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import Array, IntArray
from toadstone.core.feasible import Extremum, Region
from toadstone.kernels.linear.coordinate_descent import dual_step, exchange
from toadstone.kernels.losses import MarginLoss
from toadstone.kernels.sets.projection_derivative import joint_metric, response
from toadstone.kernels.sets.regions import maximize, project

SIGNS = np.array([-1.0, 1.0])
_NO_MASS, _FAR = 1e-9, 1e5
_TURNS = 20
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
        """Indices of the points that carry mass."""
        return np.flatnonzero(self.masses > _NO_MASS * self.fraction)

    def pull(self) -> Array:
        """Sum the signed points weighted by mass."""
        return np.asarray(self.masses @ self.signed)

    def gain(self) -> float:
        """Compute the contribution of the masses to the dual objective."""
        if self.fraction == 0:
            return 0.0
        # Rounding may leave the share above the cap, where the conjugate of a softplus is NaN.
        share = np.minimum(self.masses.sum() / self.fraction, self.loss.cap)
        return float(self.fraction * self.loss.conjugate_gain(share))

    def cost(self, margins: Array) -> float:
        """Compute what the poison adds to the objective where the worst margin of each label is `margins`."""
        return self.fraction * float(self.loss.value(margins.min()))

    def filled(self) -> Array:
        """Return the masses, in their proportion, filled up to the fraction."""
        total = float(self.masses.sum())
        return self.fraction * (self.masses / total if total > 0 else np.array([0.0, 1.0]))

    def resume(self, points: Array, masses: Array, duals: Array) -> None:
        """Start from the poison of another fraction: its points, masses and dual masses."""
        self.points[:, :-1] = points
        earlier, limit = float(masses.sum()), self.fraction * self.loss.cap
        # Mass short of a finite limit marks poison that fits: more would not hurt.
        saturated = earlier > 0 and (limit == np.inf or duals.sum() >= (1 - 1e-6) * earlier * self.loss.cap)
        grown = duals * (self.fraction / earlier if saturated else 1.0)
        self.masses = grown if grown.sum() <= limit else np.zeros(2)

    def attack(self, theta: Array, last: list[Extremum]) -> list[Extremum]:
        """Find the worst feasible point of each label against a model, with a dual bound."""
        starts = [extremum.multipliers for extremum in last] if last else [None, None]
        triples = zip(self.regions, SIGNS, starts, strict=True)
        return [maximize(region, -sign * theta[:-1], start) for region, sign, start in triples]

    def worst_margins(self, theta: Array, extrema: list[Extremum]) -> Array:
        """Compute a lower bound of the margin of every feasible row of each label."""
        # The dual bound, not the value: a certificate may not rely on the point being optimal.
        return np.array([sign * theta[-1] - extremum.bound for sign, extremum in zip(SIGNS, extrema, strict=True)])

    def directions(self, theta: Array) -> tuple[Array, Array, Array]:
        """Return the directions in which the masses may move, for a Newton step.

        Returns
        -------
        directions : ndarray of shape (w, 2)
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
            directions = np.array([[-1.0, 1.0]]) if len(active) == 2 else np.empty((0, 2))
            return directions, -(directions @ margins), np.zeros((len(directions), len(directions)))
        directions = np.eye(2)[active]
        bend = np.full((len(directions), len(directions)), loss.curvature / self.fraction if self.fraction > 0 else 0.0)
        short = loss.shift - (loss.curvature * total / self.fraction if self.fraction > 0 else 0.0)
        return directions, short - directions @ margins, bend

    def allowed(self, masses: Array) -> Array:
        """Project masses onto those that are not negative and sum to at most the fraction's."""
        positive = np.maximum(masses, 0.0)
        return positive * min(1.0, self.fraction * self.loss.cap / max(float(positive.sum()), 1e-300))

    def place(self, extrema: list[Extremum]) -> None:
        """Move points without mass to the worst feasible points."""
        for k, extremum in enumerate(extrema):
            if self.masses[k] <= _NO_MASS * self.fraction:
                self.points[k, :-1] = extremum.point

    def rebalance(self, theta: Array, kappa: float, metric: tuple[Array, Array]) -> None:
        """Maximize over the masses in a metric, updating `theta`."""
        signed, before = self.signed, self.masses.copy()
        exchange(self.masses, signed @ theta, gram(signed, metric), self.fraction, kappa, self.loss.coefficients)
        theta += (self.masses - before) @ signed / kappa

    def respond(self, theta: Array, kappa: float) -> None:
        """Maximize over each point for its mass, updating `theta`.

        Two points that respond to each other converge slowly, like alternating projections;
        a step along what both have moved, as long as the model's norm asks
        for, is kept if it pays once projected back.
        """
        before = self.points.copy()
        self._respond(theta, kappa)
        if len(self.active) < 2:
            return
        moved = self.points - before
        shift = (self.masses * SIGNS) @ moved / kappa
        # The step along which |theta|^2, and with it the dual's penalty, is least. Where the penalty all but vanishes
        # theta overflows, the stride is no number, and no step is taken.
        with np.errstate(over="ignore", invalid="ignore"):
            stride = -float(theta @ shift) / max(float(shift @ shift), 1e-300)
        if stride > _SHORTEST_LEAP:
            kept, kept_theta = self.points, theta.copy()
            self.points = self.projected(kept + min(stride, _LONGEST_LEAP) * moved)
            theta += (self.masses * SIGNS) @ (self.points - kept) / kappa
            self._respond(theta, kappa)
            if theta @ theta >= kept_theta @ kept_theta:
                self.points, theta[:] = kept, kept_theta

    def projected(self, points: Array) -> Array:
        """Project the points that carry mass onto their regions."""
        nearest = points.copy()
        for k in self.active:
            nearest[k, :-1] = project(self.regions[k], points[k, :-1])[0]
        return nearest

    def extrapolate(self, old: tuple[Array, Array], stride: float) -> None:
        """Extrapolate masses and points along their change from an older state."""
        masses, points = self.masses, self.points
        self.masses = self._ahead(np.maximum(masses + stride * (masses - old[0]), 0.0))
        # The dual is linear in mass times point, so that product is what gets extrapolated.
        weight = np.maximum(masses + stride * (masses - old[0]), 1e-300)[:, None]
        moved = (points * masses[:, None] + stride * (masses[:, None] * points - old[0][:, None] * old[1])) / weight
        moved[self.masses <= _NO_MASS * self.fraction] = points[self.masses <= _NO_MASS * self.fraction]
        moved[:, -1] = 1.0
        self.points = self.projected(moved)

    def _ahead(self, masses: Array) -> Array:
        """Scale extrapolated masses to the limit if they exceed it, or if the present ones are at it."""
        limit = self.fraction * self.loss.cap
        if masses.sum() > limit or self.masses.sum() >= limit * (1 - _NO_MASS):
            masses *= limit / max(float(masses.sum()), 1e-300)
        return masses

    def _respond(self, theta: Array, kappa: float) -> None:
        for k in self.active:
            old = self.points[k, :-1].copy()
            # PROJ of docs/mathematics.md: the best point is the nearest to x - y (kappa / pi) w.
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
        """Return the metric of a model's move once the points have responded; see `joint_metric`."""
        answers = [
            response(self.regions[k], self._targets[k], self._multipliers[k])
            for k in self.active
            if not self._extreme[k]
        ]
        if not answers or trust <= 0:
            d = self.points.shape[1] - 1
            return np.ones(d), np.empty((d, 0))
        return joint_metric(answers, trust)


class LimitedAdversary(Adversary):
    """Two poison points whose masses have a limit each.

    Parameters
    ----------
    regions : tuple of two Region
    fractions : tuple of two float
        Largest poison mass of label -1 and of label +1.
    loss : MarginLoss
    """

    def __init__(self, regions: tuple[Region, Region], fractions: tuple[float, float], loss: MarginLoss) -> None:
        super().__init__(regions, sum(fractions), loss)
        self.fractions = np.array(fractions)

    @property
    def limits(self) -> Array:
        """Largest dual mass of each label."""
        return np.array([share * self.loss.cap if share > 0 else 0.0 for share in self.fractions])

    @property
    def shares(self) -> Array:
        """Dual masses as shares of the fractions; zero where there is none."""
        return np.asarray(np.divide(self.masses, self.fractions, out=np.zeros(2), where=self.fractions > 0))

    def gain(self) -> float:
        """Compute the contribution of the masses to the dual objective."""
        # Rounding may leave the share above the cap, where the conjugate of a softplus is NaN.
        return float(self.fractions @ self.loss.conjugate_gain(np.minimum(self.shares, self.loss.cap)))

    def cost(self, margins: Array) -> float:
        """Compute what the poison adds to the objective where the worst margin of each label is `margins`."""
        return float(self.fractions @ self.loss.value(margins))

    def filled(self) -> Array:
        """Return the masses that the fractions allow."""
        return self.fractions.copy()

    def resume(self, points: Array, masses: Array, duals: Array) -> None:
        """Start from the poison of other fractions: its points, and dual masses within the limits."""
        self.points[:, :-1] = points
        self.masses = self.allowed(duals)

    def directions(self, theta: Array) -> tuple[Array, Array, Array]:
        """Return the directions in which the masses may move: each below its limit on its own."""
        loss, limits = self.loss, self.limits
        free = [k for k in self.active.tolist() if self.masses[k] < limits[k] * (1 - _NO_MASS)]
        directions = np.eye(2)[free]
        wanted = directions @ (loss.shift - loss.curvature * self.shares - self.signed @ theta)
        return directions, wanted, np.diag(loss.curvature / self.fractions[free])

    def allowed(self, masses: Array) -> Array:
        """Project masses onto those within the limits."""
        return np.asarray(np.clip(masses, 0.0, self.limits))

    def rebalance(self, theta: Array, kappa: float, metric: tuple[Array, Array]) -> None:
        """Maximize over each mass in a metric, updating `theta`."""
        signed, before = self.signed, self.masses.copy()
        margins, products = signed @ theta, gram(signed, metric)
        for k in np.tile(np.flatnonzero(self.fractions > 0), _TURNS).tolist():
            share = self.fractions[k]
            step = dual_step(
                margins[k], share * products[k, k] / kappa, self.masses[k] / share, 0.0, self.loss.coefficients
            )
            change = share * step - self.masses[k]
            self.masses[k] += change
            margins = margins + change * products[k] / kappa
        theta += (self.masses - before) @ signed / kappa

    def _ahead(self, masses: Array) -> Array:
        return self.allowed(masses)


def applied(metric: tuple[Array, Array], vectors: Array) -> Array:
    """Multiply vectors of shape (k, d) by a metric."""
    scales, factor = metric
    return np.asarray(vectors * scales + (vectors @ factor) @ factor.T)


def gram(signed: Array, metric: tuple[Array, Array]) -> Array:
    """Compute the products of vectors of shape (k, d + 1) in a metric of the first d features."""
    return np.asarray(applied(metric, signed[:, :-1]) @ signed[:, :-1].T + np.outer(signed[:, -1], signed[:, -1]))
