"""What every sanitizer does with its scores: thresholds, trimming, reasons."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

from toadstone.core.arrays import Array, IntArray, Labels, Mask, Matrix
from toadstone.core.dataset import as_matrix
from toadstone.sanitizers.labelled import admit, class_codes, own

SHARE = Interval(Real, 0, 0.5, closed="right")
"""What `contamination` may be."""

_SAME_SCORE = 1e-10


def trim(anomalies: Array, codes: IntArray, contamination: float) -> IntArray:
    """Keep the least anomalous rows of each class.

    Scores that agree to ten digits of the largest count as ties, so that
    rounding, which depends on the number of threads, never decides; ties go
    to the earlier row.

    Parameters
    ----------
    anomalies : ndarray of shape (n,)
        Larger is more anomalous.
    codes : ndarray of shape (n,)
        Class of each row, counted from zero.
    contamination : float
        Share of each class to remove.

    Returns
    -------
    ndarray of int
        Kept rows in ascending order, exactly
        ``round((1 - contamination) * n_y)`` of each class y.

    Examples
    --------
    >>> trim(np.array([3.0, 1.0, 2.0, 9.0]), np.array([0, 0, 0, 1]), 0.4)
    array([1, 2, 3])
    """
    ranked = np.round(anomalies / (_rounding(anomalies) or 1.0))
    kept = []
    for code in range(int(codes.max()) + 1):
        rows = np.flatnonzero(codes == code)
        count = round((1 - contamination) * len(rows))
        kept.append(rows[np.argsort(ranked[rows], kind="stable")[:count]])
    return np.sort(np.concatenate(kept))


class Trimming(OneToOneFeatureMixin):
    """Scores, thresholds and decisions from the anomalies that a sanitizer measures.

    A sanitizer provides `fit`, which calls `_admit` first and `_conclude`
    last, and `_anomalies`. Rows scored without labels count as the class in
    which they look most normal.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"contamination": [SHARE]}
    _measure: ClassVar[str]

    contamination: float
    classes_: Labels
    offsets_: Array
    suspicion_: Array

    def fit(self, X: Matrix, y: Labels | None = None) -> Self:
        """Learn what is normal in each class."""
        raise NotImplementedError

    def _anomalies(self, X: Matrix) -> Array:
        """How unlike each class every row is, shape (n, n_classes)."""
        raise NotImplementedError

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that sparse rows are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @property
    def offset_(self) -> float:
        """The threshold on `score_samples`, where there is a single class."""
        check_is_fitted(self)
        if len(self.offsets_) != 1:
            raise AttributeError("offset_ differs by class; read offsets_")
        return float(self.offsets_[0])

    def score_samples(self, X: Matrix, y: Labels | None = None) -> Array:
        """How normal each row is.

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
        anomalies = self._measured(X)
        if y is None:
            return np.asarray(-anomalies.min(axis=1))
        return -own(anomalies, self._codes(y, len(anomalies)))

    def decision_function(self, X: Matrix, y: Labels | None = None) -> Array:
        """How far each row's score lies above the threshold of its class.

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
        anomalies = self._measured(X)
        above = -anomalies - self.offsets_
        if y is None:
            return np.asarray(above.max(axis=1))
        return own(above, self._codes(y, len(anomalies)))

    def predict(self, X: Matrix, y: Labels | None = None) -> IntArray:
        """Say which rows look normal (+1) or anomalous (-1), by the threshold."""
        return np.where(self.decision_function(X, y) >= 0, 1, -1)

    def fit_predict(self, X: Matrix, y: Labels | None = None) -> IntArray:
        """Fit, and judge the same rows by the threshold."""
        return self.fit(X, y).predict(X, y)

    def fit_resample(self, X: Matrix, y: Labels) -> tuple[Matrix, Labels]:
        """Fit, and remove the most anomalous rows of each class by rank.

        Parameters
        ----------
        X : array_like or CSR of shape (n, d)
        y : array_like of shape (n,)

        Returns
        -------
        X, y
            The kept rows in their original order, type and values;
            `sample_indices_` tells which they are.
        """
        self.fit(X, y)
        codes = self._codes(y, len(self.suspicion_))
        self.sample_indices_ = trim(self.suspicion_, codes, self.contamination)
        self.removed_indices_ = np.setdiff1d(np.arange(len(codes)), self.sample_indices_)
        self.reasons_ = [self._reason(row, int(codes[row])) for row in self.removed_indices_]
        return _safe_indexing(X, self.sample_indices_), None if y is None else _safe_indexing(y, self.sample_indices_)

    def _admit(self, X: Matrix, y: Labels | None) -> tuple[Matrix, IntArray]:
        self._validate_params()
        matrix, self.classes_, codes = admit(self, X, y)
        return matrix, codes

    def _conclude(self, matrix: Matrix, codes: IntArray) -> Self:
        self.suspicion_ = own(self._anomalies(matrix), codes)
        quantiles = [
            np.quantile(self.suspicion_[codes == code], 1 - self.contamination) for code in range(len(self.classes_))
        ]
        self.offsets_ = -np.array(quantiles) - _rounding(self.suspicion_)
        return self

    def _measured(self, X: Matrix) -> Array:
        check_is_fitted(self)
        return self._anomalies(as_matrix(validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False)))

    def _codes(self, y: Labels | None, n_rows: int) -> IntArray:
        return class_codes(self.classes_, y, n_rows)

    def _reason(self, row: int, code: int) -> str:
        return (
            f"{self._measure} is {self.suspicion_[row]:.6g}, "
            f"against a threshold of {-self.offsets_[code]:.6g} for class {self.classes_[code]}"
        )


def memberships(codes: IntArray) -> list[Mask]:
    """Which rows belong to each class, by class code."""
    return [codes == code for code in range(int(codes.max()) + 1)]


def by_label(classes: Labels, items: list[Any]) -> Mapping[Any, Any]:
    """Items listed by class code, under the labels themselves."""
    return dict(zip(classes.tolist(), items, strict=True))


def _rounding(anomalies: Array) -> float:
    """Below this, a difference of scores is the arithmetic's, not the rows'."""
    return _SAME_SCORE * float(np.abs(anomalies).max())
