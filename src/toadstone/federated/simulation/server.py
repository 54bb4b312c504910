"""The server of a federated training: the rule, what it makes of a round, and whom it refuses or filters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from toadstone.core.arrays import Array, Mask
from toadstone.core.errors import InvalidInput
from toadstone.federated.attacks.view import Messages

Rule: TypeAlias = Callable[[Array], Array]
"""From updates of shape (n, d) to one of shape (d,)."""


@dataclass(frozen=True, eq=False)
class Step:
    """The server's decision on one round.

    Parameters
    ----------
    vector : ndarray of shape (d,), optional
        What is added to the model; None if the round was refused.
    refused : ndarray of bool of shape (n,)
        Messages that never entered.
    filtered : ndarray of bool of shape (n,), optional
        Messages that entered and got no weight; None if the rule does not say.
    """

    vector: Array | None
    refused: Mask
    filtered: Mask | None = None


@dataclass
class Server:
    """A rule, and the number of malicious clients that it guards against."""

    rule: Rule
    malicious: int

    def step(self, messages: Messages) -> Step:
        """Aggregate the messages of a round; a round that the rule refuses leaves the model as it is."""
        nobody = np.zeros(len(messages), dtype=bool)
        try:
            vector = self.rule(np.asarray(messages, dtype=np.float64))
        except InvalidInput:
            return Step(None, nobody)
        return Step(vector, nobody)
