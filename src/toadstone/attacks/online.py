"""The attack of the online method: a sample of the worst points that it met on its way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy.sparse import csr_array, issparse

from toadstone.core.arrays import Array
from toadstone.core.budget import Budget
from toadstone.core.certificate import NormBall
from toadstone.core.checks import check_count, check_positive
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument
from toadstone.core.feasible import Region
from toadstone.kernels.losses import HINGE
from toadstone.kernels.minimax.online import play_online
from toadstone.kernels.minimax.problem import Problem
from toadstone.kernels.rows import stack
from toadstone.kernels.sets.balanced_rounding import round_inside
from toadstone.kernels.sets.membership import violations
from toadstone.kernels.sets.regions import project
from toadstone.kernels.sets.rounding import round_independently
from toadstone.kernels.sets.sets import ConvexSet

_DRAWS, _TOLERANCE = 8, 1e-8


@dataclass(frozen=True, eq=False)
class OnlineAttack:
    """Points drawn at random from those that the online method of the minimax problem meets.

    The attacker knows the clean training set, the defender's feasible set and
    norm ball. The points differ, and where features are whole numbers each is
    rounded at random on its own, so that the model cannot fit all of them
    with few words: the training loss is smaller than under `CollapsedAttack`,
    and the error on other rows larger.

    Parameters
    ----------
    planned : ConvexSet
        Where points lie before they are rounded, with room for rounding.
    feasible_set : ConvexSet
        Where rows must lie.
    ball : NormBall
        The models that the defender chooses from.
    steps : int
        Of the online method, at least the number of rows.
    step_size : float
    integer : bool
        True if features are whole numbers.

    Raises
    ------
    InvalidArgument
        If a number is out of range.

    References
    ----------
    .. [1] Steinhardt, Koh and Liang, "Certified Defenses for Data Poisoning
       Attacks", NIPS 2017, algorithm 1 and section 3.
    """

    planned: ConvexSet
    feasible_set: ConvexSet
    ball: NormBall
    steps: int = 6000
    step_size: float = 0.001
    integer: bool = False

    def __post_init__(self) -> None:
        check_count(steps=self.steps)
        check_positive(step_size=self.step_size)

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Return as many rows as the budget allows, fewer where rounding finds no row inside the feasible set.

        Parameters
        ----------
        data : Dataset
            Clean rows of two classes.
        budget : Budget
            Of kind "add".
        rng : Generator
            Random numbers for the sample and for rounding.

        Returns
        -------
        Poison
            CSR where the clean rows are.

        Raises
        ------
        InvalidArgument
            If the budget is not for adding rows, or for more than there are
            steps.
        """
        if budget.kind != "add":
            raise InvalidArgument("budget", "one for adding rows", budget.kind)
        count = budget.count(len(data))
        if count == 0:
            return Poison(data.X[:0], data.y[:0])
        if count > self.steps:
            raise InvalidArgument("steps", f"at least {count}, one for each row", self.steps)
        rows, labels = [data.X[:0]], list[object]()
        for label, point in self._sample(data, budget, count, rng):
            region = self.feasible_set.region(label)
            made = self._inside(np.clip(point, region.lower, region.upper), region, rng)
            rows.append(csr_array(made) if issparse(data.X) else made)
            labels += [label] * len(made)
        return Poison(stack(rows), np.array(labels, dtype=data.y.dtype))

    def _sample(self, data: Dataset, budget: Budget, count: int, rng: Generator) -> Iterator[tuple[Any, Array]]:
        by_sign = dict(zip((-1.0, 1.0), data.classes.tolist(), strict=True))
        negative, positive = (self.planned.region(label) for label in by_sign.values())
        problem = Problem(data.X, data.signs, (negative, positive), HINGE, self.ball)
        kept = set(rng.choice(self.steps, count, replace=False).tolist())
        steps = play_online(problem, fraction=budget.fraction, steps=self.steps, step_size=self.step_size)
        for place, step in enumerate(steps):
            if place in kept:
                yield by_sign[step.sign], step.point

    def _inside(self, point: Array, region: Region, rng: Generator) -> Array:
        """Round a point to a row inside a region, shape (1, d), or (0, d) where none is found."""
        if not self.integer:
            return project(region, point)[0][None, :]
        draws = round_independently(point, _DRAWS, rng)
        inside = draws[np.all(violations(region, draws) <= _TOLERANCE, axis=1)]
        return inside[:1] if len(inside) else round_inside(point, region, np.zeros(len(point)), 1, rng)
