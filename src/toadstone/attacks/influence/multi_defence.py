"""The kkt-influence attack: KKT poison moved along its influence on the models of several defences."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.random import Generator
from threadpoolctl import threadpool_limits

from toadstone.attacks.decoys.kkt import KKTAttack, KKTSolution
from toadstone.attacks.influence.projected_ascent import probe_loss
from toadstone.core.arrays import Array, IntArray, Labels, Matrix
from toadstone.core.budget import Budget
from toadstone.core.checks import check_count, check_positive
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import EmptyFeasibleSet, InvalidArgument
from toadstone.kernels.influence.poison_gradient import influence
from toadstone.kernels.influence.ridge_path import PoisonedTraining, SmoothFit
from toadstone.kernels.kkt.stationarity import decoy_margins
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import HINGE, SigmoidLoss, smooth_hinge
from toadstone.kernels.rows import stack
from toadstone.kernels.sets.membership import extent
from toadstone.kernels.sets.regions import project

Filter: TypeAlias = Callable[[Matrix, Labels], IntArray]
"""Takes rows and their labels, and returns the positions of the rows that a defence keeps."""

_SIGNS = np.array([-1.0, 1.0])
# Relative duality gaps: of the smooth models whose gradients are followed, and of those whose errors are counted.
_SMOOTH_GAP, _HINGE_GAP = 1e-5, 1e-3
# Defences whose smooth errors differ by less are weighted alike; the weights are a softmin at this scale.
_TEMPERATURE = 0.003


@dataclass(frozen=True, eq=False, kw_only=True)
class KKTInfluenceAttack:
    """The points of a KKT attack, moved along their influence on the models of several defences.

    The attacker knows the defences. At intervals it runs them and notes which
    clean rows each of them keeps. In between it follows the gradient of a
    smooth error rate on the probe through the models trained on these rows
    and the poison; the defence with the lowest error rate counts most. The
    poison stays in the feasible set, and its loss at the models no larger
    than that of most clean rows, as in the KKT attack [1]_, so that filters
    keep it. Of the evaluated iterates, the one with the largest error rate
    behind the best defence is used, after rounding.

    Parameters
    ----------
    start : KKTAttack
        Makes the initial points, and rounds.
    probe : Dataset
        Rows that should be misclassified.
    filters : tuple of callable
        The defences: each takes rows and labels, and returns the positions of
        the rows that it keeps.
    width : float
        Width of the smooth error rate, in units of margin; see `SigmoidLoss`.
    step : float
        Step length, as a share of the feasible set's radius.
    max_steps : int
        Number of steps.
    refresh : int
        Number of steps between two runs of the defences.

    Raises
    ------
    InvalidArgument
        If an option is out of range.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022, sections 4.1
       and 4.2, which this attack combines.
    """

    start: KKTAttack
    probe: Dataset
    filters: tuple[Filter, ...]
    width: float = 0.1
    step: float = 0.013
    max_steps: int = 100
    refresh: int = 25

    def __post_init__(self) -> None:
        if not self.filters:
            raise InvalidArgument("filters", "at least one", "none")
        check_positive(width=self.width, step=self.step)
        check_count(0, max_steps=self.max_steps)
        check_count(refresh=self.refresh)

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Return as many rows as the budget allows.

        Parameters
        ----------
        data : Dataset
            Clean rows of two classes.
        budget : Budget
            Of kind "add".
        rng : Generator
            Random numbers for rounding.

        Returns
        -------
        Poison

        Raises
        ------
        EmptyFeasibleSet
            If the KKT attack has no point to start from.
        InvalidArgument
            If the budget is not for adding rows.
        InvalidData
            If the probe has other labels or columns.
        """
        if budget.count(len(data)) == 0:
            return self.start.poison(data, budget, rng)
        search = _Search(self, data, self.start.solve(data, budget), rng)
        with threadpool_limits(1, user_api="blas"):
            search.evaluate()
            for step in range(1, self.max_steps + 1):
                search.move()
                if step % self.refresh == 0 or step == self.max_steps:
                    search.evaluate()
        return search.best


