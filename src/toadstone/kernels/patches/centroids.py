"""Whitened patches of images and their centroids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from toadstone.core.arrays import Array, IntArray
from toadstone.core.errors import InvalidData

_FAINT, _RIDGE = 0.1, 0.1
"""Shares of the mean: of the variance of a patch, below which it counts as blank, and of the whitened variance."""

_BLOCK = 2**22


@dataclass(frozen=True, eq=False)
class Whitening:
    """Normalised contrast, then whitening: the map from patches to comparable coordinates.

    Parameters
    ----------
    contrast : float
        Added to the variance of a patch before dividing by its root.
    mean : ndarray of shape (v,)
    matrix : ndarray of shape (v, v)
    """

    contrast: float
    mean: Array
    matrix: Array

    def normalised(self, patches: Array) -> Array:
        """Return patches without their mean, of about unit variance, less the mean patch."""
        centred = patches - patches.mean(axis=1, keepdims=True)
        spread = np.einsum("ij,ij->i", centred, centred) / centred.shape[1]
        return np.asarray(centred / np.sqrt(spread + self.contrast)[:, None] - self.mean)


def fit_whitening(patches: Array) -> tuple[Whitening, Array]:
    """Fit contrast and whitening to patches, and return the whitened ones too.

    Patches that are almost blank are left out.

    Parameters
    ----------
    patches : ndarray of shape (m, v)

    Returns
    -------
    Whitening
    ndarray of shape (m', v)

    Raises
    ------
    InvalidData
        If all patches are blank.

    Examples
    --------
    >>> whitening, white = fit_whitening(np.random.default_rng(0).normal(size=(500, 4)) * [1.0, 2.0, 3.0, 4.0])
    >>> bool(np.ptp(np.linalg.eigvalsh(np.cov(white.T))[1:]) < 0.1)
    True
    """
    spread = patches.var(axis=1)
    usual = float(spread.mean())
    if not usual > 0:
        raise InvalidData("images: expected patches that are not all blank, got blank ones only")
    centred = Whitening(_FAINT * usual, np.zeros(patches.shape[1]), np.empty((0, 0)))
    clear = centred.normalised(patches[spread > _FAINT * usual])
    mean = clear.mean(axis=0)
    covariance = (clear - mean).T @ (clear - mean) / len(clear)
    sizes, axes = np.linalg.eigh(covariance)
    # The smallest variances are noise of the camera or of rounding, which dividing by their root would blow up.
    roots = np.sqrt(np.maximum(sizes, 0.0) + _RIDGE * float(sizes.mean()))
    whitening = Whitening(centred.contrast, mean, (axes / roots) @ axes.T)
    return whitening, (clear - mean) @ whitening.matrix


def draw_patches(images: Array, size: tuple[int, int], count: int, rng: np.random.Generator) -> Array:
    """Draw patches at random places of random images.

    Parameters
    ----------
    images : ndarray of shape (n, height, width, channels)
    size : (int, int)
        Height and width of a patch.
    count : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (count, v)
        Values of a patch: height times width times channels.
    """
    windows = sliding_window_view(images, size, axis=(1, 2))
    places = [rng.integers(0, limit, count) for limit in windows.shape[:3]]
    return np.asarray(windows[tuple(places)].reshape(count, -1), dtype=np.float64)


def k_means(points: Array, k: int, rng: np.random.Generator, *, rounds: int = 10) -> Array:
    """Return centroids of points by Lloyd's algorithm, from a random choice of points.

    Parameters
    ----------
    points : ndarray of shape (m, v)
    k : int
        Centroids; fewer are returned if there are fewer points.
    rng : numpy.random.Generator
    rounds : int

    Returns
    -------
    ndarray of shape (min(k, m), v)

    Examples
    --------
    >>> np.sort(k_means(np.array([[0.0], [2.0], [10.0], [12.0]]), 2, np.random.default_rng(0)), axis=0)
    array([[ 1.],
           [11.]])
    """
    centroids = points[rng.permutation(len(points))[:k]].copy()
    for _ in range(rounds):
        nearest = _nearest(points, centroids)
        sizes = np.bincount(nearest, minlength=len(centroids))
        filled = sizes > 0
        order, ends = np.argsort(nearest, kind="stable"), np.cumsum(sizes[filled])
        sums = np.add.reduceat(points[order], ends - sizes[filled], axis=0)
        centroids[filled] = sums / sizes[filled, None]
        centroids[~filled] = points[rng.integers(0, len(points), int((~filled).sum()))]
    return centroids


def _nearest(points: Array, centroids: Array) -> IntArray:
    half = 0.5 * np.einsum("ij,ij->i", centroids, centroids)
    step = max(1, _BLOCK // len(centroids))
    parts = [(half - points[a : a + step] @ centroids.T).argmin(axis=1) for a in range(0, len(points), step)]
    return np.concatenate(parts)
