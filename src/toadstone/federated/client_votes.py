"""Votes of groups of clients: predictions that no few malicious clients can change, whatever they send."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument, InvalidData, InvalidInput
from toadstone.core.pointwise import Certified
from toadstone.kernels.votes.collective import most_changed
from toadstone.kernels.votes.grouped import GroupParts
from toadstone.kernels.votes.tallies import NO_VOTE
from toadstone.kernels.votes.units import certify_votes


class Predictor(Protocol):
    """A trained model."""

    def __call__(self, X: Matrix) -> Labels:
        """Return a label for each row."""


@dataclass
class ClientPartitionEnsemble:
    """A vote of models, each of which one group of the clients trains together.

    A keyed hash of its identity deals each client to one group [1]_, so that a
    malicious client reaches one model of the vote. Whatever it sends, in
    however many rounds, and whatever rule its group aggregates with, the other
    models stay as they are. The count for a prediction is therefore a proof
    about training as a whole, which no rule can give for its single rounds.

    Groups of `clients / groups` clients train in turn, so that all of them do
    about the work of one training. More groups certify more clients, and each
    model sees fewer rows.

    Parameters
    ----------
    groups : int
        Models that vote.
    key : str
        Of the hash, at most 64 bytes; keep it from the clients, who could
        otherwise choose an identity by its group.

    Attributes
    ----------
    members_ : list of ndarray of int
        Positions of the clients of each group, ascending.
    models_ : list of (callable or None)
        None for a group that got no client and does not vote.
    classes_ : ndarray

    Notes
    -----
    The proof needs that an identity is bound to one client when it registers,
    and that a group's training uses nothing of the other groups: no common
    normalization, early stopping or initial model that clients of several
    groups have trained. It holds for the random numbers that were drawn.

    References
    ----------
    .. [1] Cao, Jia and Gong, "Provably secure federated learning against
       malicious clients", AAAI 2021, theorem 1; with disjoint groups as in
       Levine and Feizi, "Deep partition aggregation", ICLR 2021, theorem 1.

    Examples
    --------
    Each group trains by a function of its clients and a seed:

    >>> means = np.array([0.0, 0.1, 0.2, 0.3, 0.1, 0.0])
    >>> def train(clients, seed):
    ...     line = float(np.median(means[clients]))
    ...     return lambda X: (X[:, 0] > line).astype(int)
    >>> vote = ClientPartitionEnsemble(groups=3, key="registry").fit(train, list("abcdef"), classes=[0, 1])
    >>> [group.tolist() for group in vote.members_]
    [[1], [3], [0, 2, 4, 5]]
    >>> vote.predict([[1.0]]), vote.certify([[1.0]]).count
    (array([1]), array([1]))
    """

    groups: int
    key: str = ""
    members_: list[IntArray] = field(init=False, repr=False)
    models_: list[Predictor | None] = field(init=False, repr=False)
    classes_: Any = field(init=False, repr=False)

    def fit(
        self,
        train: Callable[[IntArray, int], Predictor],
        clients: Sequence[object],
        *,
        classes: Sequence[object],
        map: Callable[..., Any] = map,
    ) -> ClientPartitionEnsemble:
        """Train the model of each group.

        Parameters
        ----------
        train : callable
            Given the positions of a group's clients and the group's number as
            a seed, runs the whole federated training of these clients and
            returns a function from rows to labels.
        clients : sequence
            Identity of each client: a text or a whole number.
        classes : sequence
            All labels; each counts once, and a tie goes to the first of them in
            sorted order, in which `classes_` holds the unique ones.
        map : callable
            Runs the trainings; the builtin by default.

        Returns
        -------
        ClientPartitionEnsemble
            Itself.

        Raises
        ------
        InvalidArgument
            If there are fewer clients than groups, or an identity twice, or the
            key is no text.
        """
        self.members_ = deal_clients(clients, groups=self.groups, key=self.key)
        self.classes_ = np.unique(np.asarray(classes))
        filled = [group for group, members in enumerate(self.members_) if len(members)]
        trained = dict(zip(filled, map(train, [self.members_[group] for group in filled], filled), strict=True))
        self.models_ = [trained.get(group) for group in range(self.groups)]
        return self

    def votes(self, X: Matrix) -> IntArray:
        """Return each model's vote, a position in `classes_`, shape (rows, groups); -1 where a group has no client.

        Raises
        ------
        InvalidData
            If a model does not return one known label for each row, or no group
            has a model.
        InvalidInput
            Before `fit`.
        """
        if not hasattr(self, "models_"):
            raise InvalidInput("ClientPartitionEnsemble has no models yet: call fit first")
        if all(model is None for model in self.models_):
            raise InvalidData("models: expected that of a group at least, got none")
        rows = X if hasattr(X, "shape") else np.asarray(X)
        cast = np.full((rows.shape[0], self.groups), NO_VOTE, dtype=np.int64)
        for group, model in enumerate(self.models_):
            if model is not None:
                labels = np.asarray(model(rows))
                if labels.shape != (len(cast),):
                    expected, got = (
                        f"one for each of the {len(cast)} rows",
                        f"shape {labels.shape} from group {group}'s model",
                    )
                    raise InvalidData(f"labels: expected {expected}, got {got}")
                cast[:, group] = self._positions(labels)
        return cast

    def predict(self, X: Matrix) -> Labels:
        """Return the label with the most votes, the first on a tie."""
        winner = self.certify(X).winner
        return np.asarray(self.classes_[winner])

    def certify(self, X: Matrix) -> Certified:
        """Count, for each row, the malicious clients that cannot change its prediction, whatever they send.

        Returns
        -------
        Certified
            Exact where malicious clients may be in any groups: with one client
            more, in groups of its choice, an attacker changes the prediction.
        """
        return certify_votes(self.votes(X), n_classes=len(self.classes_))

    def unchanged_at_least(self, X: Matrix, malicious: int) -> int:
        """Bound from below how many rows keep their prediction under any one choice of so many malicious clients."""
        votes = self.votes(X)
        return len(votes) - most_changed(votes, n_classes=len(self.classes_), units=min(malicious, self.groups))

    def _positions(self, labels: Labels) -> IntArray:
        found = np.searchsorted(self.classes_, labels)
        known = self.classes_[np.minimum(found, len(self.classes_) - 1)] == labels
        if not np.all(known):
            raise InvalidData(f"labels: expected one of classes, got {labels[~known][0]} from a group's model")
        return np.asarray(found, dtype=np.int64)


def deal_clients(clients: Sequence[object], *, groups: int, key: str = "") -> list[IntArray]:
    """Deal clients to groups by a keyed hash of their identities.

    A client that joins or leaves moves no other one.

    Parameters
    ----------
    clients : sequence
        Identity of each client, a text or a whole number, no one twice.
    groups : int
    key : str

    Returns
    -------
    list of ndarray of int
        Positions of the clients of each group, ascending; some may be empty.

    Raises
    ------
    InvalidArgument
        If there are fewer clients than groups, or one is there twice, or the
        key is no text.

    Examples
    --------
    >>> [group.tolist() for group in deal_clients(["a", "b", "c", "d"], groups=2, key="registry")]
    [[0, 1, 3], [2]]
    """
    check_count(groups=groups)
    if not isinstance(key, str):
        raise InvalidArgument("key", "a text", type(key).__name__)
    if len(clients) < groups:
        raise InvalidArgument("groups", f"at most one for each of the {len(clients)} clients", groups)
    if len(set(map(str, clients))) < len(clients):
        raise InvalidArgument("clients", "each identity once, for its client is dealt to one group", "one twice")
    return GroupParts(groups, group="clients", key=key).deal([b""] * len(clients), clients).rows
