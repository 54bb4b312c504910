"""The view that the malicious clients have of a round, and the protocol of attacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias, get_args, runtime_checkable

import numpy as np
from numpy.random import Generator

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.errors import InvalidArgument, InvalidData

Knowledge: TypeAlias = Literal["own", "updates", "rule"]
"""The malicious clients' own rows only, all honest updates too, or the server's rule as well."""

Messages: TypeAlias = Array | Sequence[Any]
"""Updates of the malicious clients: an array of shape (f, d), or f messages some of which are malformed."""


@dataclass(frozen=True, eq=False, kw_only=True)
class RoundView:
    """The knowledge of the malicious clients in one round.

    Parameters
    ----------
    round, rounds : int
        The number of the round, from 1, and of all rounds.
    clients, malicious : int
        Number of all clients, n, and of the malicious ones, f.
    server : ndarray of shape (d,)
        The model that the server sent.
    own : ndarray of shape (f, d)
        The updates that the malicious clients would send if they were honest.
    poisoned : ndarray of shape (f, d), optional
        Updates trained on the rows that the attack poisoned, where it does.
    honest : ndarray of shape (n - f, d), optional
        Updates of the honest clients; None where the attack knows its own only.
    rule : callable, optional
        From the updates of all clients, shape (n, d), to what the server adds
        to the model, shape (d,); None unless the attack knows the rule.
    memory : dict
        Notes that the attackers keep; the same object in each round.
    """

    round: int
    rounds: int
    clients: int
    malicious: int
    server: Array
    own: Array
    poisoned: Array | None = None
    honest: Array | None = None
    rule: Callable[[Array], Array] | None = None
    memory: dict[str, Any] = field(default_factory=dict)

    @property
    def known(self) -> Array:
        """The updates from which the attack estimates the honest ones: the honest, or else its own."""
        return self.own if self.honest is None else self.honest

    def all_send(self, update: Array) -> Array:
        """Return one update, shape (d,), for every malicious client, shape (f, d)."""
        return np.repeat(update[None, :], self.malicious, axis=0)


class ClientAttack(Protocol):
    """An attack by several clients that act together; its fields are their knowledge and strength."""

    @property
    def knowledge(self) -> Knowledge:
        """The knowledge that the attack needs."""

    def send(self, view: RoundView, rng: Generator) -> Messages:
        """Return the updates that the malicious clients send.

        Parameters
        ----------
        view : RoundView
            What they see; its arrays are left alone.
        rng : Generator

        Returns
        -------
        ndarray of shape (f, d)
            Or, from attacks that send malformed messages, a list of f.
        """


@runtime_checkable
class PoisonsRows(Protocol):
    """An attack whose clients train on changed rows as well."""

    def poison_rows(self, X: Matrix, y: IntArray, member: int, classes: int) -> tuple[Matrix, IntArray]:
        """Return the rows, and the positions of their classes, that one malicious client trains on.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : ndarray of int of shape (n,)
        member : int
            Position of the client among the malicious ones.
        classes : int
            Number of classes.
        """


def check_knowledge(knowledge: str) -> None:
    """Check the word for what an attack knows.

    Raises
    ------
    InvalidArgument

    Examples
    --------
    >>> check_knowledge("all")
    Traceback (most recent call last):
    toadstone.core.errors.InvalidArgument: `knowledge`: expected one of own, updates, rule, got all
    """
    if knowledge not in get_args(Knowledge):
        raise InvalidArgument("knowledge", f"one of {', '.join(get_args(Knowledge))}", knowledge)


def poisoned_updates(view: RoundView) -> Array:
    """Return the updates trained on the poisoned rows, shape (f, d).

    Raises
    ------
    InvalidData
        If the view has none.
    """
    if view.poisoned is None:
        raise InvalidData("poisoned: expected updates trained on the attack's rows, got none")
    return view.poisoned
