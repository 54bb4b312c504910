"""What all learners with one linear function a class have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from toadstone.core.arrays import Array, IntArray, Labels, Matrix
from toadstone.core.dataset import as_matrix
from toadstone.core.errors import InvalidData


class LinearScores(ClassifierMixin):
    """Scores and predictions of one linear function a class."""

    coef_: Array
    intercept_: Array
    classes_: Labels

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that sparse rows are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def decision_function(self, X: Matrix) -> Array:
        """One score a class, or by how much the second's exceeds the first's.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)

        Returns
        -------
        ndarray of shape (n,) or (n, n_classes)
        """
        check_is_fitted(self)
        matrix = as_matrix(validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False))
        scores = np.asarray(matrix @ self.coef_.T + self.intercept_)
        return scores if scores.shape[1] > 1 else scores.ravel()

    def predict(self, X: Matrix) -> Labels:
        """The label with the best score, the first on a tie."""
        scores = self.decision_function(X)
        codes = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
        return np.asarray(self.classes_[codes])

    def _admit(self, X: Matrix, y: Labels) -> tuple[Matrix, IntArray]:
        checked, labels = validate_data(self, X, y, accept_sparse="csr", dtype=np.float64)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        return as_matrix(checked), codes


def check_two_classes(codes: IntArray) -> None:
    """Refuse labels that leave nothing to tell apart.

    Raises
    ------
    InvalidData
        If fewer than two classes occur.
    """
    present = len(np.unique(codes))
    if present < 2:
        raise InvalidData(f"labels: expected rows of at least two classes, got {present} class")
