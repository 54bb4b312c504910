"""A vote in trusted features: drop the outvoted rows that lie together, or that lose by a wide margin."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.neighbors import NearestNeighbors
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Array, IntArray, Labels, Mask, Matrix
from toadstone.core.errors import InvalidData
from toadstone.kernels.neighbours.outvoted import outvoted_neighbours
from toadstone.kernels.rows import value_order
from toadstone.kernels.statistics.neighbour_vote import count_votes, lost_votes
from toadstone.sanitizers.labelled import admit, own, trusted_mask
from toadstone.sanitizers.scored import select_rows

_MOST_VOTERS = 5000
_AT_ONCE = 1024


class FeatureVote(BaseEstimator):
    """Flag rows that their nearest rows outvote, in features that the poison did not train.

    A row is outvoted if more of its nearest other rows have another label than
    have its own, as in deep k-NN [1]_. Of the outvoted rows those are flagged
    that are not alone, with `together` or more outvoted rows of their label
    among the `around` nearest, and those that lose by more than `margin`. Deep
    k-NN drops every outvoted row: on CIFAR-10, 8 to 10 % of the clean images
    that a published network had not seen, most of them alone. Poison comes in
    numbers; ``benchmarks/feature_vote.py`` measures both.

    The features must come from a network that was trained on other data, a
    published one for example: those of a network that the poison trained do
    not show it. There is no proof. An attacker who knows the vote can choose
    targets that lie at the boundary of the intended class: of twenty such,
    bullseye polytope hit eighteen.

    Parameters
    ----------
    n_neighbors : int, optional
        Rows that vote on each. By default a tenth of all, at most 5,000: with
        251, the share of clean images dropped grew from 1.9 to 3.6 % between
        2,500 and 10,000 rows.
    around : int, default=30
    together : int, default=4
    margin : float, default=0.45
        In (0, 1].

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted labels.
    n_neighbors_ : int
    suspicion_ : ndarray of shape (n,)
        Share of votes by which each row's label loses, in [-1, 1].
    outvoted_around_ : ndarray of int of shape (n,)
        Outvoted rows of its label among the nearest rows of each.
    suggested_ : ndarray of shape (n,)
        Label that wins the vote of the nearest rows.
    flagged_indices_ : ndarray of int
        Ascending; no trusted row is among them.
    reasons_ : list of str
        One for each flagged row.
    sample_indices_, removed_indices_ : ndarray of int
        Rows that `fit_resample` kept and removed, ascending.

    References
    ----------
    .. [1] Peri, Gupta, Huang, Fowl, Zhu, Feizi, Goldstein and Dickerson, "Deep
       k-NN defense against clean-label data poisoning attacks", ECCV
       workshops 2020, section 4.

    Examples
    --------
    Five rows of class 1 lie together in class 0; of class 0 one lies alone
    near class 1 and loses by little.

    >>> X = np.concatenate([np.linspace(0, 1, 50), np.linspace(3, 4, 50), np.full(5, 0.5), [2.1]])[:, None]
    >>> y = np.concatenate([np.zeros(50), np.ones(55), [0]]).astype(int)
    >>> FeatureVote(n_neighbors=85).fit(X, y).flagged_indices_
    array([100, 101, 102, 103, 104])
    """

    needs_labels: ClassVar[bool] = True
    needs_trusted: ClassVar[bool] = False
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left"), None],
        "around": [Interval(Integral, 1, None, closed="left")],
        "together": [Interval(Integral, 1, None, closed="left")],
        "margin": [Interval(Real, 0, 1, closed="right")],
    }

    classes_: Labels
    suspicion_: Array
    outvoted_around_: IntArray
    suggested_: Labels
    flagged_indices_: IntArray
    reasons_: list[str]

    def __init__(
        self, *, n_neighbors: int | None = None, around: int = 30, together: int = 4, margin: float = 0.45
    ) -> None:
        self.n_neighbors = n_neighbors
        self.around = around
        self.together = together
        self.margin = margin

    def fit(self, X: Matrix, y: Labels, *, trusted: IntArray | Mask | None = None) -> Self:
        """Let the nearest rows vote on each.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
            Features, such as `toadstone.deep.activations` returns.
        y : array_like of shape (n,)
        trusted : ndarray of int or bool, optional
            Rows known to be clean, by position or as a mask; they vote and are
            never flagged.

        Returns
        -------
        FeatureVote
            Itself.

        Raises
        ------
        InvalidData
            If there are too few rows, or one label only.
        """
        matrix, self.classes_, codes = admit(self, X, y)
        known = trusted_mask(trusted, len(codes))
        n, n_classes = len(codes), len(self.classes_)
        self.n_neighbors_ = min(_MOST_VOTERS, max(1, n // 10)) if self.n_neighbors is None else int(self.n_neighbors)
        if n <= self.n_neighbors_:
            expected = f"expected more than the {self.n_neighbors_} that vote on each"
            raise InvalidData(f"rows: {expected}, got n_samples = {n}")
        # Rows vote in an order of values, so that ties of distance do not depend on the caller's order.
        order = value_order(matrix, codes)
        around = np.empty((n, min(n - 1, self.around)), dtype=np.int64)
        votes = np.empty((n, n_classes), dtype=np.int64)
        for rows, found in _nearest_others(matrix[order], min(n - 1, max(self.n_neighbors_, self.around))):
            near = order[found]
            around[order[rows]] = near[:, : self.around]
            votes[order[rows]] = count_votes(codes[near[:, : self.n_neighbors_]], n_classes)
        self.suspicion_ = own(lost_votes(votes), codes) / self.n_neighbors_
        outvoted = self.suspicion_ > 0
        self.outvoted_around_ = outvoted_neighbours(around, codes, outvoted)
        self.suggested_ = self.classes_[votes.argmax(axis=1)]
        beyond = outvoted & ((self.outvoted_around_ >= self.together) | (self.suspicion_ > self.margin))
        self.flagged_indices_ = np.flatnonzero(beyond & ~known)
        self.reasons_ = [self._reason(int(row), codes) for row in self.flagged_indices_]
        return self

    def fit_resample(self, X: Matrix, y: Labels, *, trusted: IntArray | Mask | None = None) -> tuple[Matrix, Labels]:
        """Fit, and remove the flagged rows.

        Parameters
        ----------
        X : array_like or CSR of shape (n, d)
        y : array_like of shape (n,)
        trusted : ndarray of int or bool, optional
            As in `fit`.

        Returns
        -------
        X, y
            The kept rows in their original order, type and values;
            `sample_indices_` holds their positions.
        """
        self.fit(X, y, trusted=trusted)
        self.removed_indices_ = self.flagged_indices_
        self.sample_indices_ = np.setdiff1d(np.arange(len(self.suspicion_)), self.removed_indices_)
        return select_rows(X, y, self.sample_indices_)

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that rows may be sparse, and that labels are needed."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.required = True
        return tags

    def _reason(self, row: int, codes: IntArray) -> str:
        label, likely = self.classes_[codes[row]], self.suggested_[row]
        lost = f"labelled {label}, but of its nearest {self.n_neighbors_} rows {likely} wins the vote"
        others = int(self.outvoted_around_[row])
        if others < self.together:
            return f"{lost} by {100 * self.suspicion_[row]:.0f} points"
        return f"{lost}, as for {others} rows of its label around it"


def _nearest_others(X: Matrix, count: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield rows, block by block, with the positions of the nearest other rows of each, the nearest first."""
    index = NearestNeighbors(n_neighbors=count + 1, algorithm="brute").fit(X)
    for start in range(0, X.shape[0], _AT_ONCE):
        rows = np.arange(start, min(start + _AT_ONCE, X.shape[0]))
        found = index.kneighbors(X[rows], return_distance=False)
        others = found != rows[:, None]
        # Where more rows coincide than are looked for, the row itself may not be found: the last one leaves.
        others[others.all(axis=1), -1] = False
        yield rows, found[others].reshape(len(rows), count)
