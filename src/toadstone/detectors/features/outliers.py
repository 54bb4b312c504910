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
from toadstone.detectors.features.outlying import Outlying
from toadstone.sanitizers.labelled import memberships
from toadstone.sanitizers.scored import ClassScorer, draw_seed

_MOST_NEIGHBOURS = 8192
_MOST_TREES = 10_000


class IsolationForestDetector(Outlying, Calibrated, ClassScorer, OutlierMixin, BaseEstimator):
    """Flag the rows that few random cuts isolate, by scikit-learn's `IsolationForest` in each class.

    Attributes that all detectors have are those of `Calibrated`.

    Parameters
    ----------
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].
    n_estimators : int, default=100
        Number of trees of each class, fewer where they would be more than
        10,000 in all classes.
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
        trees = max(1, min(self.n_estimators, _MOST_TREES // len(self.classes_)))
        self.forests_ = [
            IsolationForest(n_estimators=trees, random_state=seed).fit(X[rows]) for rows in memberships(codes)
        ]

    def _suspicion(self, X: Matrix, code: int) -> Array:
        return -np.asarray(self.forests_[code].score_samples(X))


class LocalOutlierFactorDetector(Outlying, Calibrated, ClassScorer, OutlierMixin, BaseEstimator):
    """Flag the rows in less dense places than their neighbours, by scikit-learn's `LocalOutlierFactor` in each class.

    Repeated rows count once: their distances of zero would make the density
    infinite. In a class of more than 8192 distinct rows as many of them, drawn
    at random by a fixed seed, are the neighbours of all: time then grows with
    the number of rows and not with its square. Attributes that all detectors
    have are those of `Calibrated`.

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
        self._drawn = [_draw(np.flatnonzero(_first_of_each(X[members]))) for members in memberships(codes)]
        self.densities_ = [
            _density(X[members][drawn], self.n_neighbors)
            for members, drawn in zip(memberships(codes), self._drawn, strict=True)
        ]

    def _fitted_suspicions(self, X: Matrix, codes: IntArray) -> Array:
        suspicions = np.ones(len(codes))
        for density, drawn, members in zip(self.densities_, self._drawn, memberships(codes), strict=True):
            if density is not None:
                rows = X[members]
                place = np.cumsum(_first_of_each(rows)) - 1
                first = np.flatnonzero(np.diff(place, prepend=-1))
                factors = np.empty(len(first))
                own = np.isin(first, drawn)
                factors[own] = -density.negative_outlier_factor_
                if not own.all():
                    factors[~own] = -density.score_samples(rows[first[~own]])
                suspicions[members] = factors[place]
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


def _draw(rows: IntArray) -> IntArray:
    """Return the rows, or a sample of as many as may be neighbours, ascending."""
    if len(rows) <= _MOST_NEIGHBOURS:
        return rows
    return np.sort(np.random.default_rng(0).choice(rows, _MOST_NEIGHBOURS, replace=False))


def _density(X: Matrix, n_neighbors: int) -> LocalOutlierFactor | None:
    if X.shape[0] < 2:
        return None
    with warnings.catch_warnings():
        # It warns of rows closer together than its regularisation of the density; their factor stays finite.
        warnings.filterwarnings("ignore", "Duplicate values", UserWarning)
        return LocalOutlierFactor(n_neighbors=min(n_neighbors, X.shape[0] - 1), novelty=True).fit(X)
