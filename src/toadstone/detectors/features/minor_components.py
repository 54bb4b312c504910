"""Flag the rows that break what holds among the features of nearly all others."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.detectors.calibrated import Calibrated
from toadstone.kernels.statistics.cross_prediction import cross_predict
from toadstone.sanitizers.trimming import memberships


class MinorComponents(Calibrated, OutlierMixin, BaseEstimator):
    """Suspect rows that are far out along axes on which the others of their class hardly vary.

    Such axes are what features have in common: one column of a group is one
    and the others zero, neighbouring pixels are alike. Lost blocks, shuffled
    columns and noise break that, each value being ordinary. The principal
    component classifier [1]_ divides each coordinate on a minor axis by its
    deviation, so that one rare category weighs more than a whole group that
    is missing. Here the same quantity is read column by column: each column
    is predicted from all others by ridge regression, which the inverse
    covariance gives at once [2]_; the suspicion is the absolute error of all
    columns as a share of their absolute deviation from the mean. A row is
    judged as if it had not been learned from. Rows that are all broken in the
    same way would teach the regressions just that.

    Features should have comparable scales. Whatever lies far from the mean in
    all directions, as images with a black bar do, is for
    `RobustMahalanobis` to find.

    Parameters
    ----------
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].
    ridge : float, default=0.01
        Penalty of the regressions, as a share of the mean variance of a
        column. Axes with less variance than this are minor.
    max_columns : int, default=1000
        Of more columns, those that vary most in a class are predicted.

    Attributes
    ----------
    predictions_ : list of CrossPrediction
        Of each class.
    classes_ : ndarray of shape (n_classes,)
        Sorted labels.
    thresholds_ : ndarray of shape (n_classes,)
        On the suspicion, for each class.
    suspicion_ : ndarray of shape (n,)
        Of each training row; larger is more suspicious.
    flagged_indices_, sample_indices_, removed_indices_ : ndarray of int
        Rows of the data as given to `fit`; the latter two after `fit_resample`.
    reasons_ : list of str
    false_alarm_rate_, smallest_detectable_share_ : float
    n_features_in_ : int

    References
    ----------
    .. [1] Shyu, Chen, Sarinnapakorn and Chang, "A novel anomaly detection
       scheme based on principal component classifier", ICDM workshop on
       foundations and new directions of data mining 2003.
    .. [2] Noto, Brodley and Slonim, "FRaC: a feature-modeling approach for
       semi-supervised and unsupervised anomaly detection", Data Mining and
       Knowledge Discovery 25, 2012, on anomalies by feature regression.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(300, 4))
    >>> X[:, 3] = X[:, 0] + X[:, 1]
    >>> X[5, 3] = 4.0
    >>> MinorComponents().fit(X).flagged_indices_
    array([5])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Calibrated._parameter_constraints,
        "ridge": [Interval(Real, 0, None, closed="neither")],
        "max_columns": [Interval(Integral, 1, None, closed="left")],
    }
    _measure: ClassVar[str] = "the share of its deviations that features do not say of each other"

    def __init__(self, *, false_alarm_rate: float = 0.02, ridge: float = 0.01, max_columns: int = 1000) -> None:
        self.false_alarm_rate = false_alarm_rate
        self.ridge = ridge
        self.max_columns = max_columns

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        self.predictions_ = [
            cross_predict(X[rows], ridge=self.ridge, most_columns=self.max_columns) for rows in memberships(codes)
        ]

    def _suspicions(self, X: Matrix, codes: IntArray) -> Array:
        found = np.empty(len(codes))
        for learned, rows in zip(self.predictions_, memberships(codes), strict=True):
            found[rows] = learned.unexplained(X[rows], seen=True)
        return found

    def _anomaly(self, X: Matrix, code: int) -> Array:
        return self.predictions_[code].unexplained(X, seen=False)
