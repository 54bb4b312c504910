"""Flag the rows that stand out along the direction in which their class varies most."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.detectors.calibrated import Calibrated
from toadstone.kernels.statistics.principal_axes import principal_axes
from toadstone.sanitizers.trimming import memberships


class SpectralSignatures(Calibrated, OutlierMixin, BaseEstimator):
    """Suspect large squared projections on the top singular vector of a class.

    The method of Tran, Li and Madry [1]_, algorithm 1. The features are
    centred before they are projected; the authors' code and others project
    them uncentred, which finds far fewer backdoors. The threshold is
    calibrated: nobody knows the share of poison, of which the paper removes
    1.5 times.

    Parameters
    ----------
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].

    Attributes
    ----------
    principal_ : list of PrincipalAxes
        Mean and top right singular vector of the centred rows of each class.
    classes_ : ndarray of shape (n_classes,)
        Sorted labels; a single 0 when fitted without labels.
    thresholds_ : ndarray of shape (n_classes,)
        On the suspicion, for each class; infinite where nothing can be told.
    offset_ : float
        Minus the threshold, where there is a single class.
    suspicion_ : ndarray of shape (n,)
        Squared projection of each training row; larger is more suspicious.
    flagged_indices_ : ndarray of int
        Rows beyond the threshold of their class, ascending.
    reasons_ : list of str
        Why each was flagged.
    sample_indices_, removed_indices_ : ndarray of int
        Rows that `fit_resample` kept and removed, ascending.
    false_alarm_rate_ : float
        Share of all rows that may be flagged if all are clean; less than
        `false_alarm_rate` where classes have no threshold.
    smallest_detectable_share_ : float
        The smallest share of poison that chance among clean rows, flagged as
        often as promised, would not explain.
    n_features_in_ : int
        Number of columns.

    References
    ----------
    .. [1] Tran, Li and Madry, "Spectral signatures in backdoor attacks",
       NeurIPS 2018.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 8))
    >>> X[:15] += 6
    >>> np.isin(np.arange(15), SpectralSignatures().fit(X).flagged_indices_).all()
    np.True_
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {**Calibrated._parameter_constraints}
    _measure: ClassVar[str] = "squared projection on the top singular vector"

    def __init__(self, *, false_alarm_rate: float = 0.02) -> None:
        self.false_alarm_rate = false_alarm_rate

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        self.principal_ = [principal_axes(X[rows], 1) for rows in memberships(codes)]

    def _anomaly(self, X: Matrix, code: int) -> Array:
        return np.asarray(self.principal_[code].coordinates(X)[:, 0] ** 2)
