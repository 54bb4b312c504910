"""The influence attack against filters that are fitted to clean rows and poison."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from scipy.sparse import csr_array, issparse

from toadstone.attacks.influence.base import InfluencePlan, Start
from toadstone.attacks.influence.projected_ascent import Iterate
from toadstone.core.arrays import Array, IntArray, Labels, Matrix
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.rows import canonical_form, stack
from toadstone.kernels.sets.sets import ConvexSet


@dataclass(frozen=True, eq=False, kw_only=True)
class IterativeInfluenceAttack:
    """Rounds of influence steps, with the feasible set fitted again before each round.

    Filters that are fitted to poisoned data move with the poison. A set that
    is fitted to the current poison follows them, and allows more as the
    poison moves the mean of its class. The best iterate of all rounds is
    used, not the last.

    Parameters
    ----------
    influence : InfluencePlan
        The influence attack to run; its feasible set holds for the initial
        points only.
    refit : callable
        Takes rows and labels, including poison, and returns a feasible set.
    steps_per_round : int
        Number of steps between two fits of the set.

    Raises
    ------
    InvalidArgument
        If `steps_per_round` is not positive.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022, algorithm 1.
    """

    influence: InfluencePlan
    refit: Callable[[Matrix, Labels], ConvexSet]
    steps_per_round: int = 2

    def __post_init__(self) -> None:
        if self.steps_per_round < 1:
            raise InvalidArgument("steps_per_round", "a positive number", self.steps_per_round)

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Search for the points, and return as many copies of them as the budget allows.

        Parameters
        ----------
        data : Dataset
            Clean training rows of two classes.
        budget : Budget
            Of kind "add".
        rng : Generator
            Random numbers for the initial points and for rounding.

        Returns
        -------
        Poison
            Its rows lie in the set that was fitted before the step that moved
            them there.

        Raises
        ------
        InvalidArgument, InvalidData, EmptyFeasibleSet
            As for `InfluencePlan`.
        """
        data = replace(data, X=canonical_form(data.X))

        def run(start: Start) -> Iterate:
            search, points, within = start.search, start.points, self.influence.feasible_set
            while not search.finished:
                fitted = self.refit(*_joined(data, points, search.labels, start.counts))
                for _ in range(self.steps_per_round):
                    if search.finished:
                        break
                    points = search.advance(points, within, fitted)
                    # The points were projected onto the new set, which rounding must then respect.
                    within = fitted
            return search.conclude()

        return self.influence.search(data, budget, rng, run)


def _joined(data: Dataset, points: Array, labels: Labels, copies: IntArray) -> tuple[Matrix, Labels]:
    rows = np.repeat(points, copies, axis=0)
    poison = csr_array(rows) if issparse(data.X) else rows
    return stack([data.X, poison]), np.concatenate([data.y, np.repeat(labels, copies)])
