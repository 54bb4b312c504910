"""Histograms of an image's gradients, from that image alone: nothing is learned, from rows or from labels."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import Array


def upright(images: Array) -> Array:
    """Centre each image and shear it until its main axis stands upright, by its moments.

    Parameters
    ----------
    images : ndarray of shape (n, height, width)
        Not negative.

    Returns
    -------
    ndarray of shape (n, height, width)
        Interpolated linearly; zero beyond the borders. Blank images stay so.
    """
    n, height, width = images.shape
    y, x = np.mgrid[:height, :width].astype(np.float64)
    mass = images.sum(axis=(1, 2))
    mass[mass == 0] = 1.0
    mean_y, mean_x = (np.sum(images * axis, axis=(1, 2)) / mass for axis in (y, x))
    off_y, off_x = (axis - mean[:, None, None] for axis, mean in ((y, mean_y), (x, mean_x)))
    across, down = (np.sum(images * off_y * other, axis=(1, 2)) / mass for other in (off_x, off_y))
    # A line of one pixel has no extent downwards, hence no slant.
    slant = np.divide(across, down, out=np.zeros(n), where=down > 1e-9 * height**2)
    centred_y, centred_x = y - (height - 1) / 2, x - (width - 1) / 2
    from_y = np.broadcast_to(centred_y, images.shape) + mean_y[:, None, None]
    from_x = centred_x + slant[:, None, None] * centred_y + mean_x[:, None, None]
    return _interpolated(images, from_y, from_x)


def gradient_histograms(images: Array, *, bins: int, cell: int) -> Array:
    """Return the strength of gradients by direction in each cell of an image, and in blocks of cells [1]_.

    Parameters
    ----------
    images : ndarray of shape (n, height, width)
    bins : int
        Directions, around the whole circle; a gradient between two of them
        counts for both.
    cell : int
        Pixels along a side of a cell; blocks are of two by two cells.

    Returns
    -------
    ndarray of shape (n, bins * (cells + blocks))
        Roots of the strengths, scaled to a norm of one for each image, or of
        zero for a blank one.

    References
    ----------
    .. [1] Dalal and Triggs, "Histograms of oriented gradients for human
       detection", CVPR 2005.

    Examples
    --------
    >>> image = np.zeros((1, 4, 4))
    >>> image[0, :, 2:] = 1.0
    >>> gradient_histograms(image, bins=4, cell=2).shape
    (1, 20)
    """
    n, height, width = images.shape
    down, right = np.zeros(images.shape), np.zeros(images.shape)
    down[:, 1:-1] = images[:, 2:] - images[:, :-2]
    right[:, :, 1:-1] = images[:, :, 2:] - images[:, :, :-2]
    strength, turn = np.hypot(down, right), np.arctan2(down, right) / (2 * np.pi) * bins
    first = np.floor(turn)
    share = turn - first
    rows, columns = -(-height // cell), -(-width // cell)
    maps = np.zeros((n, bins, rows * cell, columns * cell))
    image, row, column = np.ogrid[:n, :height, :width]
    low = first.astype(np.int64) % bins
    maps[image, low, row, column] += strength * (1 - share)
    maps[image, (low + 1) % bins, row, column] += strength * share
    cells = maps.reshape(n, bins, rows, cell, columns, cell).sum(axis=(3, 5))
    blocks = cells[:, :, :-1, :-1] + cells[:, :, 1:, :-1] + cells[:, :, :-1, 1:] + cells[:, :, 1:, 1:]
    # A block overlaps three others, so it counts for a quarter, before the root, of its cells' strength.
    found = np.sqrt(np.concatenate([cells.reshape(n, -1), blocks.reshape(n, -1) / 4], axis=1))
    norms = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(np.divide(found, norms, out=found, where=norms > 0))


def _interpolated(images: Array, from_y: Array, from_x: Array) -> Array:
    """Return the values between four pixels each."""
    n, height, width = images.shape
    low_y, low_x = np.floor(from_y), np.floor(from_x)
    share_y, share_x = from_y - low_y, from_x - low_x
    # One pixel of zeros around, to which everything outside is moved.
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    image = np.arange(n)[:, None, None]

    def at(y: Array, x: Array) -> Array:
        rows = np.clip(y + 1, 0, height + 1).astype(np.int64)
        return np.asarray(padded[image, rows, np.clip(x + 1, 0, width + 1).astype(np.int64)])

    upper = at(low_y, low_x) * (1 - share_x) + at(low_y, low_x + 1) * share_x
    lower = at(low_y + 1, low_x) * (1 - share_x) + at(low_y + 1, low_x + 1) * share_x
    return upper * (1 - share_y) + lower * share_y
