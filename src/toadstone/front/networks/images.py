"""Images of a split as bytes, in the order height, width, channels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from toadstone.core.arrays import Matrix
from toadstone.core.errors import InvalidArgument
from toadstone.datasets.split import Split
from toadstone.pipeline.evaluation.attack_choices import layout_of


def shape_of(split: Split, *, option: str) -> tuple[int, int, int, str]:
    """Return height, width, channels and order of the columns of the images of a split.

    Parameters
    ----------
    split : Split
    option : str
        The option that needs images, for messages.

    Raises
    ------
    InvalidArgument
        If its rows are no images.
    """
    shape = layout_of(split)
    if shape is None:
        raise InvalidArgument(option, "images for a network: a folder, or an archive of them", f"rows of {split.name}")
    return shape


def hold_pixels(X: Matrix) -> bool:
    """Tell rows of pixels in [0, 1] from rows that were standardised."""
    return X.shape[0] == 0 or bool(X.min() >= 0 and X.max() <= 1)


def pixels_of(X: Matrix, shape: tuple[int, int, int, str], *, option: str) -> NDArray[np.uint8]:
    """Return rows of pixels in [0, 1] as images of bytes, shape (n, height, width, channels).

    Raises
    ------
    InvalidArgument
        If values are outside [0, 1]: they were standardised.
    """
    if not hold_pixels(X):
        raise InvalidArgument("scale", f"auto or none beside a network of `{option}`, which wants pixels", "standard")
    dense: NDArray[Any] = X.toarray() if issparse(X) else np.asarray(X)
    height, width, channels, order = shape
    levels: NDArray[np.uint8] = np.rint(255 * dense).astype(np.uint8)
    if order == "CHW":
        return np.ascontiguousarray(np.moveaxis(levels.reshape(-1, channels, height, width), 1, -1))
    shaped: NDArray[np.uint8] = levels.reshape(-1, height, width, channels)
    return shaped
