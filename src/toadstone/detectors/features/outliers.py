"""Scikit-learn's isolation forest and local outlier factor, fitted to each class."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Mask, Matrix
from toadstone.detectors.calibrated import Calibrated
from toadstone.sanitizers.labelled import memberships
from toadstone.sanitizers.scored import ClassScorer, draw_seed


class IsolationForestDetector(Calibrated, ClassScorer, OutlierMixin, BaseEstimator):
    """Flag the rows that few random cuts isolate, by scikit-learn's `IsolationForest` in each class.

    Attributes that all detectors have are those of `Calibrated`.

    Parameters
    ----------
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].
    n_estimators : int, default=100
        Number of trees of each class.
    random_state : int, RandomState or None, default=0
        Seed of the cuts.

    Attributes
    ----------
    forests_ : list of IsolationForest
        For each class.
    suspicion_ : ndarray of shape (n,)
        Of each training row, in [0, 1]; larger is more suspicious.

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
        seed = draw_seed(self.random_state)
        self.forests_ = [
            IsolationForest(n_estimators=self.n_estimators, random_state=seed).fit(X[rows])
            for rows in memberships(codes)
        ]

    def _suspicion(self, X: Matrix, code: int) -> Array:
        return -np.asarray(self.forests_[code].score_samples(X))


class LocalOutlierFactorDetector(Calibrated, ClassScorer, OutlierMixin, BaseEstimator):
    """Flag the rows in less dense places than their neighbours, by scikit-learn's `LocalOutlierFactor` in each class.

    Repeated rows count once: their distances of zero would make the density
    infinite. Attributes that all detectors have are those of `Calibrated`.

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
    suspicion_ : ndarray of shape (n,)
        Local outlier factor of each training row, itself not counted among
        its neighbours, as it is in `score_samples`.

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

    def _fitted_suspicions(self, X: Matrix, codes: IntArray) -> Array:
        suspicions = np.ones(len(codes))
        for density, members in zip(self.densities_, memberships(codes), strict=True):
            if density is not None:
                first = _first_of_each(X[members])
                suspicions[members] = -density.negative_outlier_factor_[np.cumsum(first) - 1]
        return suspicions

    def _suspicion(self, X: Matrix, code: int) -> Array:
        density = self.densities_[code]
        return np.ones(X.shape[0]) if density is None else -density.score_samples(X)


def _first_of_each(X: Matrix) -> Mask:
    """Return a mask of the first row of each run of equal rows."""
    # Rows arrive in order of their values, so that equal rows follow each other.
    differs = np.ones(X.shape[0], dtype=bool)
    unequal = X[1:] != X[:-1]
    differs[1:] = np.asarray(unequal.sum(axis=1)).ravel() > 0 if issparse(X) else unequal.any(axis=1)
    return differs


def _density(X: Matrix, n_neighbors: int) -> LocalOutlierFactor | None:
    if X.shape[0] < 2:
        return None
    with warnings.catch_warnings():
        # It warns of rows closer together than its regularisation of the density; their factor stays finite.
        warnings.filterwarnings("ignore", "Duplicate values", UserWarning)
        return LocalOutlierFactor(n_neighbors=min(n_neighbors, X.shape[0] - 1), novelty=True).fit(X)
