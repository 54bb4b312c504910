"""Radiographs dealt to five made-up hospitals, whose scanners differ in brightness."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toadstone.core.arrays import Array, IntArray
from toadstone.datasets.preparation.features import ArrayValues
from toadstone.datasets.readers.formats.arrays import read_split
from toadstone.datasets.readers.request import Request
from toadstone.datasets.split import Split

COLUMN, SEED = "hospital", 13
"""Column of the hospitals, and the seed by which rows are dealt to them."""
BRIGHTNESS = {"A": 70, "B": 85, "C": 100, "D": 115, "E": 130}
"""Brightness of each hospital's pictures, in percent of the published ones."""
_WHITE = 255


def read(path: Path, request: Request) -> Split:
    """Read images, and deal the rows of each part to hospitals of equal size, at random by a fixed seed.

    The values of a row are multiplied by its hospital's brightness, rounded to
    whole levels and clipped to white. Rows, their order and their labels are
    those of the archive. The column ``hospital`` of the training rows stands
    beside the features: a group for `scan`, `defend` and `certify`.
    """
    split = read_split(path, replace(request, group=None))
    rng = np.random.default_rng(SEED)
    dealt_train, dealt_test = (deal(len(part), rng) for part in (split.train, split.test))
    train, test = (
        brightened(_levels(part.X), dealt) for part, dealt in ((split.train, dealt_train), (split.test, dealt_test))
    )
    names = list(BRIGHTNESS)
    return replace(
        split,
        train=replace(split.train, X=train / _WHITE),
        test=replace(split.test, X=test / _WHITE),
        raw=ArrayValues(train, beside={COLUMN: [names[hospital] for hospital in dealt_train.tolist()]}),
        preparation=f"brightness of each hospital, {split.preparation}",
    )


def deal(n: int, rng: np.random.Generator) -> IntArray:
    """Deal rows to the hospitals in shares that differ by one row at most.

    Parameters
    ----------
    n : int
        Number of rows.
    rng : Generator

    Returns
    -------
    ndarray of int of shape (n,)
        Position of each row's hospital in `BRIGHTNESS`.
    """
    hospitals: IntArray = rng.permutation(np.arange(n, dtype=np.int64) % len(BRIGHTNESS))
    return hospitals


def brightened(levels: NDArray[np.uint8], hospitals: IntArray) -> NDArray[np.uint8]:
    """Multiply the levels of each row by the brightness of its hospital.

    Parameters
    ----------
    levels : uint8 ndarray of shape (n, d)
    hospitals : ndarray of int of shape (n,)
        As `deal` returns them.

    Returns
    -------
    uint8 ndarray of shape (n, d)
        Rounded to whole levels, a half upwards, and clipped to 255.

    Examples
    --------
    >>> brightened(np.array([[0, 10, 250], [0, 10, 250]], dtype=np.uint8), np.array([0, 4])).tolist()
    [[0, 7, 175], [0, 13, 255]]
    """
    percent = np.array(list(BRIGHTNESS.values()))[hospitals]
    # Whole numbers, so that the rows are the same on every machine.
    bright = (levels.astype(np.int64) * percent[:, None] + 50) // 100
    clipped: NDArray[np.uint8] = np.minimum(bright, _WHITE).astype(np.uint8)
    return clipped


def _levels(pixels: Array) -> NDArray[np.uint8]:
    levels: NDArray[np.uint8] = np.rint(pixels * _WHITE).astype(np.uint8)
    return levels
