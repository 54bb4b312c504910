"""Updates of the opposite sign."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from toadstone.core.arrays import Array
from toadstone.core.checks import check_positive
from toadstone.federated.attacks.view import Knowledge, RoundView, check_knowledge


@dataclass(frozen=True, kw_only=True)
class SignFlip:
    """Each malicious client sends its honest update times ``-scale``.

    The mean of all clients turns round where `scale` exceeds (n - f) / f.

    Parameters
    ----------
    scale : float
    knowledge : {"own", "updates", "rule"}
        With more than its own updates, all send the mean honest one times
        ``-scale``.

    Raises
    ------
    InvalidArgument
        If `scale` is not positive, or `knowledge` another word.

    References
    ----------
    .. [1] Li, Xu, Chen, Giannakis and Ling, "RSA: Byzantine-robust stochastic
       aggregation methods for distributed learning from heterogeneous
       datasets", AAAI 2019: the sign-flipping attack.

    Examples
    --------
    >>> own = np.array([[1.0, -2.0]])
    >>> view = RoundView(round=1, rounds=1, clients=5, malicious=1, server=np.zeros(2), own=own)
    >>> SignFlip(scale=3.0).send(view, np.random.default_rng(0))
    array([[-3.,  6.]])
    """

    scale: float = 10.0
    knowledge: Knowledge = "own"

    def __post_init__(self) -> None:
        check_positive(scale=self.scale)
        check_knowledge(self.knowledge)

    def send(self, view: RoundView, rng: Generator) -> Array:
        """Return the flipped updates, shape (f, d)."""
        if self.knowledge == "own":
            return np.asarray(-self.scale * view.own)
        return view.all_send(-self.scale * view.known.mean(axis=0))
