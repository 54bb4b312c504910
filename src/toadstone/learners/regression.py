"""Checks and predictions that the regressors share."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from toadstone.core.arrays import Array, Matrix
from toadstone.core.dataset import as_matrix


class SparseRegressor(RegressorMixin):
    """A regressor that accepts sparse rows, and predicts by its ``coef_`` and ``intercept_``."""

    coef_: Array
    intercept_: float

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that sparse rows are accepted."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def predict(self, X: Matrix) -> Array:
        """Return the prediction for each row.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)

        Returns
        -------
        ndarray of shape (n,)
        """
        check_is_fitted(self)
        rows = as_matrix(validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False))
        return np.asarray(rows @ self.coef_ + self.intercept_)


def targets_to_fit(learner: BaseEstimator, X: Matrix, y: Array) -> tuple[Matrix, Array]:
    """Check parameters and training rows of a regressor.

    Returns
    -------
    X : ndarray or CSR of shape (n, d)
    y : ndarray of float64 of shape (n,)
    """
    learner._validate_params()
    checked, targets = validate_data(
        learner, X, y, accept_sparse="csr", dtype=np.float64, y_numeric=True, ensure_min_samples=2
    )
    return as_matrix(checked), np.asarray(targets, dtype=np.float64)
