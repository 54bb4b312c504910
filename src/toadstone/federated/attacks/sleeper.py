"""Sleeper clients: honest until a round, then another attack."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from toadstone.core.arrays import IntArray, Matrix
from toadstone.core.checks import check_within
from toadstone.federated.attacks.sign_flip import SignFlip
from toadstone.federated.attacks.trigger import BackdoorTrigger
from toadstone.federated.attacks.view import ClientAttack, Knowledge, Messages, PoisonsRows, RoundView


@dataclass(frozen=True, kw_only=True)
class Sleeper:
    """Malicious clients send honest updates for a share of the rounds, and then those of another attack.

    They gather a good reputation, and spend it.

    Parameters
    ----------
    wakes : float
        Share of the rounds, in [0, 1], after which they attack.
    attack : ClientAttack
        The attack of the later rounds.

    Raises
    ------
    InvalidArgument
        If `wakes` is out of range.

    References
    ----------
    .. [1] Bagdasaryan, Veit, Hua, Estrin and Shmatikov, "How to backdoor
       federated learning", AISTATS 2020: attacks in late rounds.

    Examples
    --------
    >>> own = np.array([[1.0, -2.0]])
    >>> def sent(number):
    ...     view = RoundView(round=number, rounds=4, clients=5, malicious=1, server=np.zeros(2), own=own)
    ...     return Sleeper(wakes=0.5).send(view, np.random.default_rng(0)).tolist()
    >>> sent(2), sent(3)
    ([[1.0, -2.0]], [[-10.0, 20.0]])
    """

    wakes: float = 0.5
    attack: ClientAttack = field(default_factory=SignFlip)

    def __post_init__(self) -> None:
        check_within("[0, 1]", wakes=self.wakes)

    @property
    def knowledge(self) -> Knowledge:
        """As much as the attack of the later rounds needs."""
        return self.attack.knowledge

    @property
    def trigger(self) -> BackdoorTrigger | None:
        """That of the attack of the later rounds, if it has one."""
        return getattr(self.attack, "trigger", None)

    def poison_rows(self, X: Matrix, y: IntArray, member: int, classes: int) -> tuple[Matrix, IntArray]:
        """Return the rows that the attack of the later rounds trains on."""
        return self.attack.poison_rows(X, y, member, classes) if isinstance(self.attack, PoisonsRows) else (X, y)

    def send(self, view: RoundView, rng: Generator) -> Messages:
        """Return the honest updates, shape (f, d), or those of the attack."""
        return np.array(view.own) if view.round <= self.wakes * view.rounds else self.attack.send(view, rng)
