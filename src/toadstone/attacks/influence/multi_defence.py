"""The adaptive attack: poison moved so that every deployed defence still trains a bad model."""

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
"""From rows and their labels to the numbers of those that a defence keeps."""

_SIGNS = np.array([-1.0, 1.0])
_CLOSE, _EXACT = 1e-5, 1e-3
_TOLD_APART = 0.003


@dataclass(frozen=True, eq=False, kw_only=True)
class KKTInfluenceAttack:
    """A KKT attack, then moved along its influence on what every defence trains.

    An attacker who knows the defences looks, now and again, which clean rows
    each of them keeps beside the poison. In between it follows the gradient
    of the probe's errors, made smooth, through the models trained on these
    rows; the defence that holds best counts most. Poison stays in the feasible
    set, and its loss at the models within that of most clean rows, as in the
    KKT attack [1]_; filters therefore keep it. The iterate is kept whose
    rounded rows leave the most errors to the best defence.

    Parameters
    ----------
    start : KKTAttack
        From whose points the search begins, and how they are rounded.
    probe : Dataset
        Rows that should be misclassified.
    filters : tuple of callable
        The defences: each takes rows and labels, and returns the numbers of
        the rows it keeps.
    width : float
        Of the smooth count of errors, in units of margin; see `SigmoidLoss`.
    step : float
        Length of a step, as a share of the feasible set's radius.
    max_steps : int
    refresh : int
        Steps between two looks at what is kept.

    Raises
    ------
    InvalidArgument
        If an option is out of range.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022, sections 4.1
       and 4.2, of which this joins both.
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
        """As many rows as the budget allows.

        Parameters
        ----------
        data : Dataset
            Clean rows of two classes.
        budget : Budget
            Of kind "add".
        rng : Generator
            For rounding.

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
            search.look()
            for step in range(1, self.max_steps + 1):
                search.move()
                if step % self.refresh == 0 or step == self.max_steps:
                    search.look()
        return search.best


class _Search:
    """Points on their way, what each defence keeps beside them, and the best rounding so far."""

    def __init__(self, attack: KKTInfluenceAttack, data: Dataset, solution: KKTSolution, rng: Generator) -> None:
        self.attack, self.data, self.rng = attack, data, rng
        self.solution, self.theta = solution, attack.start.theta
        self.probe = probe_loss(attack.probe, data.classes, SigmoidLoss(attack.width))
        self.used = np.flatnonzero(solution.counts)
        radii = [extent(attack.start.feasible_set.region(label)) for label in data.classes.tolist()]
        self.stride = attack.step * float(np.mean(radii))
        self.trainings: list[_Defended] = []
        self.duals = np.zeros(len(data))
        self.best, self.most = self.rounded(), -1.0

    def rounded(self) -> Poison:
        """The present points as rows."""
        start = replace(self.attack.start, theta=self.theta)
        return start.rows(self.solution, self.data, self.rng)

    def look(self) -> None:
        """Let the defences filter the present rows; remember these if they do the most harm."""
        poison, n = self.rounded(), len(self.data)
        X = stack([self.data.X, poison.X])
        y = np.concatenate([self.data.y, poison.y.astype(self.data.y.dtype)])
        signs = np.where(y == self.data.classes[1], 1.0, -1.0)
        duals, errors, kept = np.append(self.duals, np.ones(len(poison))), [], []
        for keep in self.attack.filters:
            rows = keep(X, y)
            fit = fit_linear(
                X[rows], signs[rows], loss=HINGE, ridge=self.attack.start.ridge, duals=duals[rows], tolerance=_EXACT
            )
            duals[rows] = fit.duals
            errors.append(float(np.mean(decoy_margins(self.probe.X, self.probe.signs, fit.theta) <= 0)))
            kept.append(rows[rows < n])
        self.duals = duals[:n]
        self.trainings = [_Defended(self.data, rows, self.attack.start.ridge) for rows in kept]
        if min(errors) > self.most:
            self.best, self.most = poison, min(errors)

    def move(self) -> None:
        """One step along the influence on the smooth errors, mostly of the defence with the fewest."""
        points, signs = self.solution.points[self.used], _SIGNS[self.used]
        copies = self.solution.counts[self.used].astype(float)
        fits = [training.fit(points, signs, copies) for training in self.trainings]
        errors = np.array([self.probe.value(fit.theta) for fit in fits])
        shares = np.exp((errors.min() - errors) / _TOLD_APART)
        shares /= shares.sum()
        way = np.tensordot(shares, [influence(fit, self.probe) for fit in fits], axes=1)
        self.theta = np.asarray(shares @ [fit.theta for fit in fits])
        length = float(np.linalg.norm(way, axis=1).max())
        if length > 0:
            moved = self.solution.points.copy()
            moved[self.used] += self.stride / length * way
            self.admit(moved)

    def admit(self, points: Array) -> None:
        """Take the nearest points of the feasible set whose loss at the model is active and ordinary."""
        regions = replace(self.attack.start, theta=self.theta).regions(self.data)
        # Where no row is so, the next look will tell what became of the last ones.
        with suppress(EmptyFeasibleSet):
            moved = [project(region, point)[0] for region, point in zip(regions, points, strict=True)]
            self.solution = replace(self.solution, points=np.stack(moved), regions=regions)


class _Defended:
    """The clean rows that a defence keeps, and the models trained on them one after another."""

    def __init__(self, data: Dataset, rows: IntArray, ridge: float) -> None:
        self.training = PoisonedTraining(data.X[rows], data.signs[rows], loss=smooth_hinge(), ridge=ridge)
        self.duals: Array | None = None

    def fit(self, points: Array, signs: Array, copies: Array) -> SmoothFit:
        """Train on them and on copies of points, from where the last training ended."""
        fit = self.training.fit(points, signs, copies, start=self.duals, tolerance=_CLOSE)
        self.duals = fit.duals
        return fit
