"""Remove the rows farthest from their class along the line between classes."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator

from toadstone.core.arrays import Array, Labels, Matrix
from toadstone.core.errors import InvalidData
from toadstone.core.feasible import slab
from toadstone.kernels.rows import mean
from toadstone.kernels.sets.sets import ConvexSet
from toadstone.sanitizers.trimming import Trimming, by_label, memberships


class SlabSanitizer(Trimming, BaseEstimator):
    """Score rows by their distance to the class mean along one direction.

    The slab defence of Steinhardt, Koh and Liang [1]_: ``|v @ (x - mean)|``, with
    v the unit vector from one class mean towards the other. With more than
    two classes each class has a direction of its own, towards the mean of the
    other classes' means; for two classes that is the same line. Where means
    coincide the direction is zero and nothing is anomalous.

    Parameters
    ----------
    contamination : float, default=0.05
        Share of each class to remove, in (0, 0.5].

    Attributes
    ----------
    means_, directions_ : ndarray of shape (n_classes, d)
        Mean of each class, and its unit direction.
    classes_ : ndarray of shape (n_classes,)
        Sorted labels.
    offsets_ : ndarray of shape (n_classes,)
        Threshold on the scores of each class: minus the interpolated
        ``1 - contamination`` quantile of its distances, widened by a
        ten-billionth of the largest so that rounding decides nothing.
    suspicion_ : ndarray of shape (n,)
        Distance of each training row; larger is more anomalous.
    feasible_set_ : ConvexSet
        One band a class: the rows within the threshold.
    sample_indices_, removed_indices_ : ndarray of int
        Rows that `fit_resample` kept and removed, ascending.
    reasons_ : list of str
        Why each removed row was removed.
    n_features_in_ : int
        Number of columns.

    References
    ----------
    .. [1] Steinhardt, Koh and Liang, "Certified defenses for data poisoning
       attacks", NeurIPS 2017, section 2.

    Examples
    --------
    >>> X = np.array([[0.0, 9.0], [1.0, 0.0], [5.0, 0.0], [9.0, 0.0], [9.0, 9.0], [9.0, 0.0]])
    >>> slab = SlabSanitizer(contamination=0.3).fit(X, ["a", "a", "a", "b", "b", "b"])
    >>> slab.predict(np.array([[2.0, 3.0], [30.0, 3.0]]), ["a", "a"])
    array([ 1, -1])
    """

    _measure: ClassVar[str] = "distance to the class mean along the line between classes"

    def __init__(self, *, contamination: float = 0.05) -> None:
        self.contamination = contamination

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that labels are needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def fit(self, X: Matrix, y: Labels | None = None) -> Self:
        """Learn the mean, direction and width of each class.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : array_like of shape (n,)
            Labels of at least two classes.

        Returns
        -------
        SlabSanitizer
            Itself.

        Raises
        ------
        InvalidData
            If there is a single class.
        """
        matrix, codes = self._admit(X, y)
        if len(self.classes_) < 2:
            raise InvalidData("labels: expected at least two classes, got 1 class")
        self.means_ = np.stack([mean(matrix, rows) for rows in memberships(codes)])
        self.directions_ = _directions(self.means_)
        self._conclude(matrix, codes)
        centres = np.einsum("cd,cd->c", self.directions_, self.means_)
        bands = [
            slab(normal, centre + offset, centre - offset)
            for normal, centre, offset in zip(self.directions_, centres, self.offsets_, strict=True)
        ]
        self.feasible_set_ = ConvexSet(by_label(self.classes_, bands))
        return self

    def _anomalies(self, X: Matrix) -> Array:
        columns = [
            np.abs(X @ normal - normal @ centre) for normal, centre in zip(self.directions_, self.means_, strict=True)
        ]
        return np.column_stack(columns)


def _directions(means: Array) -> Array:
    others = (means.sum(axis=0) - means) / (len(means) - 1)
    towards = others - means
    lengths = np.linalg.norm(towards, axis=1, keepdims=True)
    return np.asarray(np.divide(towards, lengths, out=np.zeros_like(towards), where=lengths > 0))
