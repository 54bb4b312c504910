"""Updates trained on flipped labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.federated.attacks.view import Knowledge, RoundView, poisoned_updates


@dataclass(frozen=True, kw_only=True)
class LabelFlip:
    """Malicious clients train as the others do, with class c replaced by class k - 1 - c of k.

    References
    ----------
    .. [1] Fang, Cao, Jia and Gong, "Local model poisoning attacks to
       Byzantine-robust federated learning", USENIX Security 2020: the label
       flipping attack.

    Examples
    --------
    >>> LabelFlip().poison_rows(np.zeros((3, 1)), np.array([0, 1, 2]), 0, 3)[1]
    array([2, 1, 0])
    """

    @property
    def knowledge(self) -> Knowledge:
        """Own rows alone."""
        return "own"

    def poison_rows(self, X: Matrix, y: IntArray, member: int, classes: int) -> tuple[Matrix, IntArray]:
        """Return the rows with their classes in reverse order."""
        return X, np.asarray(classes - 1 - y)

    def send(self, view: RoundView, rng: Generator) -> Array:
        """Return the updates trained on the flipped labels, shape (f, d)."""
        return poisoned_updates(view).copy()
