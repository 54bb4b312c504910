"""Images of a split as bytes, in the order height, width, channels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from toadstone.core.arrays import Matrix
from toadstone.core.errors import InvalidArgument
from toadstone.datasets.split import Split
from toadstone.pipeline.evaluation.attack_choices import IMAGES, image_layout


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
    known = (*IMAGES[split.name], 1) if split.name in IMAGES else None
    shape = image_layout(split.image, known)
    if shape is None:
        raise InvalidArgument(option, "images for a network: a folder, or an archive of them", f"rows of {split.name}")
    return shape


def pixels_of(X: Matrix, shape: tuple[int, int, int, str], *, option: str) -> NDArray[np.uint8]:
    """Return rows of pixels in [0, 1] as images of bytes, shape (n, height, width, channels).

    Raises
    ------
    InvalidArgument
        If values are outside [0, 1]: they were standardised.
    """
    dense: NDArray[Any] = X.toarray() if issparse(X) else np.asarray(X)
    if dense.size and (dense.min() < 0 or dense.max() > 1):
        raise InvalidArgument("scale", f"auto or none beside a network of `{option}`, which wants pixels", "standard")
    height, width, channels, order = shape
    levels: NDArray[np.uint8] = np.rint(255 * dense).astype(np.uint8)
    if order == "CHW":
        return np.ascontiguousarray(np.moveaxis(levels.reshape(-1, channels, height, width), 1, -1))
    shaped: NDArray[np.uint8] = levels.reshape(-1, height, width, channels)
    return shaped
