"""Noise instead of updates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from toadstone.core.arrays import Array
from toadstone.core.checks import check_positive
from toadstone.federated.attacks.view import Knowledge, RoundView, check_knowledge


@dataclass(frozen=True, kw_only=True)
class GaussianNoise:
    """Each malicious client sends normal noise about zero.

    Parameters
    ----------
    scale : float
        Root mean square norm of the noise, in mean norms of honest updates.
    knowledge : {"own", "updates", "rule"}
        The updates whose norms are measured.

    Raises
    ------
    InvalidArgument
        If `scale` is not positive, or `knowledge` another word.

    References
    ----------
    .. [1] Blanchard, El Mhamdi, Guerraoui and Stainer, "Machine learning with
       adversaries: Byzantine tolerant gradient descent", NIPS 2017: the Gaussian attack.

    Examples
    --------
    >>> own = np.ones((3, 10000))
    >>> view = RoundView(round=1, rounds=1, clients=15, malicious=3, server=np.zeros(10000), own=own)
    >>> GaussianNoise(scale=5.0).send(view, np.random.default_rng(0)).std().round(1)
    np.float64(5.0)
    """

    scale: float = 10.0
    knowledge: Knowledge = "own"

    def __post_init__(self) -> None:
        check_positive(scale=self.scale)
        check_knowledge(self.knowledge)

    def send(self, view: RoundView, rng: Generator) -> Array:
        """Draw the noise, shape (f, d)."""
        norm = float(np.mean(np.linalg.norm(view.known, axis=1)))
        deviation = self.scale * norm / np.sqrt(view.own.shape[1])
        return rng.normal(0.0, deviation, view.own.shape)