class _Search:
    """The current points, the clean rows that each defence keeps, and the best rows so far."""

    def __init__(self, attack: KKTInfluenceAttack, data: Dataset, solution: KKTSolution, rng: Generator) -> None:
        self.attack, self.data, self.rng = attack, data, rng
        self.solution, self.theta = solution, attack.start.theta
        self.probe = probe_loss(attack.probe, data.classes, SigmoidLoss(attack.width))
        self.used = np.flatnonzero(solution.counts)
        radii = [extent(attack.start.feasible_set.region(label)) for label in data.classes.tolist()]
        self.step = attack.step * float(np.mean(radii))
        self.trainings: list[_DefendedTraining] = []
        self.duals = np.zeros(len(data))
        self.best, self.largest_error = self.rounded(), -1.0

    def rounded(self) -> Poison:
        """Return the current points as rows, rounded along the current model."""
        start = replace(self.attack.start, theta=self.theta)
        return start.rows(self.solution, self.data, self.rng)

    def evaluate(self) -> None:
        """Run the defences on the current rows, and keep these if their error behind the best defence is a new best."""
        poison, n = self.rounded(), len(self.data)
        X = stack([self.data.X, poison.X])
        y = np.concatenate([self.data.y, poison.y.astype(self.data.y.dtype)])
        signs = np.where(y == self.data.classes[1], 1.0, -1.0)
        # Each fit starts from the duals of the last one: the defences keep mostly the same rows.
        duals, errors, kept = np.append(self.duals, np.ones(len(poison))), [], []
        for keep in self.attack.filters:
            rows = keep(X, y)
            fit = fit_linear(
                X[rows], signs[rows], loss=HINGE, ridge=self.attack.start.ridge, duals=duals[rows], tolerance=_HINGE_GAP
            )
            duals[rows] = fit.duals
            errors.append(float(np.mean(decoy_margins(self.probe.X, self.probe.signs, fit.theta) <= 0)))
            kept.append(rows[rows < n])
        self.duals = duals[:n]
        self.trainings = [_DefendedTraining(self.data, rows, self.attack.start.ridge) for rows in kept]
        if min(errors) > self.largest_error:
            self.best, self.largest_error = poison, min(errors)

    def move(self) -> None:
        """Move the points along their influence on the smooth errors, weighted towards the best defence."""
        points, signs = self.solution.points[self.used], _SIGNS[self.used]
        copies = self.solution.counts[self.used].astype(float)
        fits = [training.fit(points, signs, copies) for training in self.trainings]
        errors = np.array([self.probe.value(fit.theta) for fit in fits])
        weights = np.exp((errors.min() - errors) / _TEMPERATURE)
        weights /= weights.sum()
        direction = np.tensordot(weights, [influence(fit, self.probe) for fit in fits], axes=1)
        self.theta = np.asarray(weights @ [fit.theta for fit in fits])
        length = float(np.linalg.norm(direction, axis=1).max())
        if length > 0:
            moved = self.solution.points.copy()
            moved[self.used] += self.step / length * direction
            self.project(moved)

    def project(self, points: Array) -> None:
        """Project points onto the feasible set, limited to the bands of loss at the current model."""
        regions = replace(self.attack.start, theta=self.theta).regions(self.data)
        # If the bands leave no point, the current points stay, and the next evaluation judges them.
        with suppress(EmptyFeasibleSet):
            moved = [project(region, point)[0] for region, point in zip(regions, points, strict=True)]
            self.solution = replace(self.solution, points=np.stack(moved), regions=regions)


class _DefendedTraining:
    """Smooth training on the clean rows that a defence keeps and on the poison."""

    def __init__(self, data: Dataset, rows: IntArray, ridge: float) -> None:
        self.training = PoisonedTraining(data.X[rows], data.signs[rows], loss=smooth_hinge(), ridge=ridge)
        self.duals: Array | None = None

    def fit(self, points: Array, signs: Array, copies: Array) -> SmoothFit:
        """Train with copies of poison points, starting from the last model."""
        fit = self.training.fit(points, signs, copies, start=self.duals, tolerance=_SMOOTH_GAP)
        self.duals = fit.duals
        return fit
