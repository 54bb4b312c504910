"""Robust Mahalanobis distance: flag the rows far from the core of their class."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.covariance import ledoit_wolf
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.errors import InvalidData
from toadstone.detectors.calibrated import Calibrated
from toadstone.detectors.features.outlying import Outlying
from toadstone.kernels.statistics.principal_axes import PrincipalAxes, principal_axes
from toadstone.sanitizers.labelled import memberships
from toadstone.sanitizers.scored import ClassScorer

CORE = 0.75
"""Share of a class that is its core."""

_MOST_STEPS = 30
_SHRUNK_MAD = 1e-6
# Fourth powers of the features, of which covariances of distances are made, stay finite below this.
_LARGEST = 1e50


@dataclass(frozen=True, eq=False)
class RobustScatter:
    """Centre and precision of the core of one class, along its principal axes."""

    principal: PrincipalAxes
    centre: Array
    precision: Array

    def squared_distances(self, X: Matrix) -> Array:
        """Squared Mahalanobis distance of each row, shape (n,)."""
        away = self.principal.coordinates(X) - self.centre
        # Rounding makes a distance of zero slightly negative.
        return np.asarray(np.maximum(np.sum((away @ self.precision) * away, axis=1), 0.0))


class RobustMahalanobis(Outlying, Calibrated, ClassScorer, OutlierMixin, BaseEstimator):
    """Flag the rows far from the core of their class, by the Mahalanobis distance of the core.

    Along the leading principal axes of a class, the three quarters of rows
    nearest to its centre are found by concentration steps as in the minimum
    covariance determinant [1]_, with the shrunk covariance of Ledoit and
    Wolf, from a start at the median. Attributes that all detectors have are
    those of `Calibrated`.

    Parameters
    ----------
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].
    n_components : int, default=20
        Principal axes of each class.

    Attributes
    ----------
    scatters_ : list of RobustScatter
        For each class.
    suspicion_ : ndarray of shape (n,)
        Squared Mahalanobis distance of each training row.

    References
    ----------
    .. [1] Rousseeuw and Van Driessen, "A fast algorithm for the minimum
       covariance determinant estimator", Technometrics 41, 1999.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(400, 3))
    >>> X[:4] = 12.0
    >>> RobustMahalanobis().fit(X).flagged_indices_[:4]
    array([0, 1, 2, 3])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Calibrated._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left")],
    }
    _measure: ClassVar[str] = "squared distance from the core of the class"

    def __init__(self, *, false_alarm_rate: float = 0.02, n_components: int = 20) -> None:
        self.false_alarm_rate = false_alarm_rate
        self.n_components = n_components

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        largest = float(np.abs(X.data if issparse(X) else X).max(initial=0.0))
        if largest > _LARGEST:
            raise InvalidData(f"features: expected numbers up to {_LARGEST:g}, got {largest:g}; scale the columns")
        self.scatters_ = [concentrate(X[rows], self.n_components) for rows in memberships(codes)]

    def _suspicion(self, X: Matrix, code: int) -> Array:
        return self.scatters_[code].squared_distances(X)


def concentrate(X: Matrix, rank: int) -> RobustScatter:
    """Find the core of a class, three quarters of its rows, along its leading principal axes.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    rank : int
        How many axes, at most.
    """
    principal = principal_axes(X, rank)
    points = principal.coordinates(X)
    count = max(1, int(np.ceil(CORE * len(points))))
    centre = np.median(points, axis=0)
    spread = np.median(np.abs(points - centre), axis=0)
    variances = np.maximum(spread, _SHRUNK_MAD * np.abs(points).max(initial=0.0)) ** 2
    scatter = RobustScatter(principal, centre, _inverse(np.diag(variances)))
    core = np.zeros(0, dtype=np.int64)
    # Each step lowers the determinant, so the core settles; the limit is for ties that swap for ever.
    for _ in range(_MOST_STEPS):
        nearest = np.sort(np.argsort(scatter.squared_distances(X), kind="stable")[:count])
        if np.array_equal(nearest, core):
            break
        core = nearest
        centre = points[core].mean(axis=0)
        covariance, _ = ledoit_wolf(points[core] - centre, assume_centered=True)
        scatter = RobustScatter(principal, centre, _inverse(covariance))
    return scatter


def _inverse(covariance: Array) -> Array:
    """Return the pseudo-inverse, zero along axes without variance."""
    return np.asarray(np.linalg.pinv(covariance, hermitian=True))
