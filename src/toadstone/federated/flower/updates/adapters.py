"""Low-rank adapters: clients are compared by the product B A, never by its factors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toadstone.core.arrays import Array

Factors = tuple[NDArray[Any], NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Adapter:
    """Factors of one adapter in the server's model (LoRA, [1]_).

    The adapter adds B A to a matrix. Clients that send (c A, B / c) have
    trained the same thing, so factors can be made as large or as small as a
    filter by norm likes. All that clients send lies in the span of the columns
    of the stacked B and of the rows of the stacked A; with orthonormal bases
    of both, P and Q, a product is the small core P' (B A) Q', which has its
    norms, distances and inner products.

    Parameters
    ----------
    a, b : str
        Keys of both arrays.
    down : ndarray of shape (rank, inputs)
        The server's A.
    up : ndarray of shape (outputs, rank)
        The server's B.

    References
    ----------
    .. [1] E. Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models",
       ICLR 2022, equation 3.
    """

    a: str
    b: str
    down: NDArray[Any]
    up: NDArray[Any]

    def width(self, clients: int) -> int:
        """Entries of the core for so many clients at most."""
        return self._side(self.up.shape[0], clients) * self._side(self.down.shape[1], clients)

    def _side(self, extent: int, clients: int) -> int:
        return min(extent, len(self.down) * (clients + 1))

    def cores(self, sent: Sequence[Factors], *, clients: int) -> AdapterCores:
        """Express what clients sent, and the server's own, in common bases.

        Parameters
        ----------
        sent : sequence of (A, B)
        clients : int
            Most clients of the round; it sets the width.

        Returns
        -------
        AdapterCores
        """
        downs = [np.asarray(self.down, np.float64), *(np.asarray(down, np.float64) for down, _ in sent)]
        ups = [np.asarray(self.up, np.float64), *(np.asarray(up, np.float64) for _, up in sent)]
        left = _basis(ups, self._side(self.up.shape[0], clients))
        right = _basis([down.T for down in downs], self._side(self.down.shape[1], clients))
        with np.errstate(over="ignore", invalid="ignore"):
            cores = [(left.T @ up) @ (down @ right) for up, down in zip(ups, downs, strict=True)]
            differences = np.array([core.ravel() - cores[0].ravel() for core in cores[1:]])
        return AdapterCores(self, left, right, cores[0], differences.reshape(len(sent), -1))


@dataclass(frozen=True, eq=False)
class AdapterCores:
    """Products of one adapter in common bases.

    Parameters
    ----------
    adapter : Adapter
    left, right : ndarray
        Orthonormal columns.
    server : ndarray
        Core of the server's product.
    updates : ndarray of shape (n, width)
        Cores of the clients' products minus the server's.
    """

    adapter: Adapter
    left: Array
    right: Array
    server: Array
    updates: Array

    def moved(self, update: Array) -> tuple[Factors, float]:
        """Return the factors (A, B) after an update, and the share of its squared norm that their rank cannot hold.

        The product is truncated to the adapter's rank by its singular values,
        which is the nearest of that rank, and both factors take half of each.
        Of all such factors, which differ by a rotation, those nearest to the
        server's are taken: a momentum at the server goes on with them.
        """
        down, up = self.adapter.down, self.adapter.up
        if not update.any():
            return (down, up), 0.0
        outward, singular, inward = np.linalg.svd(self.server + update.reshape(self.server.shape), full_matrices=False)
        rank = len(down)
        kept = np.zeros(rank)
        kept[: len(singular[:rank])] = np.sqrt(singular[:rank])
        new_up, new_down = np.zeros((len(up), rank)), np.zeros((rank, down.shape[1]))
        new_up[:, : len(singular)] = self.left @ (outward[:, :rank] * kept[: len(singular)])
        new_down[: len(singular)] = (kept[: len(singular), None] * inward[:rank]) @ self.right.T
        turn, _, back = np.linalg.svd(new_up.T @ up.astype(np.float64) + new_down @ down.astype(np.float64).T)
        rotation = turn @ back
        total = float(singular @ singular)
        lost = float(singular[rank:] @ singular[rank:]) / total if total > 0 else 0.0
        return ((rotation.T @ new_down).astype(down.dtype), (new_up @ rotation).astype(up.dtype)), lost


def _basis(columns: Sequence[Array], width: int) -> Array:
    """Return orthonormal columns that span all given ones, each client's span counted alike."""
    extent = len(columns[0])
    if width == extent:
        return np.eye(extent)
    # A client's own columns are orthonormalized first. Their scale, which it is free to choose, then does not matter:
    # beside factors of 1e30 the span of the others would be lost to rounding.
    spans = [np.linalg.qr(_unit(own))[0] for own in columns]
    outward, _, _ = np.linalg.svd(np.hstack(spans), full_matrices=False)
    basis = np.zeros((extent, width))
    basis[:, : outward.shape[1]] = outward[:, :width]
    return basis


def _unit(own: Array) -> Array:
    largest = np.abs(own).max(initial=0.0)
    return own / largest if largest > 0 else own
