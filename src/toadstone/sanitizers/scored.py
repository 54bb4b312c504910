"""Scores and decisions of sanitizers and detectors, from suspicion in each class and its threshold."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from toadstone.core.arrays import Array, IntArray, Labels, Matrix
from toadstone.core.dataset import as_matrix
from toadstone.kernels.rows import canonical_form
from toadstone.sanitizers.labelled import class_codes, own

_SAME_SCORE = 1e-10


class ClassScorer(OneToOneFeatureMixin):
    """Scikit-learn's methods of an outlier detector, with a threshold for each class.

    A class with this base gives `fit`, which sets `classes_`, `suspicion_` and
    `thresholds_`, and `_class_suspicions`. There is one sign: suspicion and
    thresholds are larger for anomalous rows, `score_samples`,
    `decision_function` and `offset_` are their negatives. A row scored without
    a label counts as the class in which it looks most normal.
    """

    needs_labels: ClassVar[bool] = False

    classes_: Labels
    suspicion_: Array
    thresholds_: Array

    def fit(self, X: Matrix, y: Labels | None = None) -> Self:
        """Learn what is normal in each class."""
        raise NotImplementedError

    def _class_suspicions(self, X: Matrix) -> Array:
        """Return the suspicion of every row in every class, shape (n, n_classes)."""
        raise NotImplementedError

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that rows may be sparse, and that some scorers need labels."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.required = self.needs_labels
        return tags

    @property
    def offset_(self) -> float:
        """Threshold on `score_samples`, where there is a single class."""
        check_is_fitted(self)
        if len(self.thresholds_) != 1:
            raise AttributeError("offset_ differs by class; read thresholds_")
        return -float(self.thresholds_[0])

    def score_samples(self, X: Matrix, y: Labels | None = None) -> Array:
        """Score how normal each row is.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : array_like of shape (n,), optional
            Labels; without them a row scores as its best class.

        Returns
        -------
        ndarray of shape (n,)
            Larger is more normal.
        """
        suspicions = self._checked_suspicions(X)
        return self._for_labels(-suspicions, y)

    def decision_function(self, X: Matrix, y: Labels | None = None) -> Array:
        """Return each row's score less the offset of its class.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : array_like of shape (n,), optional
            Labels; without them a row is judged as its best class.

        Returns
        -------
        ndarray of shape (n,)
            Negative for rows that look anomalous.
        """
        suspicions = self._checked_suspicions(X)
        return self._for_labels(self.thresholds_ - suspicions, y)

    def predict(self, X: Matrix, y: Labels | None = None) -> IntArray:
        """Return +1 for rows that look normal and -1 for anomalous ones, by the threshold."""
        return np.where(self.decision_function(X, y) >= 0, 1, -1)

    def fit_predict(self, X: Matrix, y: Labels | None = None) -> IntArray:
        """Fit, and judge the same rows by the threshold, as if they were new."""
        return self.fit(X, y).predict(X, y)

    def _checked_suspicions(self, X: Matrix) -> Array:
        check_is_fitted(self)
        checked = validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False)
        return self._class_suspicions(canonical_form(as_matrix(checked)))

    def _for_labels(self, normality: Array, y: Labels | None) -> Array:
        if y is None:
            return np.asarray(normality.max(axis=1))
        return own(normality, class_codes(self.classes_, y, len(normality)))


def rounding(suspicion: Array) -> float:
    """Return the largest difference of two scores that rounding may explain."""
    return _SAME_SCORE * float(np.abs(suspicion).max())


def select_rows(X: Matrix, y: Labels | None, rows: IntArray) -> tuple[Matrix, Any]:
    """Return some rows and their labels, in the caller's own types."""
    return _safe_indexing(X, rows), None if y is None else _safe_indexing(y, rows)


def reason(measure: str, suspicion: float, threshold: float, label: object) -> str:
    """Say in a sentence why a row was flagged or removed."""
    return f"{measure} is {suspicion:.6g}, against a threshold of {threshold:.6g} for class {label}"


def draw_seed(random_state: int | np.random.RandomState | None) -> int:
    """Draw a seed for a kernel from an estimator's random state."""
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
