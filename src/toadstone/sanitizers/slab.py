"""Remove the rows farthest from their class along the line between classes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.feasible import Region, slab
from toadstone.kernels.rows import mean
from toadstone.sanitizers.labelled import memberships
from toadstone.sanitizers.scored import ClassScorer
from toadstone.sanitizers.trimming import Trimming


class SlabSanitizer(Trimming, ClassScorer, BaseEstimator):
    """Score rows by their distance to the class mean along one direction.

    The slab defence of Steinhardt, Koh and Liang [1]_: ``|v @ (x - mean)|``, with
    v the unit vector from one class mean towards the other. With more than
    two classes each class has a direction of its own, towards the mean of the
    other classes' means; for two classes that is the same line. Where means
    coincide the direction is zero and nothing is anomalous. Attributes that
    all sanitizers have are those of `Trimming`.

    Parameters
    ----------
    contamination : float, default=0.05
        Share of each class to remove, in (0, 0.5].

    Attributes
    ----------
    means_, directions_ : ndarray of shape (n_classes, d)
        Mean of each class, and its unit direction.
    feasible_set_ : ConvexSet
        One band for each class: the rows within its threshold.

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

    needs_labels: ClassVar[bool] = True
    _measure: ClassVar[str] = "distance to the class mean along the line between classes"

    def __init__(self, *, contamination: float = 0.05) -> None:
        self.contamination = contamination

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        self.means_ = np.stack([mean(X, rows) for rows in memberships(codes)])
        self.directions_ = _directions(self.means_)

    def _class_suspicions(self, X: Matrix) -> Array:
        columns = [
            np.abs(X @ normal - normal @ centre) for normal, centre in zip(self.directions_, self.means_, strict=True)
        ]
        return np.column_stack(columns)

    def _regions(self) -> list[Region]:
        centres = np.einsum("cd,cd->c", self.directions_, self.means_)
        return [
            slab(normal, centre - width, centre + width)
            for normal, centre, width in zip(self.directions_, centres, self.thresholds_, strict=True)
        ]


def _directions(means: Array) -> Array:
    others = (means.sum(axis=0) - means) / (len(means) - 1)
    # From the class to the others: where two means coincide the direction stays zero rather than undefined.
    towards = others - means
    lengths = np.linalg.norm(towards, axis=1, keepdims=True)
    return np.asarray(np.divide(towards, lengths, out=np.zeros_like(towards), where=lengths > 0))
