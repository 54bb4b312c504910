"""A small convolutional network that many federated clients train at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn.functional import cross_entropy, unfold

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.checks import check_count, check_positive

_FILTERS = (8, 16)
_WINDOW, _STRIDE = 3, 2
_MOST_ROWS = 1024
"""Rows that are predicted at a time."""


@dataclass(frozen=True, kw_only=True)
class ClientNetwork:
    """Two convolutions of stride two and a linear layer, of grey images, with its parameters as one vector.

    Convolutions are written as products of patches, so that the steps of all
    clients, each with parameters of its own, are batched products.

    Parameters
    ----------
    height, width : int
        Of an image, whose rows of pixels follow each other; at least 4 each.
    classes : int
    rate : float
        Length of a step.
    steps : int
        Local steps a round.
    batch : int
        Rows a step, drawn with replacement.

    Raises
    ------
    InvalidArgument
        If a number is out of range.

    Examples
    --------
    >>> network = ClientNetwork(height=8, width=8, classes=2)
    >>> len(network.initial(np.random.default_rng(0)))
    1378
    """

    height: int
    width: int
    classes: int
    rate: float = 0.1
    steps: int = 5
    batch: int = 32

    def __post_init__(self) -> None:
        check_count(4, height=self.height, width=self.width)
        check_count(2, classes=self.classes)
        check_count(steps=self.steps, batch=self.batch)
        check_positive(rate=self.rate)

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Shapes of the weights of the three layers; each has a bias for every column."""
        first, second = _FILTERS
        down, across = self._halved(self._halved((self.height, self.width)))
        patch = _WINDOW**2
        return (patch, first), (patch * first, second), (second * down * across, self.classes)

    def initial(self, rng: Generator) -> Array:
        """Return normal weights of He's scale, and biases of zero."""
        parts = []
        for rows, columns in self.shapes:
            parts += [rng.normal(scale=math.sqrt(2 / rows), size=rows * columns), np.zeros(columns)]
        return np.concatenate(parts)

    def update(self, weights: Array, X: Matrix, y: IntArray, rng: Generator) -> Array:
        """Return one client's parameters after its local steps, minus those given.

        Parameters
        ----------
        weights : ndarray of shape (d,)
        X : ndarray of shape (n, height * width)
        y : ndarray of int of shape (n,)
            Positions of the classes.
        rng : Generator

        Returns
        -------
        ndarray of shape (d,)
        """
        return np.asarray(self.updates(weights, [(X, y)], [rng])[0])

    def updates(self, weights: Array, clients: Sequence[tuple[Matrix, IntArray]], rngs: Sequence[Generator]) -> Array:
        """Return the updates of many clients, each with draws of its own.

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
        draws = [rng.integers(0, len(y), (self.steps, self.batch)) for (_, y), rng in zip(clients, rngs, strict=True)]
        server = torch.tensor(weights, dtype=torch.float32)
        # Differences from the server's model keep the digits of small updates.
        moved = torch.zeros(len(clients), len(weights))
        for step in range(self.steps):
            rows = np.stack([np.asarray(X[draw[step]]) for (X, _), draw in zip(clients, draws, strict=True)])
            labels = np.stack([y[draw[step]] for (_, y), draw in zip(clients, draws, strict=True)])
            moved -= self.rate * self._gradients(server + moved, torch.from_numpy(rows).float(), torch.tensor(labels))
        return moved.double().numpy()

    def predict(self, weights: Array, X: Matrix) -> IntArray:
        """Return the position of the class of largest score of each row; of the first one where none is a number."""
        table = torch.tensor(weights, dtype=torch.float32)[None]
        found = []
        with torch.no_grad():
            for start in range(0, X.shape[0], _MOST_ROWS):
                rows = torch.tensor(np.asarray(X[start : start + _MOST_ROWS]), dtype=torch.float32)[None]
                scores = torch.nan_to_num(self._scores(table, rows)[0], nan=-math.inf)
                found.append(scores.argmax(dim=1).numpy())
        return np.concatenate(found).astype(np.int64)

    def _gradients(self, tables: Tensor, rows: Tensor, labels: Tensor) -> Tensor:
        """Return the gradient of each client's mean loss, shape (clients, d)."""
        leaves = tables.requires_grad_()
        scores = self._scores(leaves, rows)
        # A sum over clients, for the loss of one does not depend on the parameters of another.
        loss = cross_entropy(scores.flatten(0, 1), labels.flatten(), reduction="sum") / self.batch
        (gradients,) = torch.autograd.grad(loss, leaves)
        return gradients

    def _scores(self, tables: Tensor, rows: Tensor) -> Tensor:
        """Return the scores of the rows of each client, shape (clients, rows, classes)."""
        clients, batch = rows.shape[:2]
        (first, first_bias), (second, second_bias), (last, last_bias) = self._layers(tables)
        size = self.height, self.width
        images = rows.reshape(clients * batch, 1, *size)
        maps = self._convolved(images, first, first_bias, clients, self._halved(size))
        maps = self._convolved(maps, second, second_bias, clients, self._halved(self._halved(size)))
        return torch.baddbmm(last_bias, maps.reshape(clients, batch, -1), last)

    def _convolved(self, maps: Tensor, weights: Tensor, bias: Tensor, clients: int, size: tuple[int, int]) -> Tensor:
        """Return maps after one convolution and the positive part, shape (clients * batch, filters, *size)."""
        patches = unfold(maps, _WINDOW, padding=1, stride=_STRIDE).transpose(1, 2)
        count = maps.shape[0]
        found = torch.baddbmm(bias, patches.reshape(clients, -1, weights.shape[1]), weights).relu()
        return found.reshape(count, size[0] * size[1], -1).transpose(1, 2).reshape(count, -1, *size)

    def _layers(self, tables: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Cut vectors of parameters into weights and biases of each layer."""
        layers, place = [], 0
        for rows, columns in self.shapes:
            weights = tables[:, place : place + rows * columns].reshape(-1, rows, columns)
            place += rows * columns
            layers.append((weights, tables[:, None, place : place + columns]))
            place += columns
        return layers

    def _halved(self, size: tuple[int, int]) -> tuple[int, int]:
        return (size[0] + 1) // _STRIDE, (size[1] + 1) // _STRIDE
