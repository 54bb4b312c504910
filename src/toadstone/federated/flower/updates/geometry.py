"""Lengths of updates, and their distances and angles to the aggregate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toadstone.core.arrays import Array

_WIDTH = 2**16


@dataclass(frozen=True, eq=False)
class Geometry:
    """Lengths of updates, and their distances and angles to the aggregate.

    Parameters
    ----------
    norms, distances, cosines : ndarray of shape (n,)
        Cosines are NaN for updates of length 0.
    """

    norms: Array
    distances: Array
    cosines: Array


def measure(rows: NDArray[Any], vector: Array) -> Geometry:
    """Measure updates against the aggregate, in blocks of coordinates.

    Parameters
    ----------
    rows : ndarray of shape (n, d)
    vector : ndarray of shape (d,)

    Returns
    -------
    Geometry
    """
    squares, apart, products = np.zeros((3, len(rows)))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for start in range(0, rows.shape[1], _WIDTH):
            block = rows[:, start : start + _WIDTH].astype(np.float64)
            centre = vector[start : start + _WIDTH]
            # Sums of products of rows, not matrix products: a sum over one row does not depend on how many others there
            # are or where they stand.
            squares += np.square(block).sum(axis=1)
            products += (block * centre).sum(axis=1)
            apart += np.square(block - centre).sum(axis=1)
        norms = np.sqrt(squares)
        cosines = products / (norms * np.sqrt(np.square(vector).sum()))
    return Geometry(norms, np.sqrt(apart), np.where(np.isfinite(cosines), np.clip(cosines, -1.0, 1.0), np.nan))
