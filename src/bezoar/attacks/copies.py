"""Whole copies of a fractional poison point."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.random import Generator

from bezoar.core.arrays import Array
from bezoar.kernels.rounding import round_independently, round_systematically

Rounding = Literal["systematic", "independent", "reference"]

_NEARLY_WHOLE = 1e-9


def round_copies(point: Array, order: Array, *, repeats: int, rounding: Rounding, rng: Generator) -> Array:
    """Copies of a point, rounded at random to whole numbers with the mean kept.

    Parameters
    ----------
    point : ndarray of shape (d,)
    order : ndarray of shape (d,)
        Direction whose product with the copies should vary little, as in
        `round_systematically`.
    repeats : int
        How many copies.
    rounding : {"systematic", "independent", "reference"}
        Coordinates balance each other along `order` and all copies are alike;
        or each coordinate by itself and all copies alike (the paper's text);
        or each coordinate of each copy by itself (its program), so that
        copies differ.
    rng : Generator

    Returns
    -------
    ndarray of shape (repeats, d)

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022.

    Examples
    --------
    >>> point, order, rng = np.array([0.5, 2.0, 0.5]), np.arange(3.0), np.random.default_rng(0)
    >>> round_copies(point, order, repeats=2, rounding="systematic", rng=rng).tolist()
    [[1.0, 2.0, 0.0], [1.0, 2.0, 0.0]]
    """
    # Few coordinates of an extreme point are fractional; the others need no draw.
    rows = np.tile(np.round(point), (repeats, 1))
    between = np.flatnonzero(np.abs(point - rows[0]) >= _NEARLY_WHOLE)
    part = point[between]
    if rounding == "systematic":
        rows[:, between] = round_systematically(part, order[between], 1, rng)
    else:
        rows[:, between] = round_independently(part, repeats if rounding == "reference" else 1, rng)
    return rows
