"""Closeness of an image's patches to centroids, pooled over the fields of a grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.lib.stride_tricks import sliding_window_view

from toadstone.core.arrays import Array, IntArray
from toadstone.kernels.patches.centroids import Whitening

_BLOCK = 2**20
"""Distances held at a time: 8 MiB, which stay in a processor's cache."""


@dataclass(frozen=True, eq=False)
class PatchCode:
    """Patches of a size, compared with centroids, and pooled by the fields of a grid.

    The triangle code of [1]_: a patch is as close to a centroid as its
    distance lies below the mean distance to all centroids, and not close at
    all if it lies above. Closeness is averaged over the patches of a field.

    Parameters
    ----------
    size : (int, int)
        Height and width of a patch.
    whitening : Whitening
    centroids : ndarray of shape (k, v)
        In whitened coordinates.
    grid : int
        Fields in each direction.

    References
    ----------
    .. [1] Coates, Lee and Ng, "An analysis of single-layer networks in
       unsupervised feature learning", AISTATS 2011, section 3.2.2.
    """

    size: tuple[int, int]
    whitening: Whitening
    centroids: Array
    grid: int

    def encode(self, images: Array) -> Array:
        """Return the pooled closeness of each image's patches.

        Parameters
        ----------
        images : ndarray of shape (n, height, width, channels)

        Returns
        -------
        ndarray of shape (n, fields * k)
            Fields by rows of the grid, and the k centroids within each.
        """
        height, width = (whole - part + 1 for whole, part in zip(images.shape[1:3], self.size, strict=True))
        cells, areas = _fields(height, width, self.grid)
        out = np.zeros((len(images), len(areas), len(self.centroids)))
        step = max(1, _BLOCK // (height * width * len(self.centroids)))
        for start in range(0, len(images), step):
            block = images[start : start + step]
            _pool(self._distances(block, height * width), cells, areas, out[start : start + step])
        return out.reshape(len(images), -1)

    def _distances(self, images: Array, places: int) -> Array:
        """Compute the distance of each patch to each centroid, shape (images, places, k)."""
        windows = sliding_window_view(images, self.size, axis=(1, 2))
        patches = np.asarray(windows.reshape(len(images) * places, -1), dtype=np.float64)
        white = self.whitening.normalised(patches) @ self.whitening.matrix
        products = white @ self.centroids.T
        own, theirs = (np.einsum("ij,ij->i", points, points) for points in (white, self.centroids))
        _to_distances(products, own, theirs)
        return products.reshape(len(images), places, -1)


def _fields(height: int, width: int, grid: int) -> tuple[IntArray, IntArray]:
    """Return the field of each place, and the number of places in each field."""
    across = [(np.arange(length) * min(grid, length)) // length for length in (height, width)]
    cells = (across[0][:, None] * (across[1].max() + 1) + across[1][None, :]).ravel()
    return cells, np.bincount(cells)


@njit(cache=True, nogil=True)
def _to_distances(products: Array, own: Array, theirs: Array) -> None:
    for i in range(products.shape[0]):
        for k in range(products.shape[1]):
            # Rounding may make the square of a tiny distance negative.
            products[i, k] = np.sqrt(max(own[i] + theirs[k] - 2.0 * products[i, k], 0.0))


@njit(cache=True, nogil=True)
def _pool(distances: Array, cells: IntArray, areas: IntArray, out: Array) -> None:
    for image in range(distances.shape[0]):
        for place in range(distances.shape[1]):
            row, field = distances[image, place], out[image, cells[place]]
            mean = np.mean(row)
            for k in range(len(row)):
                field[k] += max(mean - row[k], 0.0)
        for cell in range(len(areas)):
            out[image, cell] /= areas[cell]
