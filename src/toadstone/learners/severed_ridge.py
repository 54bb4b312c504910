"""SEVER for regression: ridge trained repeatedly without the rows with the most extreme gradients."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, Matrix
from toadstone.kernels.regression.ridge import RidgeModel, fit_ridge
from toadstone.kernels.statistics.sever import sever
from toadstone.learners.regression import SparseRegressor, targets_to_fit

_ROUNDING = 1e-10


class SeveredRidge(SparseRegressor, BaseEstimator):
    """Ridge regression trained repeatedly without the rows with the most extreme gradients.

    The gradient of a row's squared error is twice its residual times the row
    and a one. Each round centres the gradients, projects them on their top
    singular vector, and leaves out the rows that project farthest [1]_.

    Parameters
    ----------
    fraction : float, default=0.1
        Assumed share of poison, in [0, 1): half of it is left out after each
        round.
    rounds : int, default=4
        Number of models to train before the final one.
    ridge : float, default=0.01
        Penalty of the squared norm of the weights; not negative.

    Attributes
    ----------
    coef_ : ndarray of shape (d,)
    intercept_ : float
    kept_indices_ : ndarray of int
        Positions of the kept rows, ascending.
    suspicion_ : ndarray of shape (n,)
        Squared projection of each row's gradient as a multiple of the mean, in
        its worst round.
    n_features_in_ : int

    References
    ----------
    .. [1] Diakonikolas and others, "Sever: A robust meta-algorithm for
       stochastic optimization", ICML 2019, algorithms 1 and 2, section 4.1.

    Examples
    --------
    >>> X = np.arange(8.0)[:, None]
    >>> y = 2 * X[:, 0] + 1
    >>> y[6] = 90.0
    >>> 6 in SeveredRidge(fraction=0.3, rounds=1).fit(X, y).kept_indices_
    False
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "fraction": [Interval(Real, 0, 1, closed="left")],
        "rounds": [Interval(Integral, 1, None, closed="left")],
        "ridge": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, *, fraction: float = 0.1, rounds: int = 4, ridge: float = 0.01) -> None:
        self.fraction = fraction
        self.rounds = rounds
        self.ridge = ridge

    def fit(self, X: Matrix, y: Array) -> Self:
        """Train, leave rows out and train again.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : array_like of shape (n,)
            Numbers.

        Returns
        -------
        SeveredRidge
            The fitted estimator.
        """
        matrix, targets = targets_to_fit(self, X, y)
        severed = sever(
            lambda rows: fit_ridge(matrix[rows], targets[rows], self.ridge),
            lambda model: _slopes(model, matrix, targets),
            matrix,
            np.zeros(len(targets), dtype=np.int64),
            share=self.fraction / 2,
            rounds=self.rounds,
        )
        self.kept_indices_ = np.flatnonzero(severed.kept)
        self.suspicion_ = np.max(
            [
                pull.excess(matrix, _slopes(model, matrix, targets))
                for model, (pull,) in zip(severed.models, severed.pulls, strict=True)
            ],
            axis=0,
        )
        final = fit_ridge(matrix[self.kept_indices_], targets[self.kept_indices_], self.ridge)
        self.coef_, self.intercept_ = final.weights, final.bias
        return self


def _slopes(model: RidgeModel, X: Matrix, y: Array) -> Array:
    """Return twice the residuals as a column; what rounding explains is no residual, and its gradients coincide."""
    residuals = model.predict(X) - y
    return 2 * np.where(np.abs(residuals) > _ROUNDING * np.abs(y).max(), residuals, 0.0)[:, None]
