"""The influence attack as it was before: many separate points and no curvature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from bezoar.attacks.influence_search import (
    InfluenceSearch,
    Targets,
    copies_by_class,
    flipped_rows,
    probe_loss,
    whole_rows,
)
from bezoar.core.arrays import Array
from bezoar.core.budget import Budget
from bezoar.core.dataset import Dataset, Poison
from bezoar.core.errors import InvalidArgument
from bezoar.kernels.influence import ProbeLoss
from bezoar.kernels.losses import HINGE
from bezoar.kernels.rows import stack
from bezoar.kernels.sets import ConvexSet
from bezoar.kernels.solvers import fit_linear


@dataclass(frozen=True, eq=False, kw_only=True)
class BasicInfluenceAttack:
    """As many separate points as the budget allows, against the hinge loss as it is.

    Where no row lies on the margin the hinge has no curvature but the
    penalty's, so that the inverse Hessian is a division by the ridge. The
    baseline of Koh, Steinhardt and Liang (2022) [1]_; `InfluenceAttack` is
    stronger.

    Parameters
    ----------
    probe : Dataset or Targets
        Rows whose mean loss the attacker wants to raise, or targets and the
        labels that they should get.
    feasible_set : ConvexSet
        Where poison may lie.
    ridge : float
        Penalty of the defender's linear model, for each row.
    positive_share : float, optional
        Share of the poison with the second label; by default the first
        label's share of the clean rows.
    step : float
        Length of a step for each unit of the paper's gradient.
    max_steps : int
        The search ends sooner if two looks, ten steps apart, bring no better
        iterate.
    integer : bool
        Whether features are whole numbers; points are then rounded at random.

    Raises
    ------
    InvalidArgument
        If an option is out of its range.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022, section 5.5.
    """

    probe: Dataset | Targets
    feasible_set: ConvexSet
    ridge: float
    positive_share: float | None = None
    step: float = 0.1
    max_steps: int = 2000
    integer: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.ridge < np.inf:
            raise InvalidArgument("ridge", "a positive number", self.ridge)
        if self.positive_share is not None and not 0 <= self.positive_share <= 1:
            raise InvalidArgument("positive_share", "a number in [0, 1]", self.positive_share)
        if not 0 <= self.step < np.inf:
            raise InvalidArgument("step", "a number that is not negative", self.step)
        if self.max_steps < 0:
            raise InvalidArgument("max_steps", "a number that is not negative", self.max_steps)

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Move flipped clean rows, each on its own.

        Parameters
        ----------
        data : Dataset
            Clean training rows of two classes.
        budget : Budget
            Of kind "add".
        rng : Generator
            For the start, and for rounding.

        Returns
        -------
        Poison

        Raises
        ------
        InvalidArgument
            If the budget is not for adding rows, or buys none.
        InvalidData
            If there are not exactly two classes, or the probe has others.
        EmptyFeasibleSet
            If no flipped clean row lies inside the set.
        """
        copies = copies_by_class(data, budget, self.positive_share)
        labels = np.repeat(data.classes, copies)
        start = np.concatenate(
            [
                flipped_rows(data, label, count, self.feasible_set, rng)
                for label, count in zip(data.classes.tolist(), copies.tolist(), strict=True)
                if count
            ]
        )
        probe = probe_loss(self.probe, data.classes, HINGE)
        response = _HingeResponse(data, np.repeat([-1.0, 1.0], copies), probe, self.ridge)
        search = InfluenceSearch(response, probe, labels, step=self.step, max_steps=self.max_steps)
        best = search.run(start, self.feasible_set)
        if not self.integer:
            return Poison(best.points, labels)
        rows = whole_rows(best, labels, np.ones(len(labels), dtype=np.int64), anchors=start, rng=rng)
        return Poison(np.concatenate(rows), labels)


class _HingeResponse:
    """A support vector machine trained on one set of points after another."""

    def __init__(self, data: Dataset, signs: Array, probe: ProbeLoss, ridge: float) -> None:
        self.data, self.signs, self.probe, self.ridge = data, signs, probe, ridge
        self.duals: Array | None = None

    def __call__(self, points: Array) -> tuple[Array, Array]:
        rows, signs = stack([self.data.X, points]), np.concatenate([self.data.signs, self.signs])
        fit = fit_linear(rows, signs, loss=HINGE, ridge=self.ridge, duals=self.duals)
        self.duals = fit.duals
        slopes = self.signs * fit.duals[len(self.data) :]
        pull = self.probe.gradient(fit.theta) / self.ridge
        return fit.theta, slopes[:, None] * pull[:-1]
