"""TRIM: ridge regression trained on the rows that it fits best."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.kernels.linear.trimmed_loss import TrimmedFit, alternate
from toadstone.kernels.regression.ridge import RidgeModel, fit_ridge
from toadstone.kernels.rows import value_order
from toadstone.learners.linear_scores import draw_seed
from toadstone.learners.regression import SparseRegressor, targets_to_fit

_FIRST_TURNS, _MOST_AHEAD = 2, 5


class TrimmedRidge(SparseRegressor, BaseEstimator):
    """Ridge regression trained on the rows with the smallest squared error.

    The mean squared error of the kept rows plus the ridge times the squared
    norm is minimised in turns over the model and over the rows: algorithm 2
    of [1]_. The paper starts from one random subset of the share to keep;
    such a subset has the poison in the same share as all rows, and the
    turns may settle on it. So they start here from all rows and from random
    subsets of one row more than there are features, some of which are free
    of poison: each takes two turns, and the best five go on until they settle,
    as in [2]_. The result with the lowest objective is taken.

    Parameters
    ----------
    keep : float, default=0.8
        Share of the rows to fit, in (0.5, 1].
    restarts : int, default=20
        Number of random subsets to start from, besides all rows.
    rounds : int, default=50
        Most models to train from each start.
    ridge : float, default=0.01
        Penalty of the squared norm of the weights; not negative.
    random_state : int, RandomState or None, default=0
        Seed of the subsets.

    Attributes
    ----------
    coef_ : ndarray of shape (d,)
    intercept_ : float
    kept_indices_ : ndarray of int
        Positions of the fitted rows, ascending.
    suspicion_ : ndarray of shape (n,)
        Squared error of each row.
    objectives_ : ndarray of shape (restarts + 1,)
        Objective reached from each start, after two turns where that was not
        among the best; the lowest was taken.
    n_features_in_ : int

    References
    ----------
    .. [1] Jagielski, Oprea, Biggio, Liu, Nita-Rotaru and Li, "Manipulating
       machine learning: Poisoning attacks and countermeasures for regression
       learning", IEEE Symposium on Security and Privacy 2018, algorithm 2.
    .. [2] Rousseeuw and Van Driessen, "Computing LTS regression for large
       data sets", Data Mining and Knowledge Discovery 12, 2006, section 3.

    Examples
    --------
    >>> X = np.arange(8.0)[:, None]
    >>> y = 2 * X[:, 0] + 1
    >>> y[3] = 90.0
    >>> model = TrimmedRidge(ridge=0.0).fit(X, y)
    >>> model.kept_indices_.size, 3 in model.kept_indices_, float(model.coef_[0].round(6))
    (6, False, 2.0)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "keep": [Interval(Real, 0.5, 1, closed="right")],
        "restarts": [Interval(Integral, 0, None, closed="left")],
        "rounds": [Interval(Integral, 1, None, closed="left")],
        "ridge": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        keep: float = 0.8,
        restarts: int = 20,
        rounds: int = 50,
        ridge: float = 0.01,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.keep = keep
        self.restarts = restarts
        self.rounds = rounds
        self.ridge = ridge
        self.random_state = random_state

    def fit(self, X: Matrix, y: Array) -> Self:
        """Train from every start and keep the best model.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : array_like of shape (n,)
            Numbers.

        Returns
        -------
        TrimmedRidge
            The fitted estimator.
        """
        matrix, targets = targets_to_fit(self, X, y)
        rng = np.random.default_rng(draw_seed(self.random_state))
        # Subsets are drawn in the order of the values, so that the caller's order is irrelevant.
        order = value_order(matrix, targets)
        n, size = len(order), max(1, min(len(order) // 2, matrix.shape[1] + 1))
        starts = [np.sort(order[rng.permutation(n)[:size]]) for _ in range(self.restarts)]
        first = [self._turns(matrix, targets, start, 1 + _FIRST_TURNS) for start in starts]
        objectives = [self._objective(matrix, targets, fit) for fit in first]
        ahead = set(np.argsort(objectives, kind="stable")[:_MOST_AHEAD].tolist())
        fits = [self._turns(matrix, targets, np.arange(n), self.rounds)]
        for place, fit in enumerate(first):
            fits.append(self._turns(matrix, targets, fit.rows, self.rounds) if place in ahead else fit)
        self.objectives_ = np.array([self._objective(matrix, targets, fit) for fit in fits])
        best = fits[int(self.objectives_.argmin())]
        self.kept_indices_, self.suspicion_ = best.rows, best.losses
        self.coef_, self.intercept_ = best.model.weights, best.model.bias
        return self

    def _turns(self, X: Matrix, y: Array, start: IntArray, rounds: int) -> TrimmedFit[RidgeModel]:
        return alternate(
            lambda rows: fit_ridge(X[rows], y[rows], self.ridge),
            lambda model: model.squared_residuals(X, y),
            np.zeros(len(y), dtype=np.int64),
            start,
            keep=self.keep,
            rounds=rounds,
        )

    def _objective(self, X: Matrix, y: Array, fit: TrimmedFit[RidgeModel]) -> float:
        return fit.model.objective(X[fit.rows], y[fit.rows], self.ridge)
