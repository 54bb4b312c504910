"""The layout of images whose pixels are the columns of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.sparse import issparse

from toadstone.core.arrays import Array, Matrix
from toadstone.core.checks import check_count
from toadstone.core.dataset import as_matrix
from toadstone.core.errors import InvalidArgument, InvalidData

Layout = Literal["HWC", "CHW"]


@dataclass(frozen=True, kw_only=True)
class ImageShape:
    """Height, width, channels and pixel values of images stored as rows.

    Parameters
    ----------
    height, width, channels : int
    layout : {"HWC", "CHW"}
        Order of the columns: "HWC" with the channels of a pixel side by
        side, "CHW" with one channel of the whole image after another.
    lowest, highest : float
        The darkest and the brightest value.
    levels : int, optional
        Number of values from the lowest to the highest: 256 for images of
        eight bits. Values that a trigger makes are rounded to the nearest.

    Raises
    ------
    InvalidArgument
        If a number is out of range.
    """

    height: int
    width: int
    channels: int = 1
    layout: Layout = "HWC"
    lowest: float = 0.0
    highest: float = 1.0
    levels: int | None = None

    def __post_init__(self) -> None:
        check_count(height=self.height, width=self.width, channels=self.channels)
        if self.layout not in get_args(Layout):
            raise InvalidArgument("layout", "HWC or CHW", self.layout)
        if not -np.inf < self.lowest < self.highest < np.inf:
            raise InvalidArgument("highest", f"a number above {self.lowest}", self.highest)
        if self.levels is not None:
            check_count(2, levels=self.levels)

    def images(self, X: Matrix) -> Array:
        """Return rows as images, a copy.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, height * width * channels)

        Returns
        -------
        ndarray of shape (n, height, width, channels)

        Raises
        ------
        InvalidData
            If the number of columns is not that of the pixels.
        """
        matrix, size = as_matrix(X), self.height * self.width * self.channels
        if matrix.shape[1] != size:
            raise InvalidData(f"images: expected {size} columns for {self}, got {matrix.shape[1]}")
        rows = np.asarray(matrix.toarray() if issparse(matrix) else matrix)
        if self.layout == "HWC":
            return np.array(rows.reshape(len(rows), self.height, self.width, self.channels))
        return np.array(rows.reshape(len(rows), self.channels, self.height, self.width).transpose(0, 2, 3, 1))

    def rows(self, images: Array) -> Array:
        """Return images as rows; the inverse of `images`."""
        ordered = images if self.layout == "HWC" else images.transpose(0, 3, 1, 2)
        return np.ascontiguousarray(ordered).reshape(len(images), self.height * self.width * self.channels)

    def legal(self, values: Array) -> Array:
        """Return the nearest values that a pixel can have."""
        inside = np.clip(values, self.lowest, self.highest)
        if self.levels is None:
            return np.asarray(inside)
        # The brightest level would exceed `highest` by a rounding error, hence the minimum.
        step = (self.highest - self.lowest) / (self.levels - 1)
        return np.asarray(np.minimum(self.lowest + np.rint((inside - self.lowest) / step) * step, self.highest))
