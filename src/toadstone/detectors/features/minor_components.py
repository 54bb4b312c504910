"""Minor components: flag the rows that break relations among the features of their class."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.detectors.calibrated import Calibrated
from toadstone.detectors.features.outlying import Outlying
from toadstone.kernels.statistics.cross_prediction import cross_predict
from toadstone.sanitizers.labelled import memberships
from toadstone.sanitizers.scored import ClassScorer


class MinorComponents(Outlying, Calibrated, ClassScorer, OutlierMixin, BaseEstimator):
    """Flag the rows far out along axes on which the other rows of their class hardly vary.

    Such axes are relations among features: of a one-hot group exactly one
    column is one, neighbouring pixels are similar. Missing blocks, shuffled
    columns and noise break them though each single value is ordinary. The
    principal component classifier [1]_ divides each coordinate on a minor axis
    by its deviation, so that one rare category weighs more than a whole group
    that is missing. Here each column is predicted from all others by ridge
    regression, which the inverse covariance gives in closed form [2]_; the
    suspicion is the absolute error of all columns as a share of their absolute
    deviation from the mean. A row's predictions are those of regressions
    without it. Many rows broken in the same way would teach the regressions
    that relation, and are not found.

    Features should have comparable scales. Rows far from the mean in all
    directions, such as images with a black bar, are found by
    `RobustMahalanobis`. Attributes that all detectors have are those of
    `Calibrated`.

    Parameters
    ----------
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].
    ridge : float, default=0.01
        Penalty of the regressions, as a share of the mean variance of a
        column. Axes with less variance than this are minor.
    max_columns : int, default=1000
        Largest number of columns to predict: those that vary most in a class.

    Attributes
    ----------
    predictions_ : list of CrossPrediction
        Regressions of each class.
    suspicion_ : ndarray of shape (n,)
        Unexplained share of the deviation of each training row.

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
    _measure: ClassVar[str] = "share of its deviation that its other features do not explain"

    def __init__(self, *, false_alarm_rate: float = 0.02, ridge: float = 0.01, max_columns: int = 1000) -> None:
        self.false_alarm_rate = false_alarm_rate
        self.ridge = ridge
        self.max_columns = max_columns

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        self.predictions_ = [
            cross_predict(X[rows], ridge=self.ridge, most_columns=self.max_columns) for rows in memberships(codes)
        ]

    def _fitted_suspicions(self, X: Matrix, codes: IntArray) -> Array:
        found = np.empty(len(codes))
        for learned, rows in zip(self.predictions_, memberships(codes), strict=True):
            found[rows] = learned.unexplained(X[rows], seen=True)
        return found

    def _suspicion(self, X: Matrix, code: int) -> Array:
        return self.predictions_[code].unexplained(X, seen=False)
