"""SPECTRE: flag the rows far out along the directions in which their class varies more than its core does."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.detectors.calibrated import Calibrated
from toadstone.detectors.features.mahalanobis import CORE, concentrate
from toadstone.detectors.features.outlying import Outlying
from toadstone.kernels.statistics.principal_axes import PrincipalAxes
from toadstone.kernels.statistics.quantum_scores import QuantumScores, quantum_scores
from toadstone.sanitizers.labelled import memberships
from toadstone.sanitizers.scored import ClassScorer

_ROWS_PER_AXIS = 10
_ALL_ROWS = 0.02


class SPECTRE(Outlying, Calibrated, ClassScorer, OutlierMixin, BaseEstimator):
    """Flag rows by their QUE scores once their class is whitened by the covariance of its core.

    Spectral signatures look along the direction in which a class varies most,
    which poison need not be. Here [1]_ the leading principal coordinates of a
    class are whitened by a robust covariance, after which clean rows vary
    alike in all directions and a group of poison does not, and a row's QUE
    score weighs all directions by their excess. The number of coordinates is
    that with the largest mean score among squares spaced as in the paper. The
    paper's robust estimators need the share of poison, and remove 1.5 times as
    many rows; here the covariance is that of the nearest three quarters of the
    rows, as in `RobustMahalanobis`, and the threshold is calibrated.
    Attributes that all detectors have are those of `Calibrated`.

    Parameters
    ----------
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].
    n_components : int, default=100
        Principal coordinates of each class at most, and no more than a tenth
        of its rows.

    Attributes
    ----------
    principal_ : list of PrincipalAxes
        For each class.
    quantum_ : list of QuantumScores
        For each class, of the first of these coordinates.
    suspicion_ : ndarray of shape (n,)
        QUE score of each training row.

    References
    ----------
    .. [1] Hayase, Kong, Somani and Oh, "SPECTRE: defending against backdoor
       attacks using robust statistics", ICML 2021, algorithms 1 to 3.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 8)) * [9, 9, 9, 1, 1, 1, 1, 1]
    >>> X[:15, 7] += 7
    >>> np.isin(np.arange(15), SPECTRE().fit(X).flagged_indices_).all()
    np.True_
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Calibrated._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left")],
    }
    _measure: ClassVar[str] = "QUE score"

    def __init__(self, *, false_alarm_rate: float = 0.02, n_components: int = 100) -> None:
        self.false_alarm_rate = false_alarm_rate
        self.n_components = n_components

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        learned = [_learned(X[members], self.n_components) for members in memberships(codes)]
        self.principal_ = [principal for principal, _ in learned]
        self.quantum_ = [quantum for _, quantum in learned]

    def _suspicion(self, X: Matrix, code: int) -> Array:
        return self.quantum_[code].scores(self.principal_[code].coordinates(X))


def _learned(X: Matrix, most: int) -> tuple[PrincipalAxes, QuantumScores]:
    rank = max(1, min(most, X.shape[0] // _ROWS_PER_AXIS))
    core = concentrate(X, rank)
    points = core.principal.coordinates(X)
    nearest = np.argsort(core.squared_distances(X), kind="stable")[: int(np.ceil(CORE * len(points)))]
    # Without the shrinkage that finds the core: it would hide poison along axes with little variance.
    away = points[nearest] - core.centre
    # A category that is missing in the core is no infinite excess.
    covariance = away.T @ away / len(nearest) + _ALL_ROWS * np.cov(points.T, bias=True).reshape(points.shape[1], -1)
    found = [quantum_scores(points[:, :k], core.centre[:k], covariance[:k, :k]) for k in _ranks(points.shape[1])]
    return core.principal, max(found, key=lambda quantum: quantum.excess)


def _ranks(most: int) -> list[int]:
    """Return ten numbers of coordinates up to the largest, with evenly spaced roots, each once."""
    return sorted({round(float(root) ** 2) for root in np.linspace(1, np.sqrt(most), 10)})
