"""Softmax regression whose clients take their local steps together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.sparse import issparse

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.checks import check_count, check_not_negative, check_positive
from toadstone.federated.simulation.clients import ClientRows

_MOST_NUMBERS = 2**24
"""Rows of so many numbers, 64 MiB, are gathered at a time."""


@dataclass(frozen=True, kw_only=True)
class SoftmaxModel:
    """A linear classifier of several classes, trained by stochastic gradient steps on the cross entropy.

    The parameters are one vector: a row of weights a feature, one a class, and
    last the biases. The steps are computed in float32 as differences from the
    server's model, so that small updates keep their digits.

    Parameters
    ----------
    features, classes : int
        Numbers of columns and of classes.
    rate : float
        Length of a step.
    steps : int
        Local steps a round.
    batch : int
        Rows a step, drawn with replacement.
    ridge : float
        Half of it times the squared norm of weights and biases is added to the loss.

    Raises
    ------
    InvalidArgument
        If a number is out of range.

    Examples
    --------
    >>> model = SoftmaxModel(features=1, classes=2, rate=1.0, steps=50)
    >>> X, y, rng = np.array([[-1.0], [1.0]]), np.array([0, 1]), np.random.default_rng(0)
    >>> weights = model.initial(rng)
    >>> model.predict(weights + model.update(weights, X, y, rng), X)
    array([0, 1])
    """

    features: int
    classes: int
    rate: float = 0.5
    steps: int = 5
    batch: int = 32
    ridge: float = 0.0

    def __post_init__(self) -> None:
        check_count(features=self.features, steps=self.steps, batch=self.batch)
        check_count(2, classes=self.classes)
        check_positive(rate=self.rate)
        check_not_negative(ridge=self.ridge)

    @property
    def size(self) -> int:
        """Number of parameters, d."""
        return (self.features + 1) * self.classes

    def initial(self, rng: Generator) -> Array:
        """Return zeros: the loss is convex."""
        return np.zeros(self.size)

    def update(self, weights: Array, X: Matrix, y: IntArray, rng: Generator) -> Array:
        """Return one client's parameters after its local steps, minus those given.

        Parameters
        ----------
        weights : ndarray of shape (d,)
        X : ndarray or CSR of shape (n, features)
        y : ndarray of int of shape (n,)
            Positions of the classes.
        rng : Generator

        Returns
        -------
        ndarray of shape (d,)
        """
        return np.asarray(self.updates(weights, [(X, y)], [rng])[0])

    def updates(self, weights: Array, clients: Sequence[ClientRows], rngs: Sequence[Generator]) -> Array:
        """Return the updates of many clients, which do not depend on who else is asked.

        Parameters
        ----------
        weights : ndarray of shape (d,)
        clients : sequence of (X, y)
        rngs : sequence of Generator
            One a client.

        Returns
        -------
        ndarray of shape (len(clients), d)
        """
        found = np.empty((len(clients), self.size))
        most = max(1, _MOST_NUMBERS // (self.batch * self.features))
        for first in range(0, len(clients), most):
            part = slice(first, first + most)
            found[part] = self._local_steps(weights, clients[part], rngs[part])
        return found

    def predict(self, weights: Array, X: Matrix) -> IntArray:
        """Return the position of the class of largest score of each row; of the first one where none is a number."""
        table = weights.reshape(self.features + 1, self.classes)
        # A model that an attack has blown up is measured all the same.
        with np.errstate(over="ignore", invalid="ignore"):
            scores = np.asarray(X @ table[:-1] + table[-1])
        return np.asarray(np.nan_to_num(scores, nan=-np.inf).argmax(axis=1), dtype=np.int64)

    def _local_steps(self, weights: Array, clients: Sequence[ClientRows], rngs: Sequence[Generator]) -> Array:
        """Return the updates of clients whose batches fit into memory together."""
        n = len(clients)
        draws = [rng.integers(0, len(y), (self.steps, self.batch)) for (_, y), rng in zip(clients, rngs, strict=True)]
        rows = np.empty((n, self.batch, self.features), dtype=np.float32)
        labels = np.empty((n, self.batch, 1), dtype=np.int64)
        # A model that an attack has blown up overflows float32: its updates are not finite, which the server sees.
        with np.errstate(over="ignore", invalid="ignore"):
            server = weights.astype(np.float32).reshape(1, self.features + 1, self.classes)
            moved = np.zeros((n, self.features + 1, self.classes), dtype=np.float32)
            for step in range(self.steps):
                for client, (X, y) in enumerate(clients):
                    taken = X[draws[client][step]]
                    rows[client] = taken.toarray() if issparse(taken) else taken
                    labels[client, :, 0] = y[draws[client][step]]
                moved -= np.float32(self.rate) * self._gradients(server + moved, rows, labels)
        return moved.reshape(n, self.size).astype(np.float64)

    def _gradients(
        self, tables: NDArray[np.float32], rows: NDArray[np.float32], labels: IntArray
    ) -> NDArray[np.float32]:
        """Return the gradient of each client's mean loss, shape (n, features + 1, classes)."""
        scores = rows @ tables[:, :-1] + tables[:, -1:]
        scores -= scores.max(axis=2, keepdims=True)
        errors = np.exp(scores, out=scores)
        errors /= errors.sum(axis=2, keepdims=True)
        np.put_along_axis(errors, labels, np.take_along_axis(errors, labels, axis=2) - 1, axis=2)
        errors /= np.float32(self.batch)
        gradients = np.empty_like(tables)
        np.matmul(rows.transpose(0, 2, 1), errors, out=gradients[:, :-1])
        gradients[:, -1] = errors.sum(axis=1)
        if self.ridge > 0:
            gradients += np.float32(self.ridge) * tables
        return gradients
