"""Deep k-NN: flag the rows whose neighbours have another label."""

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
from toadstone.kernels.statistics.neighbour_vote import NO_VOTE, count_votes, lost_votes
from toadstone.kernels.statistics.thresholds import tail_threshold
from toadstone.sanitizers.labelled import memberships, own
from toadstone.sanitizers.scored import ClassScorer

_MOST_NEIGHBOURS = 1000
_QUERIES_AT_ONCE = 512


class DeepNeighbours(Calibrated, ClassScorer, BaseEstimator):
    """Flag the rows whose label loses the vote of their nearest other rows.

    The Deep k-NN defence of Peri and others [1]_, on activations or any other
    features. A row's suspicion is the share of its neighbours with the most
    frequent other label minus the share with its own. The paper removes all
    rows above zero; here only those beyond the calibrated threshold of their
    class are flagged, because where classes overlap clean rows lose the vote
    too. Poison that is a large part of its class raises that threshold. As
    votes mean the same in every class, the rows of all classes that lost by
    the most are flagged as well, up to the false-alarm rate. A row is not its
    own neighbour; in the authors' code it is. Attributes that all detectors
    have are those of `Calibrated`.

    Parameters
    ----------
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].
    n_neighbors : int, optional
        Should be much larger than a group of poison rows that lie together.
        By default half of the smallest class, at most 1000.

    Attributes
    ----------
    n_neighbors_ : int
        Number of neighbours that vote.
    thresholds_ : ndarray of shape (n_classes,)
        At least zero.
    suspicion_ : ndarray of shape (n,)
        Of each training row, in [-1, 1].

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
    needs_labels: ClassVar[bool] = True
    _measure: ClassVar[str] = "margin of the lost vote of its neighbours"

    def __init__(self, *, false_alarm_rate: float = 0.02, n_neighbors: int | None = None) -> None:
        self.false_alarm_rate = false_alarm_rate
        self.n_neighbors = n_neighbors

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        half = max(1, int(np.bincount(codes).min()) // 2)
        self.n_neighbors_ = min(half, _MOST_NEIGHBOURS) if self.n_neighbors is None else int(self.n_neighbors)
        if len(codes) <= self.n_neighbors_:
            raise InvalidData(
                f"rows: expected more than {self.n_neighbors_} for {self.n_neighbors_} neighbours, "
                f"got n_samples = {len(codes)}"
            )
        self._index = NearestNeighbors(n_neighbors=self.n_neighbors_ + 1, algorithm="brute").fit(X)
        self._neighbour_codes = codes

    def _fitted_suspicions(self, X: Matrix, codes: IntArray) -> Array:
        return own(lost_votes(self._vote_shares(X, np.arange(len(codes)))), codes)

    def _class_suspicions(self, X: Matrix) -> Array:
        return lost_votes(self._vote_shares(X, np.full(X.shape[0], -1)))

    def _vote_shares(self, X: Matrix, itself: IntArray) -> Array:
        """Return the share of each label among the nearest rows other than the row itself, shape (n, n_classes)."""
        votes = np.empty((len(itself), len(self.classes_)))
        for start in range(0, len(itself), _QUERIES_AT_ONCE):
            part = slice(start, start + _QUERIES_AT_ONCE)
            neighbours = self._index.kneighbors(X[part], return_distance=False)
            other = neighbours != itself[part, None]
            # Where more rows coincide than there are neighbours, the row itself may not be found: the last one leaves.
            other[other.all(axis=1), -1] = False
            labels = np.where(other, self._neighbour_codes[neighbours], NO_VOTE)
            votes[part] = count_votes(labels, votes.shape[1]) / self.n_neighbors_
        return votes

    def _own_threshold(self, code: int, members: Mask) -> float:
        if np.count_nonzero(members) < 2:
            return float(np.inf)
        tails = np.array([self._tail(rows) for rows in memberships(self._codes)])
        within = np.sort(self.suspicion_[self.suspicion_ <= tails[self._codes]])
        # Alarms that the rate allows beyond those of the classes' own tails.
        left = int(self.false_alarm_rate * len(self._codes) + 1e-9) - (len(self._codes) - len(within))
        pooled = float(within[-1 - left]) if 0 < left < len(within) else np.inf
        return float(min(tails[code], max(0.0, pooled)))

    def _tail(self, members: Mask) -> float:
        # Votes come in steps: a bulk without spread is as precise as one vote moved from one label to another.
        step = 2 / self.n_neighbors_
        return max(0.0, tail_threshold(self.suspicion_[members], self.false_alarm_rate, least_spread=step))
