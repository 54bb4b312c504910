"""Checks and predictions that the learners share."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from toadstone.core.arrays import Array, IntArray, Labels, Matrix
from toadstone.core.dataset import as_matrix
from toadstone.core.errors import InvalidData


class SparseClassifier(ClassifierMixin):
    """A classifier that accepts sparse rows."""

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that sparse rows are accepted."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class LinearScores:
    """Decision function and predictions of a linear model, as scikit-learn has them."""

    coef_: Array
    intercept_: Array
    classes_: Labels

    def decision_function(self, X: Matrix) -> Array:
        """Return the scores of rows: of the second of two classes, or one for each class.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)

        Returns
        -------
        ndarray of shape (n,) or (n, n_classes)
        """
        scores = np.asarray(rows_to_predict(self, X) @ self.coef_.T + self.intercept_)
        return scores if scores.shape[1] > 1 else scores.ravel()

    def predict(self, X: Matrix) -> Labels:
        """Return the label with the highest score for each row, the first on a tie."""
        scores = self.decision_function(X)
        codes = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
        return np.asarray(self.classes_[codes])


def rows_to_fit(
    learner: BaseEstimator, X: Matrix, y: Labels, sample_weight: Array | None = None
) -> tuple[Matrix, IntArray, Array | None]:
    """Check parameters and training rows of a learner, and set its ``classes_``.

    Parameters
    ----------
    learner : estimator
        With scikit-learn's parameter constraints.
    X : ndarray or CSR of shape (n, d)
    y : array_like of shape (n,)
    sample_weight : array_like of shape (n,), optional

    Returns
    -------
    X : ndarray or CSR of shape (n, d)
    codes : ndarray of int of shape (n,)
        Indices of the labels in ``classes_``.
    sample_weight : ndarray of shape (n,) or None

    Raises
    ------
    InvalidData
        If rows of positive weight belong to fewer than two classes.
    """
    learner._validate_params()
    checked, labels = validate_data(learner, X, y, accept_sparse="csr", dtype=np.float64)
    check_classification_targets(labels)
    # scikit-learn lets duplicate entries and 64-bit indices of sparse rows pass; the compiled solvers do not.
    matrix, weights = as_matrix(checked), None
    if sample_weight is not None:
        weights = _check_sample_weight(sample_weight, matrix, dtype=np.float64, ensure_non_negative=True)
    learner.classes_, codes = np.unique(labels, return_inverse=True)
    check_two_classes(codes if weights is None else codes[weights > 0])
    return matrix, codes, weights


def check_two_classes(codes: IntArray) -> None:
    """Refuse labels of a single class.

    Raises
    ------
    InvalidData
        If fewer than two classes occur.
    """
    present = len(np.unique(codes))
    if present < 2:
        raise InvalidData(f"labels: expected rows of at least two classes, got {present} class")


def rows_to_predict(learner: BaseEstimator, X: Matrix) -> Matrix:
    """Check that a learner is fitted, and rows against those that it was fitted to."""
    check_is_fitted(learner)
    return as_matrix(validate_data(learner, X, accept_sparse="csr", dtype=np.float64, reset=False))


def draw_seed(random_state: int | np.random.RandomState | None) -> int:
    """Draw a seed for a solver from scikit-learn's `random_state`."""
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
