"""Remove the rows farthest from the mean of their class."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.feasible import Region, ball
from toadstone.kernels.rows import mean, squared_distances
from toadstone.sanitizers.labelled import memberships
from toadstone.sanitizers.scored import ClassScorer
from toadstone.sanitizers.trimming import Trimming


class SphereSanitizer(Trimming, ClassScorer, OutlierMixin, BaseEstimator):
    """Score rows by their Euclidean distance to the mean of their class.

    The L2 defence of Koh, Steinhardt and Liang [1]_. Attributes that all
    sanitizers have are those of `Trimming`.

    Parameters
    ----------
    contamination : float, default=0.05
        Share of each class to remove, in (0, 0.5].

    Attributes
    ----------
    means_ : ndarray of shape (n_classes, d)
        Mean of each class.
    feasible_set_ : ConvexSet
        One ball for each class: the rows within its threshold.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022, section 2.2.

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [2.0], [9.0]])
    >>> rows, labels = SphereSanitizer(contamination=0.25).fit_resample(X, [1, 1, 1, 1])
    >>> rows.ravel()
    array([0., 1., 2.])
    """

    _measure: ClassVar[str] = "distance to the class mean"

    def __init__(self, *, contamination: float = 0.05) -> None:
        self.contamination = contamination

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        self.means_ = np.stack([mean(X, rows) for rows in memberships(codes)])

    def _class_suspicions(self, X: Matrix) -> Array:
        return np.sqrt(np.column_stack([squared_distances(X, centre) for centre in self.means_]))

    def _regions(self) -> list[Region]:
        return [ball(centre, radius) for centre, radius in zip(self.means_, self.thresholds_, strict=True)]
