"""Deep partition aggregation: a vote of models, each of which is trained on few of the rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
import sklearn
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.core.checks import LARGEST_SEED
from toadstone.core.errors import InvalidArgument
from toadstone.core.pointwise import Certified
from toadstone.core.version import __version__
from toadstone.kernels.statistics.row_digests import contents
from toadstone.kernels.votes.dealing import Deal
from toadstone.kernels.votes.elections import ELECTIONS, Election, certify_rankings, check_election
from toadstone.kernels.votes.priced import certify_priced_votes
from toadstone.kernels.votes.schemes import DisjointParts, Scheme
from toadstone.learners.linear import LinearClassifier
from toadstone.learners.linear_scores import SparseClassifier, check_two_classes, rows_to_fit, rows_to_predict
from toadstone.learners.voters.likeness import refuse_unlike
from toadstone.learners.voters.prices import priced_votes
from toadstone.learners.voters.training import (
    Map,
    VoterTask,
    digest_of,
    rank,
    ranks_of,
    train_voter,
    trained_outputs,
    vote,
    votes_of,
)

_TRIED_ROWS = 1000
_NEXT_SEED = 0x9E3779B1


class PartitionVoteClassifier(SparseClassifier, BaseEstimator):
    """A majority vote of models, each trained on few of the rows.

    By default the part of a row is a hash of its features, so a row that is
    added, removed or relabelled changes one model only [1]_; other schemes
    deal rows to overlapping models or keep groups of rows together. The rows
    of a model are sorted by their contents, and its number, or the name of its
    group, is the seed, so the order of the rows does not matter either. The
    guarantee holds only if a model uses nothing but its own rows: scaling and
    feature selection belong into the estimator. It must also be the same
    whenever it is trained on the same rows, which is tried on one part.
    Training rows are kept, for `unlearn`.

    Parameters
    ----------
    estimator : classifier, optional
        The model to train; `LinearClassifier` by default. Each of its
        `random_state` parameters is set to the voter's seed.
    n_partitions : int, default=25
        Number of parts, unless there is a scheme.
    scheme : DisjointParts, FiniteAggregation, HashBagging, GroupParts or Periods, optional
        From `toadstone.kernels.votes.schemes` or ``grouped``.
    repeats : int, default=1
        Models of each voter, trained with different seeds, whose mean votes.
    election : {"majority", "run-off"}, default="majority"
        In a run-off the two classes with the most votes meet in a second
        round, where each model votes for the one that it scores higher. It
        withstands more where there are many classes; with two it is the same.

    Attributes
    ----------
    models_ : list of (classifier or None)
        One for each voter; None for one without rows, which does not vote.
    sizes_ : ndarray of int of shape (n_voters,)
        Number of rows of each voter. A single group of most rows is one unit,
        and one voter, all the same.
    scheme_ : scheme
        The one in use.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int

    References
    ----------
    .. [1] Levine and Feizi, "Deep partition aggregation", ICLR 2021,
       algorithm 1.

    Examples
    --------
    >>> X = np.arange(-30.0, 30.0)[:, None]
    >>> classifier = PartitionVoteClassifier(n_partitions=3).fit(X, np.arange(60) >= 30)
    >>> classifier.votes([[-20.0], [20.0]])
    array([[3, 0],
           [0, 3]])
    >>> classifier.certify([[-20.0], [20.0]]).count
    array([1, 1])
    """

    classes_: Labels

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "n_partitions": [Interval(Integral, 1, None, closed="left")],
        "scheme": [HasMethods(["deal", "certify"]), None],
        "repeats": [Interval(Integral, 1, None, closed="left")],
        "election": [StrOptions(set(ELECTIONS))],
    }

    def __init__(
        self,
        *,
        estimator: Any = None,
        n_partitions: int = 25,
        scheme: Scheme | None = None,
        repeats: int = 1,
        election: Election = "majority",
    ) -> None:
        self.estimator = estimator
        self.n_partitions = n_partitions
        self.scheme = scheme
        self.repeats = repeats
        self.election = election

    def fit(
        self, X: Matrix, y: Labels, *, groups: Sequence[object] | None = None, map: Map = map, again: Map = map
    ) -> Self:
        """Train the model of each voter.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : array_like of shape (n,)
            Labels of at least two classes.
        groups : sequence of shape (n,), optional
            The group of each row, for a scheme of groups.
        map : callable, optional
            Used as the builtin: that of a pool of processes trains in
            parallel, with the same result.
        again : callable, optional
            Used as the builtin for the second training of one part: in
            another process it notices more.

        Returns
        -------
        PartitionVoteClassifier
            The fitted estimator.

        Raises
        ------
        InvalidData
            If there is a single class, or no group for each row.
        InvalidArgument
            If the estimator is not the same when it is trained again.
        """
        matrix, codes, _ = rows_to_fit(self, X, y)
        tasks = self._deal(matrix, self.classes_[codes], groups)
        models = map(train_voter, tasks)
        tried = matrix[:: max(1, matrix.shape[0] // _TRIED_ROWS)]
        refuse_unlike(tasks, partial(trained_outputs, rows=tried), again)
        self.models_ = list(models)
        return self

    def fit_votes(
        self,
        X: Matrix,
        y: Labels,
        queries: Matrix,
        *,
        groups: Sequence[object] | None = None,
        map: Map = map,
        again: Map = map,
    ) -> IntArray:
        """Train the model of each voter, and return its votes about queries instead of keeping the model.

        Parameters
        ----------
        X, y, groups, again
            As for `fit`.
        queries : ndarray or CSR of shape (q, d)
        map : callable, optional
            Used as the builtin. One that keeps results by the ``digest`` of
            their task resumes where a run was interrupted, and trains nothing
            twice.

        Returns
        -------
        ndarray of int of shape (q, n_voters)
            Class positions; -1 for a voter without rows.
        """
        votes: IntArray = self._ask(vote, X, y, queries, groups, (map, again))
        return votes

    def fit_rankings(
        self,
        X: Matrix,
        y: Labels,
        queries: Matrix,
        *,
        groups: Sequence[object] | None = None,
        map: Map = map,
        again: Map = map,
    ) -> Any:
        """Train the model of each voter, and return how it ranks the classes for queries, which a run-off needs.

        Parameters
        ----------
        X, y, queries, groups, map, again
            As for `fit_votes`, but that no journal keeps rankings.

        Returns
        -------
        ndarray of uint8 of shape (q, n_voters, n_classes)
            As `certify_rankings` takes them.
        """
        return self._ask(rank, X, y, queries, groups, (map, again))

    def unlearn(self, rows: IntArray, *, map: Map = map) -> Self:
        """Remove training rows: retrain the voters that had them, exactly as if they had never been there.

        Parameters
        ----------
        rows : array_like of int
            Positions of training rows. Those that remain keep their order.
        map : callable, optional
            As for `fit`.

        Returns
        -------
        PartitionVoteClassifier
            The estimator, equal to one fitted to the remaining rows.

        Raises
        ------
        InvalidArgument
            If a position is none, or comes twice.
        InvalidData
            If fewer than two classes remain; nothing is changed then.
        """
        check_is_fitted(self, "models_")
        matrix, labels, groups = self._training
        kept = _without(rows, len(labels))
        check_two_classes(labels[kept])
        known = {key: model for key, model in zip(self._keys(kept=None), self.models_, strict=True)}
        self.classes_ = np.unique(labels[kept])
        remaining = None if groups is None else [groups[row] for row in kept]
        tasks = self._deal(matrix[kept], labels[kept], remaining)
        keys = self._keys(kept=kept)
        changed = [voter for voter, key in enumerate(keys) if key not in known]
        trained = dict(zip(changed, map(train_voter, [tasks[voter] for voter in changed]), strict=True))
        self.models_ = [trained[voter] if voter in trained else known[key] for voter, key in enumerate(keys)]
        return self

    def ballots(self, X: Matrix) -> IntArray:
        """Return each voter's vote about each row.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)

        Returns
        -------
        ndarray of int of shape (n, n_voters)
            Class positions; -1 for a voter without rows.
        """
        check_is_fitted(self, "models_")
        matrix = rows_to_predict(self, X)
        return np.stack([votes_of(model, matrix, self.classes_) for model in self.models_], axis=1)

    def rankings(self, X: Matrix) -> Any:
        """Return how each voter ranks the classes for each row.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)

        Returns
        -------
        ndarray of uint8 of shape (n, n_voters, n_classes)
        """
        check_is_fitted(self, "models_")
        matrix = rows_to_predict(self, X)
        return np.stack([ranks_of(model, matrix, self.classes_) for model in self.models_], axis=1)

    def votes(self, X: Matrix) -> IntArray:
        """Count the models that predict each class.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)

        Returns
        -------
        ndarray of int of shape (n, n_classes)
            Each row sums to the number of voters that have rows.
        """
        ballots = self.ballots(X)
        return np.stack([(ballots == c).sum(axis=1) for c in range(len(self.classes_))], axis=1)

    def predict(self, X: Matrix) -> Labels:
        """Return the label that is elected for each row, the first on a tie."""
        codes = self.votes(X).argmax(axis=1) if self.election == "majority" else self.certify(X).winner
        return np.asarray(self.classes_[codes])

    def certify(self, X: Matrix) -> Certified:
        """Predict, and count the units of the scheme that an attacker may control without changing a prediction.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)

        Returns
        -------
        Certified
            Winners are positions in ``classes_``; counts are rows added or
            removed, or groups.
        """
        if self.election == "run-off":
            return certify_rankings(self.rankings(X), self.scheme_)
        return self.scheme_.certify(self.ballots(X), len(self.classes_))

    def certify_flips(self, X: Matrix) -> Certified:
        """Count label flips that an attacker may make in vain, each model's vote at its price.

        For models that are linear in the labels, such as
        `OneHotRidgeClassifier`, it is known how many flips each vote takes;
        for others, and parts of a single class, one flip is assumed to do.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)

        Returns
        -------
        Certified
            At least what `certify` counts, which is models.

        Raises
        ------
        InvalidArgument
            If the scheme is not that of disjoint parts, or the election no majority.
        """
        check_is_fitted(self, "models_")
        if not isinstance(self.scheme_, DisjointParts) or self.election != "majority":
            raise InvalidArgument("scheme", "disjoint parts and a majority, for counts in flips", self.scheme_.name)
        matrix = rows_to_predict(self, X)
        found = [priced_votes(model, matrix, self.classes_) for model in self.models_]
        votes, prices = (np.stack([one[part] for one in found], axis=1) for part in (0, 1))
        return certify_priced_votes(votes, prices, n_units=len(self._training[1]))

    def _ask(
        self,
        question: Callable[[VoterTask], Any],
        X: Matrix,
        y: Labels,
        queries: Matrix,
        groups: Sequence[object] | None,
        maps: tuple[Map, Map],
    ) -> Any:
        """Train the model of each voter, and return its answers about queries."""
        matrix, codes, _ = rows_to_fit(self, X, y)
        # Models of an earlier fit have other rows.
        if hasattr(self, "models_"):
            del self.models_
        tasks = self._deal(matrix, self.classes_[codes], groups, rows_to_predict(self, queries))
        if question is rank:
            # Of another kind than votes, for whoever keeps answers by the digest of their task.
            tasks = [replace(task, about=f"rankings {task.about}") for task in tasks]
        answers = list(maps[0](question, tasks))
        refuse_unlike(tasks, question, maps[1])
        return np.stack(answers, axis=1)

    def _deal(
        self, X: Matrix, labels: Labels, groups: Sequence[object] | None, queries: Matrix | None = None
    ) -> list[VoterTask]:
        self.scheme_ = DisjointParts(self.n_partitions) if self.scheme is None else self.scheme
        check_election(self.election, self.scheme_)
        # Of the features only: a row that moved to another part with its label would change two models.
        found = contents(X)
        self._dealt: Deal = self.scheme_.deal(found, groups)
        self._training = (X, labels, groups)
        self.sizes_ = np.array([len(rows) for rows in self._dealt.rows])
        codes = np.searchsorted(self.classes_, labels)
        estimator = LinearClassifier(tolerance=1e-6) if self.estimator is None else self.estimator
        about = ""
        if queries is not None:
            # Versions too, for with others the same rows may train another model; storage decides its last digits.
            told = (estimator, self.classes_, X.shape[1], type(X).__name__, __version__, sklearn.__version__)
            about = digest_of(contents(queries), told)
        tasks = []
        for rows, first in zip(self._dealt.rows, self._dealt.seeds, strict=True):
            # Rows that are equal but for their labels have one content: the label settles their order.
            ordered = np.array(sorted(rows.tolist(), key=lambda row: (found[row], codes[row])), dtype=np.int64)
            seeds = tuple((first + again * _NEXT_SEED) % (LARGEST_SEED + 1) for again in range(self.repeats))
            tasks.append(VoterTask(X[ordered], labels[ordered], estimator, seeds, self.classes_, queries, about))
        return tasks

    def _keys(self, *, kept: IntArray | None) -> list[tuple[int, bytes]]:
        """Return a key for each voter, its seed and the positions of its rows before any were removed."""
        positions = [rows if kept is None else kept[rows] for rows in self._dealt.rows]
        return [(seed, rows.tobytes()) for seed, rows in zip(self._dealt.seeds, positions, strict=True)]


def _without(rows: IntArray, n: int) -> IntArray:
    """Return the positions that remain, ascending."""
    removed = np.asarray(rows)
    if removed.ndim != 1 or (removed.size and removed.dtype.kind not in "iu"):
        raise InvalidArgument("rows", "positions of training rows", f"shape {removed.shape} of {removed.dtype}")
    if removed.size and not 0 <= removed.min() <= removed.max() < n:
        raise InvalidArgument("rows", f"positions from 0 to {n - 1}", f"{removed.min()} to {removed.max()}")
    if len(np.unique(removed)) < removed.size:
        raise InvalidArgument("rows", "each position once", "one that comes twice")
    return np.setdiff1d(np.arange(n), removed)
