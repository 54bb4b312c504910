"""Constrain and scale: a backdoor whose updates look like honest ones."""

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
class ConstrainAndScale:
    """Each malicious client mixes its update with the backdoor with the mean honest one, and scales the sum.

    The loss alpha * L_class + (1 - alpha) * L_anomaly of the paper has, where
    the anomaly is the squared distance to the honest update, the step
    alpha * L + (1 - alpha) * u. It is scaled by n / f, or as far as the largest
    known norm allows.

    Parameters
    ----------
    trigger : BackdoorTrigger
    alpha : float
        Weight of the backdoor, in (0, 1].
    share : float
        Of the malicious clients' rows of other classes that show the trigger.
    knowledge : {"own", "updates", "rule"}
        The updates that set the mean u and the largest norm.

    Raises
    ------
    InvalidArgument
        If a number is not in (0, 1], or `knowledge` another word.

    References
    ----------
    .. [1] Bagdasaryan, Veit, Hua, Estrin and Shmatikov, "How to backdoor
       federated learning", AISTATS 2020, equation 4 and section 4.3.

    Examples
    --------
    >>> own, mine = np.array([[3.0, 0.0]]), np.array([[0.0, 1.0]])
    >>> view = RoundView(round=1, rounds=1, clients=5, malicious=1, server=np.zeros(2), own=own, poisoned=mine)
    >>> attack = ConstrainAndScale(trigger=BackdoorTrigger(features=(0,), values=(1.0,)), alpha=0.75)
    >>> sent = attack.send(view, np.random.default_rng(0))
    >>> sent.round(3), np.linalg.norm(sent).round(6)
    (array([[2.121, 2.121]]), np.float64(3.0))
    """

    trigger: BackdoorTrigger
    alpha: float = 0.7
    share: float = 0.5
    knowledge: Knowledge = "own"

    def __post_init__(self) -> None:
        check_within("(0, 1]", alpha=self.alpha, share=self.share)
        check_knowledge(self.knowledge)

    def poison_rows(self, X: Matrix, y: IntArray, member: int, classes: int) -> tuple[Matrix, IntArray]:
        """Return rows a share of which shows the trigger."""
        return triggered_rows(X, y, self.trigger, self.share)

    def send(self, view: RoundView, rng: Generator) -> Array:
        """Return the mixed and scaled updates, shape (f, d)."""
        mixed = self.alpha * poisoned_updates(view) + (1 - self.alpha) * view.known.mean(axis=0)
        return scaled_within(np.asarray(mixed), view)
