"""Removal of a fixed share of each class: thresholds, trimming by rank, feasible sets."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Labels, Matrix
from toadstone.core.feasible import Region
from toadstone.kernels.rows import value_order
from toadstone.kernels.sets.sets import ConvexSet
from toadstone.sanitizers.labelled import admit, class_codes, memberships, own
from toadstone.sanitizers.scored import reason, rounding, select_rows

SHARE = Interval(Real, 0, 0.5, closed="right")
"""Values that `contamination` may take."""


def trim(suspicion: Array, codes: IntArray, contamination: float) -> IntArray:
    """Keep the least suspicious rows of each class.

    Scores that agree to ten digits of the largest count as ties, so that
    rounding, which depends on the number of threads, never decides; ties go
    to the earlier row. (`Trimming` passes rows in the order of their values.)

    Parameters
    ----------
    suspicion : ndarray of shape (n,)
        Larger is more anomalous.
    codes : ndarray of shape (n,)
        Class of each row, counted from zero.
    contamination : float
        Share of each class to remove.

    Returns
    -------
    ndarray of int
        Kept rows in ascending order, exactly
        ``round((1 - contamination) * n_y)`` of each class y.

    Examples
    --------
    >>> trim(np.array([3.0, 1.0, 2.0, 9.0]), np.array([0, 0, 0, 1]), 0.4)
    array([1, 2, 3])
    """
    ranked = np.round(suspicion / (rounding(suspicion) or 1.0))
    kept = []
    for members in memberships(codes):
        rows = np.flatnonzero(members)
        count = round((1 - contamination) * len(rows))
        kept.append(rows[np.argsort(ranked[rows], kind="stable")[:count]])
    return np.sort(np.concatenate(kept))


def quantile_thresholds(suspicion: Array, codes: IntArray, contamination: float) -> Array:
    """Return the suspicion that a share of each class exceeds.

    Parameters
    ----------
    suspicion : ndarray of shape (n,)
    codes : ndarray of shape (n,)
        Class of each row, counted from zero.
    contamination : float

    Returns
    -------
    ndarray of shape (n_classes,)
        The interpolated ``1 - contamination`` quantile of each class, plus a
        ten-billionth of the largest suspicion.

    Examples
    --------
    >>> quantile_thresholds(np.array([3.0, 1.0, 2.0, 9.0]), np.array([0, 0, 0, 1]), 0.5)
    array([2., 9.])
    """
    quantiles = [np.quantile(suspicion[members], 1 - contamination) for members in memberships(codes)]
    # A row on the threshold passes whatever rounding did to its score when it is scored again.
    return np.array(quantiles) + rounding(suspicion)


class Trimming:
    """Removal of the most suspicious share of each class.

    A sanitizer lists `ClassScorer` beside this base, and gives `_learn` and
    `_class_suspicions`; one whose threshold bounds a convex region in each
    class gives `_regions` too.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted labels; a single 0 when fitted without labels.
    suspicion_ : ndarray of shape (n,)
        Of each training row; larger is more anomalous.
    thresholds_ : ndarray of shape (n_classes,)
        On the suspicion, for each class, from `quantile_thresholds`.
    offset_ : float
        Minus the threshold, where there is a single class.
    feasible_set_ : ConvexSet
        The rows within the thresholds, where they form a convex set.
    sample_indices_, removed_indices_ : ndarray of int
        Rows that `fit_resample` kept and removed, ascending.
    reasons_ : list of str
        Why each removed row was removed.
    n_features_in_ : int
        Number of columns.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"contamination": [SHARE]}
    _measure: ClassVar[str]

    contamination: float
    suspicion_: Array

    def fit(self, X: Matrix, y: Labels | None = None) -> Self:
        """Learn what is normal in each class, and its threshold.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : array_like of shape (n,), optional
            Labels; without them all rows form one class.

        Returns
        -------
        Trimming
            Itself.

        Raises
        ------
        InvalidData
            If there are too few rows, or too few classes.
        """
        matrix, self.classes_, codes = admit(self, X, y)
        # Sums and solvers round by the order of rows: this one depends on their values only.
        self._order = order = value_order(matrix, codes)
        ordered = matrix[order]
        self._learn(ordered, codes[order])
        self.suspicion_ = np.empty(len(codes))
        self.suspicion_[order] = own(self._class_suspicions(ordered), codes[order])
        self.thresholds_ = quantile_thresholds(self.suspicion_, codes, self.contamination)
        regions = self._regions()
        if regions:
            self.feasible_set_ = ConvexSet(dict(zip(self.classes_.tolist(), regions, strict=True)))
        return self

    def fit_resample(self, X: Matrix, y: Labels) -> tuple[Matrix, Labels]:
        """Fit, and remove the most suspicious rows of each class by rank.

        Parameters
        ----------
        X : array_like or CSR of shape (n, d)
        y : array_like of shape (n,)

        Returns
        -------
        X, y
            The kept rows in their original order, type and values;
            `sample_indices_` holds their positions.
        """
        self.fit(X, y)
        codes = class_codes(self.classes_, y, len(self.suspicion_))
        # Rows of equal scores and other values go by their values; copies by the caller's order.
        kept = trim(self.suspicion_[self._order], codes[self._order], self.contamination)
        self.sample_indices_ = np.sort(self._order[kept])
        self.removed_indices_ = np.setdiff1d(np.arange(len(codes)), self.sample_indices_)
        self.reasons_ = [
            reason(self._measure, self.suspicion_[row], self.thresholds_[code], self.classes_[code])
            for row, code in zip(self.removed_indices_, codes[self.removed_indices_], strict=True)
        ]
        return select_rows(X, y, self.sample_indices_)

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        """Learn what is normal in each class."""
        raise NotImplementedError

    def _class_suspicions(self, X: Matrix) -> Array:
        """Return the suspicion of every row in every class, shape (n, n_classes)."""
        raise NotImplementedError

    def _regions(self) -> list[Region]:
        """Return the region within the threshold of each class; none where it is not convex."""
        return []
