"""The KKT attack: poison that satisfies the optimality conditions of a decoy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator
from scipy.sparse import issparse

from toadstone.attacks.decoys.rounded import Rounded, Rounding, copy_points, round_points
from toadstone.core.arrays import Array, IntArray, Labels
from toadstone.core.budget import Budget
from toadstone.core.checks import check_count, check_positive, check_within
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument
from toadstone.core.feasible import Region
from toadstone.kernels.kkt.gradient_matching import match, match_jointly
from toadstone.kernels.kkt.stationarity import BELOW_MARGIN, decoy_margins, loss_band, loss_quantiles, wanted_pull
from toadstone.kernels.sets.sets import ConvexSet

_SIGNS = (-1.0, 1.0)


@dataclass(frozen=True, eq=False)
class KKTSolution:
    """Poison points before rounding, with the residual of the optimality conditions.

    Parameters
    ----------
    points : ndarray of shape (2, d)
        One for each class.
    labels : ndarray of shape (2,)
    counts : ndarray of int of shape (2,)
        Number of poison rows at each point.
    masses : ndarray of shape (2,)
        The counts divided by the number of clean rows.
    residual : ndarray of shape (d + 1,)
        Gradient of the defender's objective at the decoy, times all rows
        and divided by clean rows, bias last; zero if the decoy is optimal.
    residual_norm, gap : float
        Norm of the residual, and its distance at most from the smallest norm
        with these counts.
    regions : tuple of two Region
        Sets that the points lie in: the feasible set, limited by bands of
        loss at the decoy.
    """

    points: Array
    labels: Labels
    counts: IntArray
    masses: Array
    residual: Array
    residual_norm: float
    gap: float
    regions: tuple[Region, Region]

    def residual_after(self, rounded: Rounded) -> float:
        """Return the norm of the residual if rounded rows replace the points."""
        moved = rounded.drift * (self.masses.sum() / self.counts.sum())
        return float(np.linalg.norm(self.residual + np.append(moved, 0.0)))


@dataclass(frozen=True, eq=False)
class KKTAttack:
    """Two poison points that satisfy the optimality (KKT) conditions of a decoy.

    The attacker knows the clean rows, the defender's penalty, the feasible
    set, and a model that the defender should learn: the decoy. The hinge loss
    of a poison point at the decoy is positive, but no larger than that of
    most clean rows of its class, so that loss filters keep it.

    Parameters
    ----------
    theta : ndarray of shape (d + 1,)
        The decoy; weights, then the bias.
    feasible_set : ConvexSet
    ridge : float
        The defender's penalty, for each row.
    positive_share : float, optional
        Share of the poison with the label of the second class; by default the
        one with the smallest residual. See `paper_shares`.
    bias : {"free", "regularized"}
        "free" if the defender does not penalize the bias.
    loss_quantile : float
        Largest loss of the poison at the decoy, as a quantile of the clean
        losses of its class, in (0, 1].
    on_margin : {"free", "paper"}
        With "free", the subgradient of clean rows on the margin (within
        0.001) may be any; with "paper", as in the paper's code, rows with a
        margin below 0.99 have the full gradient and others none.
    repeats : int
        Equal copies of each rounded row, so that filters by neighbours keep
        them.
    integer : bool
        True if features are whole numbers.
    rounding : {"systematic", "independent"}
        "systematic" keeps the loss of the rows nearly equal; "independent" is
        the paper's rounding.
    draws : int
        Number of roundings, of which the one with the fewest rows outside
        their region is used.

    Raises
    ------
    InvalidArgument
        If an option is out of range.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022, section 4.2.
    """

    theta: Array
    feasible_set: ConvexSet
    ridge: float
    positive_share: float | None = None
    bias: Literal["free", "regularized"] = "free"
    loss_quantile: float = 0.9
    on_margin: Literal["free", "paper"] = "free"
    repeats: int = 2
    integer: bool = False
    rounding: Rounding = "systematic"
    draws: int = 4

    def __post_init__(self) -> None:
        check_positive(ridge=self.ridge)
        if self.positive_share is not None:
            check_within("[0, 1]", positive_share=self.positive_share)
        check_within("(0, 1]", loss_quantile=self.loss_quantile)
        check_count(repeats=self.repeats, draws=self.draws)
        choices = (("bias", self.bias, "free", "regularized"), ("on_margin", self.on_margin, "free", "paper"))
        for name, got, one, other in (*choices, ("rounding", self.rounding, "systematic", "independent")):
            if got not in (one, other):
                raise InvalidArgument(name, f"{one} or {other}", got)

    def solve(self, data: Dataset, budget: Budget) -> KKTSolution:
        """Find the points with the smallest residual for a budget, before rounding.

        A decoy that cannot be made optimal is no error; the residual tells.

        Parameters
        ----------
        data : Dataset
            Clean rows of two classes.
        budget : Budget
            Of kind "add".

        Returns
        -------
        KKTSolution

        Raises
        ------
        EmptyFeasibleSet
            If no point of a class lies in the feasible set and the band of
            loss.
        InvalidArgument
            If the budget is not for adding rows, or for none, or the decoy
            has another number of features.
        """
        count = _count(data, budget)
        if count == 0:
            raise InvalidArgument("budget", "one that allows a row", budget.fraction)
        if self.theta.shape != (data.n_features + 1,):
            raise InvalidArgument("theta", f"{data.n_features + 1} numbers", f"shape {self.theta.shape}")
        # The objective is a sum over clean rows and poison divided by clean rows, so the penalty grows with the poison.
        total, start, share = count / len(data), None, self.positive_share
        penalty = np.full(data.n_features + 1, (1 + total) * self.ridge)
        penalty[-1] *= self.bias == "regularized"
        target = wanted_pull(data.X, data.signs, self.theta, penalty=penalty, free_margin=self.on_margin == "free")
        regions = self.regions(data)
        if share is None:
            # The smallest residual is a convex function of the share, so a search over it finds the best one.
            start = match_jointly(target, regions, total)
            share = float(start.masses[1]) / total
        positive = round(share * count)
        counts = np.array([count - positive, positive])
        found = match(target, regions, counts / len(data), start=start)
        return KKTSolution(
            found.points, data.classes, counts, found.masses, found.residual, found.value, found.gap, regions
        )

    def round(self, solution: KKTSolution, rng: Generator) -> Rounded:
        """Round a solution's points to whole numbers, or copy them, and return the best of several draws.

        Parameters
        ----------
        solution : KKTSolution
        rng : Generator

        Returns
        -------
        Rounded
            The draw with the fewest rows outside their regions, and among
            these with the smallest residual.
        """
        found = (solution.points, solution.labels, solution.counts, solution.regions)
        if not self.integer:
            return copy_points(*found)
        trials = [
            round_points(*found, order=self.theta[:-1], repeats=self.repeats, rounding=self.rounding, rng=rng)
            for _ in range(self.draws)
        ]
        return min(trials, key=lambda trial: (trial.violating, solution.residual_after(trial)))

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Return as many rows as the budget allows.

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
        EmptyFeasibleSet
            If no point of a class lies in the feasible set and the band of
            loss.
        InvalidArgument
            If the budget is not for adding rows.
        """
        if _count(data, budget) == 0:
            return Poison(data.X[:0], data.y[:0])
        return self.rows(self.solve(data, budget), data, rng)

    def rows(self, solution: KKTSolution, data: Dataset, rng: Generator) -> Poison:
        """Return a solution's points as rows, rounded if required, dense or sparse as the clean ones."""
        made = self.round(solution, rng).poison()
        return made if issparse(data.X) or not issparse(made.X) else Poison(made.X.toarray(), made.y)

    def paper_shares(self, data: Dataset, budget: Budget, *, step: float = 0.005) -> tuple[float, ...]:
        """Return the shares of positive poison that the paper tries.

        Parameters
        ----------
        data : Dataset
        budget : Budget
        step : float
            Step between the fractions of positive poison.

        Returns
        -------
        tuple of float
            Ascending from 0 to 1. They include the share without residual in
            the bias under the paper's rule for rows on the margin, if it
            exists.
        """
        fraction = _count(data, budget) / len(data)
        pull = float(np.sum(data.signs[decoy_margins(data.X, data.signs, self.theta) < BELOW_MARGIN])) / len(data)
        exact = 0.5 * (fraction - pull)
        wanted = [*np.arange(0.0, fraction, step), fraction, *([exact] if 0 <= exact <= fraction else [])]
        return tuple(sorted({min(positive / fraction, 1.0) for positive in wanted})) if fraction else ()

    def regions(self, data: Dataset) -> tuple[Region, Region]:
        """Return the feasible set of each class, limited to losses at the decoy from zero to `loss_quantile`."""
        limits = loss_quantiles(data.X, data.signs, self.theta, self.loss_quantile)
        by_label = zip(data.classes, _SIGNS, strict=True)
        bands = {label: loss_band(self.theta, sign, 0.0, limits[sign]) for label, sign in by_label}
        within = ConvexSet(bands).intersect(self.feasible_set)
        negative, positive = (within.region(label) for label in data.classes)
        return negative, positive


def _count(data: Dataset, budget: Budget) -> int:
    if budget.kind != "add":
        raise InvalidArgument("budget", "one for adding rows", budget.kind)
    return budget.count(len(data))
