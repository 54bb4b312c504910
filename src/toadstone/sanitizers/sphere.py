"""Remove the rows farthest from the mean of their class."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin

from toadstone.core.arrays import Array, Labels, Matrix
from toadstone.core.feasible import ball
from toadstone.kernels.rows import mean, squared_distances
from toadstone.kernels.sets.sets import ConvexSet
from toadstone.sanitizers.trimming import Trimming, by_label, memberships


class SphereSanitizer(Trimming, OutlierMixin, BaseEstimator):
    """Score rows by their Euclidean distance to the mean of their class.

    The L2 defence of Koh, Steinhardt and Liang [1]_.

    Parameters
    ----------
    contamination : float, default=0.05
        Share of each class to remove, in (0, 0.5].

    Attributes
    ----------
    means_ : ndarray of shape (n_classes, d)
        Mean of each class.
    classes_ : ndarray of shape (n_classes,)
        Sorted labels; a single 0 when fitted without labels.
    offsets_ : ndarray of shape (n_classes,)
        Threshold on the scores of each class: minus the interpolated
        ``1 - contamination`` quantile of its distances, widened by a
        ten-billionth of the largest so that rounding decides nothing.
    offset_ : float
        The threshold, where there is a single class.
    suspicion_ : ndarray of shape (n,)
        Distance of each training row; larger is more anomalous.
    feasible_set_ : ConvexSet
        One ball a class: the rows within the threshold.
    sample_indices_, removed_indices_ : ndarray of int
        Rows that `fit_resample` kept and removed, ascending.
    reasons_ : list of str
        Why each removed row was removed.
    n_features_in_ : int
        Number of columns.

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

    def fit(self, X: Matrix, y: Labels | None = None) -> Self:
        """Learn the mean and the radius of each class.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : array_like of shape (n,), optional
            Labels; without them all rows form one class.

        Returns
        -------
        SphereSanitizer
            Itself.
        """
        matrix, codes = self._admit(X, y)
        self.means_ = np.stack([mean(matrix, rows) for rows in memberships(codes)])
        self._conclude(matrix, codes)
        balls = [ball(centre, -offset) for centre, offset in zip(self.means_, self.offsets_, strict=True)]
        self.feasible_set_ = ConvexSet(by_label(self.classes_, balls))
        return self

    def _anomalies(self, X: Matrix) -> Array:
        return np.sqrt(np.column_stack([squared_distances(X, centre) for centre in self.means_]))
