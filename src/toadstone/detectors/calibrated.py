"""Calibration of detectors: thresholds that clean rows exceed at a stated false-alarm rate."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from toadstone.core.arrays import Array, IntArray, Labels, Mask, Matrix
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.rows import value_order
from toadstone.kernels.statistics.thresholds import smallest_detectable_share, tail_threshold, trusted_threshold
from toadstone.sanitizers.labelled import admit, memberships, trusted_mask
from toadstone.sanitizers.scored import reason, rounding, select_rows

FALSE_ALARM_RATE = Interval(Real, 0, 0.1, closed="right")
"""Values that `false_alarm_rate` may take."""


class Calibrated:
    """Flags at a stated false-alarm rate.

    Trimming removes the same share of any data; a detector flags the rows
    that are unlikely among clean ones, possibly none. The threshold of a class
    extrapolates the bulk of the class's own scores (`tail_threshold`), or is
    the conformal quantile of its trusted rows where there are enough
    (`trusted_threshold`). The extrapolation keeps the false-alarm rate on
    heavy tails too, and therefore flags only rows that lie far out; poison
    that overlaps the clean scores, as flipped labels do, is found with trusted
    rows only.

    A detector lists `ClassScorer` beside this base, and gives `_learn` and
    `_suspicion`. It may give `_class_suspicions`, `_fitted_suspicions`,
    `_own_threshold` or `_own_thresholds`, and `_trusted_threshold`. A detector
    that learns from trusted rows sets `needs_trusted` and finds their mask in
    `_trusted`. Rows are learned from in an order that depends on their values
    only, so that the caller's order is irrelevant even to detectors that draw
    at random.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted labels; a single 0 when fitted without labels.
    suspicion_ : ndarray of shape (n,)
        Of each training row; larger is more suspicious.
    thresholds_ : ndarray of shape (n_classes,)
        On the suspicion, for each class; infinite for a class that cannot be
        judged.
    calibrated_classes_ : ndarray of bool of shape (n_classes,)
        Classes whose threshold comes from trusted rows.
    offset_ : float
        Minus the threshold, where there is a single class.
    flagged_indices_ : ndarray of int
        Rows beyond the threshold of their class, ascending; no trusted row is
        among them.
    reasons_ : list of str
        Why each of them was flagged.
    abstains_ : str
        Why the detector flags nothing, whatever is in the data: its model does
        not fit them. Empty if it judges.
    false_alarm_rate_ : float
        Share of the rows that are not trusted that may be flagged if all are
        clean; less than `false_alarm_rate` where classes have no threshold.
    smallest_detectable_share_ : float
        The smallest share of flagged rows that is unlikely at that
        false-alarm rate if all rows are clean.
    sample_indices_, removed_indices_ : ndarray of int
        Rows that `fit_resample` kept and removed, ascending.
    n_features_in_ : int
        Number of columns.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"false_alarm_rate": [FALSE_ALARM_RATE]}
    _measure: ClassVar[str]
    needs_trusted: ClassVar[bool] = False

    false_alarm_rate: float
    classes_: Labels
    suspicion_: Array
    thresholds_: Array
    calibrated_classes_: Mask
    flagged_indices_: IntArray
    reasons_: list[str]
    abstains_: str
    false_alarm_rate_: float
    smallest_detectable_share_: float

    def fit(self, X: Matrix, y: Labels | None = None, *, trusted: IntArray | Mask | None = None) -> Self:
        """Measure the suspicion of every row, and flag rows beyond the threshold of their class.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
            Features, or a network's activations.
        y : array_like of shape (n,), optional
            Labels; without them all rows form one class.
        trusted : ndarray of int or bool, optional
            Rows known to be clean, by position or as a mask; see `calibrate`.

        Returns
        -------
        Calibrated
            Itself.

        Raises
        ------
        InvalidArgument
            If `trusted` names rows that do not exist, or none where the
            detector needs some.
        InvalidData
            If there are too few rows, or too few classes.
        """
        matrix, self.classes_, codes = admit(self, X, y)
        mask = self._mask_of(trusted, len(codes))
        self._order = order = value_order(matrix, codes)
        ordered = matrix[order]
        self._trusted, self._misfit = mask[order], ""
        self._learn(ordered, codes[order])
        self.suspicion_ = np.empty(len(codes))
        self.suspicion_[order] = self._fitted_suspicions(ordered, codes[order])
        self._codes = codes
        self._apart = self._set_apart(matrix)
        self._least = self._least_thresholds(matrix)
        self._decide(mask)
        return self

    def calibrate(self, trusted: IntArray | Mask | None) -> Self:
        """Set thresholds, flags and reasons again, without learning again.

        Parameters
        ----------
        trusted : ndarray of int or bool, or None
            Fitted rows known to be clean, by position or as a mask. They are
            never flagged. Their scores set the threshold of each class that
            has ``1 / false_alarm_rate - 1`` of them or more, which
            `calibrated_classes_` tells; the scores of all its rows set that of
            every other class.

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
        self._decide(self._mask_of(trusted, len(self._codes)))
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
            `sample_indices_` holds their positions.
        """
        self.fit(X, y, trusted=trusted)
        self.removed_indices_ = self.flagged_indices_
        self.sample_indices_ = np.setdiff1d(np.arange(len(self.suspicion_)), self.removed_indices_)
        return select_rows(X, y, self.sample_indices_)

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        """Learn what is normal in each class."""
        raise NotImplementedError

    def _suspicion(self, X: Matrix, code: int) -> Array:
        """Return the suspicion of each row if it belonged to one class, shape (n,)."""
        raise NotImplementedError

    def _class_suspicions(self, X: Matrix) -> Array:
        """Return the suspicion of every row in every class, shape (n, n_classes)."""
        return np.column_stack([self._suspicion(X, code) for code in range(len(self.classes_))])

    def _fitted_suspicions(self, X: Matrix, codes: IntArray) -> Array:
        """Return the suspicion of each row that was learned from."""
        suspicions = np.empty(len(codes))
        for code, rows in enumerate(memberships(codes)):
            suspicions[rows] = self._suspicion(X[rows], code)
        return suspicions

    def _own_thresholds(self, classes: list[Mask]) -> Array:
        """Return the threshold of each class from the scores of all rows."""
        return np.array([self._own_threshold(code, members) for code, members in enumerate(classes)])

    def _own_threshold(self, code: int, members: Mask) -> float:
        """Return the threshold of one class from the scores of all its rows."""
        return tail_threshold(self.suspicion_[members & ~self._apart], self.false_alarm_rate)

    def _set_apart(self, X: Matrix) -> Mask:
        """Return a mask of the rows that have no part in the thresholds of their own scores."""
        return np.zeros(X.shape[0], dtype=bool)

    def _accounts_for(self, X: Matrix, code: int, beyond: Mask) -> bool:
        """Tell whether something other than chance explains that so many rows of a class lie beyond its threshold."""
        return False

    def _least_thresholds(self, X: Matrix) -> Array:
        """Bound the threshold of each class from below where more rows than the false-alarm rate allows lie beyond.

        Natural groups of rows far from the rest of their class would otherwise be flagged whole.
        """
        least = np.full(len(self.classes_), np.inf if self._misfit else -np.inf)
        classes = memberships(self._codes)
        beyond = self.suspicion_ > self._own_thresholds(classes)[self._codes] + rounding(self.suspicion_)
        if self._misfit or beyond.mean() < smallest_detectable_share(len(beyond), self.false_alarm_rate):
            return least
        for code, members in enumerate(classes):
            scores = self.suspicion_[members]
            allowed = float(np.quantile(scores, 1 - self.false_alarm_rate, method="inverted_cdf"))
            if beyond[members].mean() > self.false_alarm_rate and not self._accounts_for(X, code, beyond):
                least[code] = allowed
        return least

    def _trusted_threshold(self, members: Mask, trusted: Mask) -> float:
        """Return the threshold of one class from trusted rows; infinite for too few of them."""
        return trusted_threshold(self.suspicion_[members & trusted], self.false_alarm_rate)

    def _mask_of(self, trusted: IntArray | Mask | None, n_rows: int) -> Mask:
        mask = trusted_mask(trusted, n_rows)
        if self.needs_trusted and not mask.any():
            raise InvalidArgument("trusted", "positions of rows known to be clean", "none")
        return mask

    def _decide(self, trusted: Mask) -> None:
        codes, classes = self._codes, memberships(self._codes)
        known = np.array([self._trusted_threshold(members, trusted) for members in classes])
        self.calibrated_classes_ = np.isfinite(known)
        thresholds = np.maximum(self._own_thresholds(classes), self._least)
        # A row on the threshold is not flagged, whatever rounding did to its score.
        self.thresholds_ = np.where(self.calibrated_classes_, known, thresholds) + rounding(self.suspicion_)
        self.abstains_ = "" if np.isfinite(self.thresholds_).any() else self._misfit
        self.flagged_indices_ = np.flatnonzero((self.suspicion_ > self.thresholds_[codes]) & ~trusted)
        self.reasons_ = [
            reason(self._measure, self.suspicion_[row], self.thresholds_[code], self.classes_[code])
            for row, code in zip(self.flagged_indices_, codes[self.flagged_indices_], strict=True)
        ]
        judged = codes[~trusted]
        # A class without a threshold cannot raise a false alarm; the others may use their rate and no more.
        with_threshold = float(np.isfinite(self.thresholds_)[judged].sum())
        self.false_alarm_rate_ = self.false_alarm_rate * with_threshold / max(len(judged), 1)
        self.smallest_detectable_share_ = smallest_detectable_share(max(len(judged), 1), self.false_alarm_rate)
