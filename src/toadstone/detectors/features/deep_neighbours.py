"""Flag the rows whose neighbours carry another label."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.neighbors import NearestNeighbors
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Mask, Matrix
from toadstone.core.errors import InvalidData
from toadstone.detectors.calibrated import Calibrated
from toadstone.kernels.statistics.thresholds import tail_threshold
from toadstone.sanitizers.labelled import own
from toadstone.sanitizers.trimming import memberships

_MOST_NEIGHBOURS = 1000
_QUERIES_AT_ONCE = 512


class DeepNeighbours(Calibrated, BaseEstimator):
    """Suspect rows whose label loses the vote of their nearest other rows.

    The Deep k-NN defence of Peri and others [1]_, on activations or any other
    features. A row's suspicion is the share of its neighbours with the most
    frequent other label minus the share with its own, so that rows above zero
    have lost; of these, those beyond the calibrated threshold of their class
    are flagged, for where classes overlap clean rows lose too. Poison that is
    a large part of its class hides that threshold, yet votes mean the same in
    every class: the rows of all classes that lost the most are flagged as
    well, as many as the promise leaves. A row is not its own neighbour, as it
    is in the authors' code.

    Parameters
    ----------
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].
    n_neighbors : int, optional
        Should dwarf the number of poison rows that lie together. By default
        half of the smallest class, at most 1000.

    Attributes
    ----------
    n_neighbors_ : int
        How many neighbours vote.
    classes_ : ndarray of shape (n_classes,)
        Sorted labels.
    thresholds_ : ndarray of shape (n_classes,)
        On the suspicion, for each class; zero at least.
    suspicion_ : ndarray of shape (n,)
        Of each training row, in [-1, 1]; larger is more suspicious.
    flagged_indices_ : ndarray of int
        Rows beyond the threshold of their class, ascending.
    reasons_ : list of str
        Why each was flagged.
    sample_indices_, removed_indices_ : ndarray of int
        Rows that `fit_resample` kept and removed, ascending.
    false_alarm_rate_, smallest_detectable_share_ : float
        As in `SpectralSignatures`.
    n_features_in_ : int
        Number of columns.

    References
    ----------
    .. [1] Peri, Gupta, Huang, Fowl, Zhu, Feizi, Goldstein and Dickerson,
       "Deep k-NN defense against clean-label data poisoning attacks", ECCV
       workshops 2020.

    Examples
    --------
    >>> X = np.repeat([0.0, 1.0], 20)[:, None] + np.linspace(0, 0.1, 40)[:, None]
    >>> y = np.repeat([0, 1], 20)
    >>> y[3] = 1
    >>> DeepNeighbours(n_neighbors=7).fit(X, y).flagged_indices_
    array([3])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Calibrated._parameter_constraints,
        "n_neighbors": [Interval(Integral, 1, None, closed="left"), None],
    }
    _measure: ClassVar[str] = "the vote lost among the nearest rows"

    def __init__(self, *, false_alarm_rate: float = 0.02, n_neighbors: int | None = None) -> None:
        self.false_alarm_rate = false_alarm_rate
        self.n_neighbors = n_neighbors

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that labels are needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        if len(self.classes_) < 2:
            raise InvalidData("labels: expected at least two classes, got 1 class")
        half = max(1, int(np.bincount(codes).min()) // 2)
        self.n_neighbors_ = min(half, _MOST_NEIGHBOURS) if self.n_neighbors is None else int(self.n_neighbors)
        if len(codes) <= self.n_neighbors_:
            raise InvalidData(
                f"rows: expected more than {self.n_neighbors_} for {self.n_neighbors_} neighbours, "
                f"got n_samples = {len(codes)}"
            )
        self._index = NearestNeighbors(n_neighbors=self.n_neighbors_ + 1, algorithm="brute").fit(X)
        self._neighbour_codes = codes

    def _suspicions(self, X: Matrix, codes: IntArray) -> Array:
        return own(_lost(self._votes(X, np.arange(len(codes)))), codes)

    def _anomalies(self, X: Matrix) -> Array:
        return _lost(self._votes(X, np.full(X.shape[0], -1)))

    def _votes(self, X: Matrix, itself: IntArray) -> Array:
        """Shares of the labels of the nearest rows other than the row itself, shape (n, n_classes)."""
        n_classes = len(self.classes_)
        votes = np.empty((len(itself), n_classes))
        for start in range(0, len(itself), _QUERIES_AT_ONCE):
            part = slice(start, start + _QUERIES_AT_ONCE)
            neighbours = self._index.kneighbors(X[part], return_distance=False)
            other = neighbours != itself[part, None]
            # Among many rows that coincide the row itself may be missing: the farthest leaves.
            other[other.all(axis=1), -1] = False
            labels = self._neighbour_codes[neighbours]
            for code in range(n_classes):
                votes[part, code] = np.sum((labels == code) & other, axis=1) / self.n_neighbors_
        return votes

    def _threshold(self, code: int, scores: Array) -> float:
        return max(0.0, tail_threshold(scores, self.false_alarm_rate, least_spread=2 / self.n_neighbors_))

    def _own_threshold(self, code: int, members: Mask) -> float:
        if np.count_nonzero(members) < 2:
            return float(np.inf)
        tails = np.array(
            [self._threshold(one, self.suspicion_[rows]) for one, rows in enumerate(memberships(self._codes))]
        )
        within = np.sort(self.suspicion_[self.suspicion_ <= tails[self._codes]])
        left = int(self.false_alarm_rate * len(self._codes) + 1e-9) - (len(self._codes) - len(within))
        pooled = float(within[-1 - left]) if 0 < left < len(within) else np.inf
        return float(min(tails[code], max(0.0, pooled)))


def _lost(votes: Array) -> Array:
    """The most frequent other label's share minus each label's own."""
    rivals = [np.delete(votes, code, axis=1).max(axis=1) for code in range(votes.shape[1])]
    return np.column_stack(rivals) - votes
