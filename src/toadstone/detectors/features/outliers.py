"""Flag what scikit-learn's outlier detectors find in each class."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Mask, Matrix
from toadstone.detectors.calibrated import Calibrated
from toadstone.sanitizers.trimming import memberships


class IsolationForestDetector(Calibrated, OutlierMixin, BaseEstimator):
    """Suspect rows that random cuts isolate soon, by scikit-learn's `IsolationForest` in each class.

    Parameters
    ----------
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].
    n_estimators : int, default=100
        Trees of each class.
    random_state : int, RandomState or None, default=0
        Of the cuts.

    Attributes
    ----------
    forests_ : list of IsolationForest
        For each class.
    classes_ : ndarray of shape (n_classes,)
        Sorted labels; a single 0 when fitted without labels.
    thresholds_ : ndarray of shape (n_classes,)
        On the suspicion, for each class.
    offset_ : float
        Minus the threshold, where there is a single class.
    suspicion_ : ndarray of shape (n,)
        Of each training row, in [0, 1]; larger is more suspicious.
    flagged_indices_ : ndarray of int
        Rows beyond the threshold of their class, ascending.
    reasons_ : list of str
        Why each was flagged.
    sample_indices_, removed_indices_ : ndarray of int
        Rows that `fit_resample` kept and removed, ascending.
    false_alarm_rate_, smallest_detectable_share_ : float
        As in `SpectralSignatures`.
    n_features_in_ : int
        Number of columns.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(400, 3))
    >>> X[:4] = 12.0
    >>> set(IsolationForestDetector().fit(X).suspicion_.argsort()[-4:].tolist()) == {0, 1, 2, 3}
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Calibrated._parameter_constraints,
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }
    _measure: ClassVar[str] = "ease of isolation"

    def __init__(
        self,
        *,
        false_alarm_rate: float = 0.02,
        n_estimators: int = 100,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.false_alarm_rate = false_alarm_rate
        self.n_estimators = n_estimators
        self.random_state = random_state

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        self.forests_ = [
            IsolationForest(n_estimators=self.n_estimators, random_state=seed).fit(X[rows])
            for rows in memberships(codes)
        ]

    def _anomaly(self, X: Matrix, code: int) -> Array:
        return -np.asarray(self.forests_[code].score_samples(X))


class LocalOutlierFactorDetector(Calibrated, OutlierMixin, BaseEstimator):
    """Suspect rows in thinner places than their neighbours: scikit-learn's `LocalOutlierFactor` in each class.

    Rows that repeat count once, so that they have a density.

    Parameters
    ----------
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].
    n_neighbors : int, default=20
        Fewer in classes of no more distinct rows.

    Attributes
    ----------
    densities_ : list of LocalOutlierFactor or None
        For each class; None for one without two distinct rows.
    classes_ : ndarray of shape (n_classes,)
        Sorted labels; a single 0 when fitted without labels.
    thresholds_ : ndarray of shape (n_classes,)
        On the suspicion, for each class.
    offset_ : float
        Minus the threshold, where there is a single class.
    suspicion_ : ndarray of shape (n,)
        Local outlier factor of each training row, itself not counted among
        its neighbours, as it is in `score_samples`.
    flagged_indices_ : ndarray of int
        Rows beyond the threshold of their class, ascending.
    reasons_ : list of str
        Why each was flagged.
    sample_indices_, removed_indices_ : ndarray of int
        Rows that `fit_resample` kept and removed, ascending.
    false_alarm_rate_, smallest_detectable_share_ : float
        As in `SpectralSignatures`.
    n_features_in_ : int
        Number of columns.

    Examples
    --------
    >>> X = np.append(np.linspace(0, 1, 100), 3.0)[:, None]
    >>> LocalOutlierFactorDetector().fit(X).suspicion_.argmax()
    np.int64(100)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Calibrated._parameter_constraints,
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
    }
    _measure: ClassVar[str] = "local outlier factor"

    def __init__(self, *, false_alarm_rate: float = 0.02, n_neighbors: int = 20) -> None:
        self.false_alarm_rate = false_alarm_rate
        self.n_neighbors = n_neighbors

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        self.densities_ = [
            _density(rows[_first_of_each(rows)], self.n_neighbors) for rows in (X[m] for m in memberships(codes))
        ]

    def _suspicions(self, X: Matrix, codes: IntArray) -> Array:
        suspicions = np.ones(len(codes))
        for density, members in zip(self.densities_, memberships(codes), strict=True):
            if density is not None:
                first = _first_of_each(X[members])
                suspicions[members] = -density.negative_outlier_factor_[np.cumsum(first) - 1]
        return suspicions

    def _anomaly(self, X: Matrix, code: int) -> Array:
        density = self.densities_[code]
        return np.ones(X.shape[0]) if density is None else -density.score_samples(X)


def _first_of_each(X: Matrix) -> Mask:
    """Which rows differ from the one before, as equal rows in order of value do not."""
    differs = np.ones(X.shape[0], dtype=bool)
    unequal = X[1:] != X[:-1]
    differs[1:] = np.asarray(unequal.sum(axis=1)).ravel() > 0 if issparse(X) else unequal.any(axis=1)
    return differs


def _density(X: Matrix, n_neighbors: int) -> LocalOutlierFactor | None:
    if X.shape[0] < 2:
        return None
    with warnings.catch_warnings():
        # Of rows so close together that they have no density to speak of.
        warnings.filterwarnings("ignore", "Duplicate values", UserWarning)
        return LocalOutlierFactor(n_neighbors=min(n_neighbors, X.shape[0] - 1), novelty=True).fit(X)
