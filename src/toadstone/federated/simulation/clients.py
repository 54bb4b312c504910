"""The clients of a federated training: the model that they train, their rows, and what they send."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self, TypeAlias, runtime_checkable

import numpy as np
from numpy.random import Generator

from toadstone.core.arrays import Array, IntArray, Matrix

# Rows of one client, shape (n, d), and the positions of their classes, shape (n,).
ClientRows: TypeAlias = tuple[Matrix, IntArray]


class ClientModel(Protocol):
    """A model whose parameters are one vector of d numbers."""

    @property
    def classes(self) -> int:
        """Number of classes."""

    def initial(self, rng: Generator) -> Array:
        """Return the parameters that training starts from, shape (d,)."""

    def update(self, weights: Array, X: Matrix, y: IntArray, rng: Generator) -> Array:
        """Return the parameters after a client's local steps, minus those that the server sent."""

    def predict(self, weights: Array, X: Matrix) -> IntArray:
        """Return the position of the predicted class of each row."""


@runtime_checkable
class BatchedModel(Protocol):
    """A model that takes the local steps of many clients at once."""

    def updates(self, weights: Array, clients: Sequence[ClientRows], rngs: Sequence[Generator]) -> Array:
        """Return the updates of all clients, shape (n, d), as `update` does for each with its generator."""


@dataclass(eq=False)
class Clients:
    """Clients that train from the server's model, and send momenta.

    The first message is the update u_1 itself, then
    m_t = momentum * m_(t-1) + (1 - momentum) * u_t.

    Parameters
    ----------
    model : ClientModel
    rows : sequence of (X, y)
        Of each client.
    rngs : sequence of Generator
        One a client, so that no client's draws depend on the others.
    momentum : float
        In [0, 1); zero sends the updates themselves.

    References
    ----------
    .. [1] Karimireddy, He and Jaggi, "Learning from history for Byzantine
       robust optimization", ICML 2021: worker momentum.
    """

    model: ClientModel
    rows: Sequence[ClientRows]
    rngs: Sequence[Generator]
    momentum: float
    sent: Array | None = None

    @classmethod
    def of_seed(cls, model: ClientModel, rows: Sequence[ClientRows], momentum: float, seed: tuple[int, ...]) -> Self:
        """Build clients whose generators follow from a seed and their positions."""
        rngs = [np.random.default_rng([*seed, client]) for client in range(len(rows))]
        return cls(model, rows, rngs, momentum)

    def messages(self, weights: Array) -> Array:
        """Train from the server's model, and return what the clients send, shape (n, d)."""
        if isinstance(self.model, BatchedModel):
            fresh = self.model.updates(weights, self.rows, self.rngs)
        else:
            trained = [self.model.update(weights, X, y, rng) for (X, y), rng in zip(self.rows, self.rngs, strict=True)]
            fresh = np.array(trained, dtype=np.float64).reshape(len(self.rows), len(weights))
        self.sent = fresh if self.sent is None else self.momentum * self.sent + (1 - self.momentum) * fresh
        return self.sent
