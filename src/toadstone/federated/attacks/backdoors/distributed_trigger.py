"""A distributed backdoor: each malicious client trains on a part of the trigger."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.checks import check_count, check_positive, check_within
from toadstone.federated.attacks.backdoors.rows import triggered_rows
from toadstone.federated.attacks.trigger import BackdoorTrigger
from toadstone.federated.attacks.view import Knowledge, RoundView, poisoned_updates


@dataclass(frozen=True, kw_only=True)
class DistributedTrigger:
    """Malicious clients train on parts of a trigger in turn, and the whole of it is used in the end.

    Parameters
    ----------
    trigger : BackdoorTrigger
        The whole.
    parts : int
        One is an ordinary backdoor.
    scale : float
        Factor of the updates; 1 in the attack by many rounds of the paper.
    share : float
        Of the malicious clients' rows of other classes that show their part.

    Raises
    ------
    InvalidArgument
        If a number is out of range.

    References
    ----------
    .. [1] Xie, Huang, Chen and Li, "DBA: distributed backdoor attacks against
       federated learning", ICLR 2020, equation 3.

    Examples
    --------
    >>> trigger = BackdoorTrigger(features=(0, 1), values=(7.0, 8.0), target=1)
    >>> attack = DistributedTrigger(trigger=trigger, parts=2, share=1.0)
    >>> [attack.poison_rows(np.zeros((1, 2)), np.array([0]), member, 2)[0].tolist() for member in range(3)]
    [[[7.0, 0.0]], [[0.0, 8.0]], [[7.0, 0.0]]]
    """

    trigger: BackdoorTrigger
    parts: int = 4
    scale: float = 1.0
    share: float = 0.5

    def __post_init__(self) -> None:
        check_count(parts=self.parts)
        check_positive(scale=self.scale)
        check_within("(0, 1]", share=self.share)

    @property
    def knowledge(self) -> Knowledge:
        """Own rows alone."""
        return "own"

    def poison_rows(self, X: Matrix, y: IntArray, member: int, classes: int) -> tuple[Matrix, IntArray]:
        """Return rows a share of which shows the client's part of the trigger."""
        return triggered_rows(X, y, self.trigger.part(member, self.parts), self.share)

    def send(self, view: RoundView, rng: Generator) -> Array:
        """Return the updates trained on the parts, shape (f, d)."""
        return np.asarray(self.scale * poisoned_updates(view))
