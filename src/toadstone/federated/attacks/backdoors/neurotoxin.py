"""Neurotoxin: a backdoor on the coordinates that honest clients hardly move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.checks import check_within
from toadstone.federated.attacks.backdoors.rows import scaled_within, triggered_rows
from toadstone.federated.attacks.trigger import BackdoorTrigger
from toadstone.federated.attacks.view import Knowledge, RoundView, check_knowledge, poisoned_updates


@dataclass(frozen=True, kw_only=True)
class Neurotoxin:
    """Each malicious client sends its update with the backdoor without the coordinates that the server moved most.

    The server's last step is the difference of the models that it sent; in the
    first round, the mean known update stands for it. What is left is scaled by
    n / f, or as far as the largest known norm allows.

    Parameters
    ----------
    trigger : BackdoorTrigger
    avoided : float
        Share of the coordinates that are left alone, those of the largest last
        step, in [0, 1).
    share : float
        Of the malicious clients' rows of other classes that show the trigger.
    knowledge : {"own", "updates", "rule"}
        The updates that set the largest norm.

    Raises
    ------
    InvalidArgument
        If a number is out of range, or `knowledge` another word.

    References
    ----------
    .. [1] Zhang, Panda, Song, Yang, Mahoney, Mittal, Kannan and Gonzalez,
       "Neurotoxin: durable backdoors in federated learning", ICML 2022,
       algorithm 1.

    Examples
    --------
    >>> own, mine = np.array([[3.0, 0.1]]), np.array([[1.0, 1.0]])
    >>> view = RoundView(round=1, rounds=1, clients=5, malicious=1, server=np.zeros(2), own=own, poisoned=mine)
    >>> attack = Neurotoxin(trigger=BackdoorTrigger(features=(0,), values=(1.0,)), avoided=0.5)
    >>> attack.send(view, np.random.default_rng(0)).round(3)
    array([[0.   , 3.002]])
    """

    trigger: BackdoorTrigger
    avoided: float = 0.1
    share: float = 0.5
    knowledge: Knowledge = "own"

    def __post_init__(self) -> None:
        check_within("(0, 1]", share=self.share)
        check_within("[0, 1)", avoided=self.avoided)
        check_knowledge(self.knowledge)

    def poison_rows(self, X: Matrix, y: IntArray, member: int, classes: int) -> tuple[Matrix, IntArray]:
        """Return rows a share of which shows the trigger."""
        return triggered_rows(X, y, self.trigger, self.share)

    def send(self, view: RoundView, rng: Generator) -> Array:
        """Return the masked and scaled updates, shape (f, d)."""
        before = view.memory.get("server")
        moved = np.abs(view.known.mean(axis=0) if before is None else view.server - before)
        view.memory["server"] = view.server.copy()
        masked = poisoned_updates(view).copy()
        masked[:, np.argsort(-moved, kind="stable")[: int(self.avoided * len(moved))]] = 0.0
        return scaled_within(masked, view)
