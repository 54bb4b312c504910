"""Random rounding to whole numbers that keeps means."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from bezoar.core.arrays import Array


def round_systematically(point: Array, order: Array, draws: int, rng: Generator) -> Array:
    """Round a point at random, with the share of a direction held nearly fixed.

    Coordinates are visited in the order of `order`; along the cumulative sum
    of their fractional parts, equally spaced marks with a random, stratified
    offset decide which are rounded up. Each coordinate is rounded up with
    probability equal to its fractional part, and neighbours in the order
    balance each other, so the product with `order` hardly varies.

    Parameters
    ----------
    point : ndarray of shape (d,)
    order : ndarray of shape (d,)
        Usually the model that the point is meant to mislead.
    draws : int
        Roundings wanted.
    rng : Generator

    Returns
    -------
    ndarray of shape (draws, d)
        Whole numbers, each the floor or the ceiling of the point's.

    Examples
    --------
    >>> rounded = round_systematically(np.full(4, 0.5), np.arange(4.0), 3, np.random.default_rng(0))
    >>> rounded.sum(axis=1).tolist()
    [2.0, 2.0, 2.0]
    """
    floors = np.floor(point)
    by_order = np.argsort(order, kind="stable")
    reached = np.cumsum((point - floors)[by_order])
    offsets = (rng.permutation(draws) + rng.random()) / draws
    # A coordinate is rounded up when a mark falls within its fraction.
    marks = np.floor(reached[None, :] + offsets[:, None])
    ups = np.diff(marks, axis=1, prepend=np.floor(offsets)[:, None])
    rounded = np.repeat(floors[None, :], draws, axis=0)
    rounded[:, by_order] += ups
    return rounded
