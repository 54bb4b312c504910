"""Deep k-NN: flag the rows whose neighbours have another label."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.neighbors import NearestNeighbors
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Mask, Matrix
from toadstone.core.errors import InvalidData
from toadstone.detectors.calibrated import Calibrated
from toadstone.kernels.statistics.neighbour_vote import NO_VOTE, count_votes, draw_voters, lost_votes, nearest_votes
from toadstone.kernels.statistics.thresholds import tail_threshold
from toadstone.sanitizers.labelled import own
from toadstone.sanitizers.scored import ClassScorer

_MOST_NEIGHBOURS = 1000
_MOST_VOTERS, _FEWEST_NEIGHBOURS = 8192, 16
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
    own neighbour; in the authors' code it is.

    Of more than 8192 rows only as many vote, or more where a row would have
    fewer than sixteen voters: time then grows with the number of rows and not
    with its square. They are all rows of small classes and equally many of the
    others, drawn at random by a fixed seed, and each has the votes of all rows
    that it stands for. All rows vote where `n_neighbors` is given.
    Attributes that all detectors have are those of `Calibrated`.

    Parameters
    ----------
    false_alarm_rate : float, default=0.02
        Share of clean rows that may be flagged, in (0, 0.1].
    n_neighbors : int, optional
        Should be much larger than a group of poison rows that lie together.
        By default half of the smallest class, at most 1000. A given number is
        looked for among all rows.

    Attributes
    ----------
    n_neighbors_ : int
        Number of neighbours whose votes count.
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
        most = max(_MOST_VOTERS, _FEWEST_NEIGHBOURS * len(codes) // self.n_neighbors_)
        if self.n_neighbors is not None:
            most = len(codes)
        self._voters, self._weights = draw_voters(codes, most, np.random.default_rng(0))
        self._voter_codes = codes[self._voters]
        # One more than can be needed, as one of them may be the row itself.
        needed = int(np.ceil(self.n_neighbors_ / self._weights.min())) + 1
        self._index = NearestNeighbors(n_neighbors=min(needed, len(self._voters)), algorithm="brute")
        self._index.fit(X[self._voters])

    def _fitted_suspicions(self, X: Matrix, codes: IntArray) -> Array:
        blocks = self._votes_lost(X, np.arange(len(codes)))
        return np.concatenate([own(lost, codes[part]) for part, lost in blocks])

    def _class_suspicions(self, X: Matrix) -> Array:
        return np.concatenate([lost for _, lost in self._votes_lost(X, np.full(X.shape[0], -1))])

    def _votes_lost(self, X: Matrix, itself: IntArray) -> Iterator[tuple[slice, Array]]:
        """Yield by how much each label loses the vote of the nearest rows other than the row itself, block by block."""
        for start in range(0, len(itself), _QUERIES_AT_ONCE):
            part = slice(start, start + _QUERIES_AT_ONCE)
            neighbours = self._index.kneighbors(X[part], return_distance=False)
            other = self._voters[neighbours] != itself[part, None]
            # Where more rows coincide than there are neighbours, the row itself may not be found: the last one leaves.
            other[other.all(axis=1), -1] = False
            votes = nearest_votes(np.where(other, self._weights[neighbours], 0.0), self.n_neighbors_)
            labels = np.where(other, self._voter_codes[neighbours], NO_VOTE)
            counts = count_votes(labels, len(self.classes_), votes)
            yield part, lost_votes(counts / counts.sum(axis=1, keepdims=True))

    def _own_thresholds(self, classes: list[Mask]) -> Array:
        tails = np.array([self._tail(members) for members in classes])
        within = np.sort(self.suspicion_[self.suspicion_ <= tails[self._codes]])
        # Alarms that the rate allows beyond those of the classes' own tails.
        left = int(self.false_alarm_rate * len(self._codes) + 1e-9) - (len(self._codes) - len(within))
        pooled = float(within[-1 - left]) if 0 < left < len(within) else np.inf
        alone = np.array([np.count_nonzero(members) < 2 for members in classes])
        return np.where(alone, np.inf, np.minimum(tails, max(0.0, pooled)))

    def _accounts_for(self, X: Matrix, code: int, beyond: Mask) -> bool:
        # Votes lost by more than the class's own tail are few where labels are right, whatever clusters it has.
        return True

    def _tail(self, members: Mask) -> float:
        # Votes come in steps: a bulk without spread is as precise as one vote moved from one label to another.
        step = 2 * float(self._weights.max()) / self.n_neighbors_
        return max(0.0, tail_threshold(self.suspicion_[members], self.false_alarm_rate, least_spread=step))
