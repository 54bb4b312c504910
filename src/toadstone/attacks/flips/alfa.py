"""ALFA: adversarial label flips of Xiao, Xiao and Eckert."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from toadstone.attacks.flips.label_changes import possible_flips
from toadstone.core.arrays import Array, Matrix
from toadstone.core.budget import Budget
from toadstone.core.checks import check_count, check_positive
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument
from toadstone.core.protocols import FeasibleSet
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import HINGE
from toadstone.kernels.rows import stack

# Relative to the mass; smaller gains are rounding errors of the fits.
_SMALLEST_GAIN = 1e-9


@dataclass(frozen=True, eq=False, kw_only=True)
class ALFAAttack:
    """Label flips that a model trained with them fits well and the clean model fits badly.

    With a weight q for each candidate flip, two steps alternate: train the
    hinge loss on clean rows and weighted flips; then give the weight to the
    flips whose loss at that model exceeds their loss at the clean model least.
    Neither step can raise their common objective, so the weights converge.

    Parameters
    ----------
    pool : Dataset, optional
        The rows that may be flipped; by default the clean training rows.
    feasible_set : FeasibleSet, optional
        Only rows that lie inside it under their new label are candidates.
    ridge : float
        Penalty of the defender's linear model, for each row.
    cap : float
        Largest number of copies of one row: a whole number, one as in [1]_,
        or infinity. Without a limit all copies are of a single row.
    rounds : int
        Largest number of alternations.

    Raises
    ------
    InvalidArgument
        If `ridge`, `cap` or `rounds` is out of range.

    References
    ----------
    .. [1] Xiao, Xiao and Eckert, "Adversarial label flips attack on support
       vector machines", ECAI 2012, section 4.
    .. [2] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022.

    Examples
    --------
    >>> data = Dataset([[-2.0], [-1.0], [1.0], [9.0]], ["ham", "ham", "spam", "spam"])
    >>> made = ALFAAttack(ridge=0.1).poison(data, Budget(0.25), np.random.default_rng(0))
    >>> made.X.tolist(), made.y.tolist()
    ([[9.0]], ['ham'])
    """

    pool: Dataset | None = None
    feasible_set: FeasibleSet | None = None
    ridge: float = 0.01
    cap: float = 1.0
    rounds: int = 100

    def __post_init__(self) -> None:
        check_positive(ridge=self.ridge)
        if not self.cap >= 1 or (np.isfinite(self.cap) and self.cap != int(self.cap)):
            raise InvalidArgument("cap", "a whole number from 1, or infinity", self.cap)
        check_count(rounds=self.rounds)

    def poison(self, data: Dataset, budget: Budget, rng: Generator) -> Poison:
        """Choose flips.

        Parameters
        ----------
        data : Dataset
            Of two classes.
        budget : Budget
            Of kind "add".
        rng : Generator
            Not used.

        Returns
        -------
        Poison
            As many rows as the budget allows, or `cap` copies of every
            candidate if these are fewer.

        Raises
        ------
        InvalidArgument
            If the budget is not for adding rows or for none, or the pool has
            other columns or labels than the data.
        InvalidData
            If there are not exactly two classes.
        EmptyFeasibleSet
            If there is no candidate.
        """
        count, pool = budget.count(len(data)), data if self.pool is None else self.pool
        if budget.kind != "add" or count == 0:
            raise InvalidArgument("budget", f"one for adding at least one row to {len(data)}", budget)
        signs = data.signs
        if pool.n_features != data.n_features or not np.isin(pool.classes, data.classes).all():
            raise InvalidArgument("pool", f"{data.n_features} columns and labels of the data", pool.classes)
        candidates = np.flatnonzero(possible_flips(pool, data.classes, self.feasible_set).any(axis=1))
        turned = np.where(pool.y[candidates] == data.classes[0], 1.0, -1.0)
        X = stack([data.X, pool.X[candidates]])
        copies = self._copies(X, signs, turned, min(float(count), self.cap * len(candidates)))
        chosen = np.repeat(np.arange(len(candidates)), copies.astype(int))
        return Poison(pool.X[candidates[chosen]], data.classes[(turned[chosen] > 0).astype(int)])

    def _copies(self, X: Matrix, clean: Array, turned: Array, mass: float) -> Array:
        """Return the converged weights of the candidates, which are the last rows of X."""
        n, signs = len(clean), np.append(clean, turned)
        weights = np.append(np.ones(n), np.zeros(len(turned)))
        fit = fit_linear(X, signs, loss=HINGE, ridge=self.ridge, weights=weights)
        before = _losses(X[n:], turned, fit.theta)
        chosen = np.full(len(turned), mass / len(turned))
        for round_ in range(self.rounds):
            weights[n:] = chosen
            fit = fit_linear(X, signs, loss=HINGE, ridge=self.ridge, weights=weights, duals=fit.duals)
            gains = _losses(X[n:], turned, fit.theta) - before
            better = _cheapest(gains, mass, self.cap)
            # The first weights are fractions, not numbers of copies, so the first round always moves them.
            if round_ > 0 and gains @ better >= gains @ chosen - _SMALLEST_GAIN * mass:
                break
            chosen = better
        return chosen


def _losses(X: Matrix, signs: Array, theta: Array) -> Array:
    return HINGE.value(signs * (X @ theta[:-1] + theta[-1]))


def _cheapest(costs: Array, mass: float, cap: float) -> Array:
    """Return the weights in [0, cap] of a given sum with the lowest cost, the first on a tie."""
    weights = np.zeros(len(costs))
    for k in np.argsort(costs, kind="stable"):
        weights[k] = min(cap, mass)
        mass -= weights[k]
        if mass <= 0:
            break
    return weights
