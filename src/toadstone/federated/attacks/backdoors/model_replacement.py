"""Model replacement: updates scaled so that the mean becomes the model with the backdoor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.checks import check_within
from toadstone.federated.attacks.backdoors.rows import triggered_rows
from toadstone.federated.attacks.trigger import BackdoorTrigger
from toadstone.federated.attacks.view import Knowledge, RoundView, check_knowledge, poisoned_updates


@dataclass(frozen=True, kw_only=True)
class ModelReplacement:
    """Each malicious client sends (n L - (n - f) u) / f, so that the mean of all is the model with the backdoor.

    L is its update trained on rows with the trigger, and u the mean honest
    update.

    Parameters
    ----------
    trigger : BackdoorTrigger
    share : float
        Of the malicious clients' rows of other classes that show the trigger.
    knowledge : {"own", "updates", "rule"}
        The updates from which u is estimated.

    Raises
    ------
    InvalidArgument
        If `share` is not in (0, 1], or `knowledge` another word.

    References
    ----------
    .. [1] Bagdasaryan, Veit, Hua, Estrin and Shmatikov, "How to backdoor
       federated learning", AISTATS 2020, equations 2 and 3.

    Examples
    --------
    >>> honest, mine = np.array([[1.0], [3.0], [2.0]]), np.array([[-5.0]])
    >>> view = RoundView(round=1, rounds=1, clients=4, malicious=1, server=np.zeros(1), own=honest[:1],
    ...                  poisoned=mine, honest=honest)
    >>> sent = ModelReplacement(trigger=BackdoorTrigger(features=(0,), values=(1.0,)), knowledge="updates").send(
    ...     view, np.random.default_rng(0))
    >>> np.concatenate([honest, sent]).mean()
    np.float64(-5.0)
    """

    trigger: BackdoorTrigger
    share: float = 0.5
    knowledge: Knowledge = "own"

    def __post_init__(self) -> None:
        check_within("(0, 1]", share=self.share)
        check_knowledge(self.knowledge)

    def poison_rows(self, X: Matrix, y: IntArray, member: int, classes: int) -> tuple[Matrix, IntArray]:
        """Return rows a share of which shows the trigger."""
        return triggered_rows(X, y, self.trigger, self.share)

    def send(self, view: RoundView, rng: Generator) -> Array:
        """Return the scaled updates, shape (f, d)."""
        n, f = view.clients, view.malicious
        return np.asarray((n * poisoned_updates(view) - (n - f) * view.known.mean(axis=0)) / f)
