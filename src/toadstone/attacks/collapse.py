"""The attack of a certificate: copies of at most one point for each label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from toadstone.core.arrays import Array, IntArray, Labels
from toadstone.core.budget import Budget
from toadstone.core.certificate import Certificate
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument
from toadstone.core.protocols import FeasibleSet
from toadstone.kernels.sets.rounding import round_systematically

_DRAWS = 8
_JITTERS = (0.0,) * 4 + (0.1,) * 4 + (0.3,) * 4 + (1.0,) * 4 + (10.0,) * 4


@dataclass(frozen=True, eq=False)
class CollapsedAttack:
    """Copies of the poison points in a certificate's dual solution.

    The attacker knows the clean training set, the defender's feasible set,
    model class and loss. The number of copies of a point is proportional to
    its mass. If features are whole numbers the point is rounded at random,
    preserving its mean; of many draws inside the feasible set the one with
    the largest loss is used.

    Parameters
    ----------
    points : ndarray of shape (k, d)
    labels : ndarray of shape (k,)
    masses : ndarray of shape (k,)
        Relative weights of the points.
    theta : ndarray of shape (d + 1,)
        The model against which the points have the largest loss; weights,
        then the bias.
    feasible_set : FeasibleSet
        The set that rounded points should stay in.
    integer : bool
        True if features are whole numbers.
    """

    points: Array
    labels: Labels
    masses: Array
    theta: Array
    feasible_set: FeasibleSet
    integer: bool = False

    @classmethod
    def of(cls, certificate: Certificate, classes: Labels, feasible_set: FeasibleSet) -> CollapsedAttack:
        """Build the attack of a certificate, with the labels of the data."""
        witness = certificate.witness
        used = witness.masses > 0
        return cls(
            points=witness.points[used],
            labels=classes[(witness.signs[used] > 0).astype(int)],
            masses=witness.masses[used],
            theta=certificate.theta,
            feasible_set=feasible_set,
            integer=certificate.setting.domain == "integer",
        )

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Return as many copies of the points as the budget allows.

        Parameters
        ----------
        data : Dataset
        budget : Budget
            Of kind "add".
        rng : Generator
            Random numbers for rounding.

        Returns
        -------
        Poison

        Raises
        ------
        InvalidArgument
            If the budget is not for adding rows.
        """
        if budget.kind != "add":
            raise InvalidArgument("budget", "one for adding rows", budget.kind)
        copies = apportion(self.masses, budget.count(len(data)))
        points = self.points
        if self.integer:
            points = np.array([self._rounded(k, data, rng) for k in range(len(points))]).reshape(self.points.shape)
        return Poison(np.repeat(points, copies, axis=0).reshape(-1, data.n_features), np.repeat(self.labels, copies))

    def _rounded(self, k: int, data: Dataset, rng: Generator) -> Array:
        sign = 1.0 if self.labels[k] == data.classes[-1] else -1.0
        point, weights, largest = self.points[k], self.theta[:-1], -np.inf
        best = point
        # Draws along the model's own weights hardly differ, so all may miss the feasible set: noise varies them.
        for jitter in _JITTERS:
            order = weights + jitter * weights.std() * rng.normal(size=len(weights))
            draws = round_systematically(point, order, _DRAWS, rng)
            inside = self.feasible_set.contains(draws, np.repeat(self.labels[k], _DRAWS))
            losses = -sign * (draws @ weights) + np.where(inside, 0.0, -1e12)
            if losses.max() > largest:
                best, largest = draws[int(losses.argmax())], float(losses.max())
        return np.asarray(best)


def apportion(masses: Array, count: int) -> IntArray:
    """Divide copies in proportion to masses, by the largest remainders.

    Parameters
    ----------
    masses : ndarray of shape (p,)
        Not negative.
    count : int
        Copies in all.

    Returns
    -------
    ndarray of int of shape (p,)
        All zero where there is no mass.
    """
    if not len(masses) or masses.sum() == 0:
        return np.zeros(len(masses), dtype=np.int64)
    exact = masses / masses.sum() * count
    copies: IntArray = np.floor(exact).astype(np.int64)
    largest = np.argsort(-(exact - copies), kind="stable")[: count - int(copies.sum())]
    copies[largest] += 1
    return copies
