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


class TrimmedRidge(SparseRegressor, BaseEstimator):
    """Ridge regression trained on the rows with the smallest squared error.

    The mean squared error of the kept rows plus the ridge times the squared
    norm is minimised in turns over the model and over the rows: algorithm 2
    of [1]_, from the model of all rows and from models of random subsets. The
    result with the lowest objective is taken.

    Parameters
    ----------
    keep : float, default=0.8
        Share of the rows to fit, in (0.5, 1].
    restarts : int, default=4
        Number of random subsets of that share to start from, besides all rows.
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
        Objective reached from each start; the lowest was taken.
    n_features_in_ : int

    References
    ----------
    .. [1] Jagielski, Oprea, Biggio, Liu, Nita-Rotaru and Li, "Manipulating
       machine learning: Poisoning attacks and countermeasures for regression
       learning", IEEE Symposium on Security and Privacy 2018, algorithm 2.

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
        restarts: int = 4,
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
        n, size = len(order), max(1, int(self.keep * len(order)))
        starts = [np.arange(n), *(np.sort(order[rng.permutation(n)[:size]]) for _ in range(self.restarts))]
        fits = [self._descend(matrix, targets, start) for start in starts]
        self.objectives_ = np.array([self._objective(matrix, targets, fit) for fit in fits])
        best = fits[int(self.objectives_.argmin())]
        self.kept_indices_, self.suspicion_ = best.rows, best.losses
        self.coef_, self.intercept_ = best.model.weights, best.model.bias
        return self

    def _descend(self, X: Matrix, y: Array, start: IntArray) -> TrimmedFit[RidgeModel]:
        return alternate(
            lambda rows: fit_ridge(X[rows], y[rows], self.ridge),
            lambda model: model.squared_residuals(X, y),
            np.zeros(len(y), dtype=np.int64),
            start,
            keep=self.keep,
            rounds=self.rounds,
        )

    def _objective(self, X: Matrix, y: Array, fit: TrimmedFit[RidgeModel]) -> float:
        return fit.model.objective(X[fit.rows], y[fit.rows], self.ridge)
