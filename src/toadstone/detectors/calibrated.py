"""What every detector does with its scores: thresholds that clean rows seldom exceed."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

from toadstone.core.arrays import Array, IntArray, Labels, Mask, Matrix
from toadstone.core.dataset import as_matrix
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.statistics.thresholds import smallest_detectable_share, tail_threshold, trusted_threshold
from toadstone.sanitizers.labelled import admit, class_codes, own, trusted_mask, value_order
from toadstone.sanitizers.trimming import memberships

PROMISE = Interval(Real, 0, 0.1, closed="right")
"""What `false_alarm_rate` may be."""

_SAME_SCORE = 1e-10


class Calibrated(OneToOneFeatureMixin):
    """Thresholds and decisions from the suspicion that a detector measures.

    A sanitizer that trims removes the same share of any data; a detector
    flags what clean rows would not do, be it nothing. Its threshold for each
    class extrapolates the bulk of the class's own scores (`tail_threshold`),
    or is the conformal quantile of rows that the caller trusts, where there
    are enough of the class. The first keeps its promise on heavy tails by flagging only what lies far
    out; poison that overlaps the clean scores, as flipped labels do, takes
    trusted rows to be found.

    A detector provides `_learn` and `_anomaly`, and may provide `_anomalies`,
    `_suspicions` and `_threshold`; one that learns from trusted rows finds
    them in `_clean`, and `needs_trusted`. It learns from the rows in an order that
    depends on their values only, so that the caller's order is irrelevant
    even where chance is at work.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"false_alarm_rate": [PROMISE]}
    _measure: ClassVar[str]
    needs_trusted: ClassVar[bool] = False

    false_alarm_rate: float
    classes_: Labels
    thresholds_: Array
    calibrated_classes_: Mask
    suspicion_: Array
    flagged_indices_: IntArray
    false_alarm_rate_: float
    smallest_detectable_share_: float
    reasons_: list[str]

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that sparse rows are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def fit(self, X: Matrix, y: Labels | None = None, *, trusted: IntArray | Mask | None = None) -> Self:
        """Measure the suspicion of every row, and flag rows beyond the threshold of their class.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
            Features, or a network's activations.
        y : array_like of shape (n,), optional
            Labels; without them all rows form one class.
        trusted : ndarray of int or bool, optional
            Rows known to be clean, by position or as a mask, as `calibrate`
            takes them.

        Returns
        -------
        Calibrated
            Itself.

        Raises
        ------
        InvalidArgument
            If `trusted` names rows that do not exist, or none where the
            detector needs some.
        """
        self._validate_params()
        matrix, self.classes_, codes = admit(self, X, y)
        clean = trusted_mask(trusted, len(codes))
        self._require(clean)
        self._order = order = value_order(matrix, codes)
        ordered = matrix[order]
        self._clean = clean[order]
        self._learn(ordered, codes[order])
        self.suspicion_ = np.empty(len(codes))
        self.suspicion_[order] = self._suspicions(ordered, codes[order])
        self._codes = codes
        self._decide(clean)
        return self

    def calibrate(self, trusted: IntArray | Mask | None) -> Self:
        """Set thresholds, flags and reasons again, without learning again.

        Parameters
        ----------
        trusted : ndarray of int or bool, or None
            Rows that were fitted and are known to be clean, by position or as
            a mask. They are never flagged, and their scores set the threshold
            of each class of which there are enough, ``1 / promise - 1``;
            `calibrated_classes_` tells which. The other classes' own scores
            set theirs, and without trusted rows those of all classes do.

        Returns
        -------
        Calibrated
            Itself.

        Raises
        ------
        InvalidArgument
            If `trusted` names rows that do not exist, or none where the
            detector needs some.
        """
        check_is_fitted(self)
        clean = trusted_mask(trusted, len(self._codes))
        self._require(clean)
        self._decide(clean)
        return self

    def fit_resample(self, X: Matrix, y: Labels, *, trusted: IntArray | Mask | None = None) -> tuple[Matrix, Labels]:
        """Fit, and remove the flagged rows.

        Parameters
        ----------
        X : array_like or CSR of shape (n, d)
        y : array_like of shape (n,)
        trusted : ndarray of int or bool, optional
            As in `fit`.

        Returns
        -------
        X, y
            The kept rows in their original order, type and values;
            `sample_indices_` tells which they are.
        """
        self.fit(X, y, trusted=trusted)
        self.removed_indices_ = self.flagged_indices_
        self.sample_indices_ = np.setdiff1d(np.arange(len(self.suspicion_)), self.removed_indices_)
        return _safe_indexing(X, self.sample_indices_), None if y is None else _safe_indexing(y, self.sample_indices_)

    @property
    def offset_(self) -> float:
        """The threshold on `score_samples`, where there is a single class."""
        check_is_fitted(self)
        if len(self.thresholds_) != 1:
            raise AttributeError("offset_ differs by class; read thresholds_")
        return -float(self.thresholds_[0])

    def score_samples(self, X: Matrix, y: Labels | None = None) -> Array:
        """How normal each row is; without labels, as its best class. Larger is more normal."""
        anomalies = self._measured(X)
        if y is None:
            return np.asarray(-anomalies.min(axis=1))
        return -own(anomalies, class_codes(self.classes_, y, len(anomalies)))

    def decision_function(self, X: Matrix, y: Labels | None = None) -> Array:
        """How far each row's score lies above the threshold of its class; negative is suspicious."""
        anomalies = self._measured(X)
        above = self.thresholds_ - anomalies
        if y is None:
            return np.asarray(above.max(axis=1))
        return own(above, class_codes(self.classes_, y, len(anomalies)))

    def predict(self, X: Matrix, y: Labels | None = None) -> IntArray:
        """Say which rows look normal (+1) or suspicious (-1), by the threshold."""
        return np.where(self.decision_function(X, y) >= 0, 1, -1)

    def fit_predict(self, X: Matrix, y: Labels | None = None) -> IntArray:
        """Fit, and judge the same rows as if they were new."""
        return self.fit(X, y).predict(X, y)

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        """Learn what is normal in each class."""
        raise NotImplementedError

    def _anomaly(self, X: Matrix, code: int) -> Array:
        """How suspicious each row would be in one class, shape (n,)."""
        raise NotImplementedError

    def _anomalies(self, X: Matrix) -> Array:
        """How suspicious each row would be in every class, shape (n, n_classes)."""
        return np.column_stack([self._anomaly(X, code) for code in range(len(self.classes_))])

    def _suspicions(self, X: Matrix, codes: IntArray) -> Array:
        """How suspicious each row that was learned from is."""
        suspicions = np.empty(len(codes))
        for code, rows in enumerate(memberships(codes)):
            suspicions[rows] = self._anomaly(X[rows], code)
        return suspicions

    def _threshold(self, code: int, scores: Array) -> float:
        """The threshold that the suspicions of one class ask for."""
        return tail_threshold(scores, self.false_alarm_rate)

    def _own_threshold(self, code: int, members: Mask) -> float:
        """The threshold of one class by the scores that are there."""
        return self._threshold(code, self.suspicion_[members])

    def _trusted_threshold(self, members: Mask, clean: Mask) -> float:
        """The threshold of one class by trusted rows; infinite for too few of them."""
        return trusted_threshold(self.suspicion_[members & clean], self.false_alarm_rate)

    def _require(self, clean: Mask) -> None:
        if self.needs_trusted and not clean.any():
            raise InvalidArgument("trusted", "positions of rows known to be clean", "none")

    def _decide(self, clean: Mask) -> None:
        codes, classes = self._codes, range(len(self.classes_))
        trusted = np.array([self._trusted_threshold(codes == code, clean) for code in classes])
        self.calibrated_classes_ = np.isfinite(trusted)
        thresholds = [
            trusted[code] if self.calibrated_classes_[code] else self._own_threshold(code, codes == code)
            for code in classes
        ]
        self.thresholds_ = np.array(thresholds) + _SAME_SCORE * float(np.abs(self.suspicion_).max())
        self.flagged_indices_ = np.flatnonzero((self.suspicion_ > self.thresholds_[codes]) & ~clean)
        self.reasons_ = [self._reason(int(row), int(codes[row])) for row in self.flagged_indices_]
        judged = codes[~clean]
        self.false_alarm_rate_ = (
            self.false_alarm_rate * float(np.isfinite(self.thresholds_)[judged].sum()) / max(len(judged), 1)
        )
        self.smallest_detectable_share_ = smallest_detectable_share(max(len(judged), 1), self.false_alarm_rate)

    def _measured(self, X: Matrix) -> Array:
        check_is_fitted(self)
        return self._anomalies(as_matrix(validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False)))

    def _reason(self, row: int, code: int) -> str:
        return (
            f"{self._measure} is {self.suspicion_[row]:.6g}, "
            f"against a threshold of {self.thresholds_[code]:.6g} for class {self.classes_[code]}"
        )
