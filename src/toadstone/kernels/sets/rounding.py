"""Unbiased random rounding to whole numbers."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from toadstone.core.arrays import Array, IntArray


def round_systematically(point: Array, order: Array, draws: int, rng: Generator) -> Array:
    """Round a point at random, with its product with a direction held nearly fixed.

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
    # One stratum a draw: over all draws the marks of a coordinate are spread evenly, like its probability.
    offsets = (rng.permutation(draws) + rng.random()) / draws
    # A coordinate is rounded up when a mark falls within its fraction.
    marks = np.floor(reached[None, :] + offsets[:, None])
    ups = np.diff(marks, axis=1, prepend=np.floor(offsets)[:, None])
    rounded = np.repeat(floors[None, :], draws, axis=0)
    rounded[:, by_order] += ups
    return rounded


def round_independently(point: Array, draws: int, rng: Generator) -> Array:
    """Round each coordinate of a point at random, independently.

    Parameters
    ----------
    point : ndarray of shape (d,)
    draws : int
        Roundings wanted.
    rng : Generator

    Returns
    -------
    ndarray of shape (draws, d)
        The floor or the ceiling of each coordinate, with the point as mean.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022, section 4.1.

    Examples
    --------
    >>> round_independently(np.array([2.0, -1.0]), 2, np.random.default_rng(0)).tolist()
    [[2.0, -1.0], [2.0, -1.0]]
    """
    floors = np.floor(point)
    rounded = np.repeat(floors[None, :], draws, axis=0)
    between = np.flatnonzero(point > floors)
    rounded[:, between] += rng.random((draws, len(between))) < (point - floors)[between]
    return rounded


def repeat_counts(count: int, repeats: int) -> IntArray:
    """Return the number of copies of each rounding: `repeats`, and the rest for the last.

    Parameters
    ----------
    count : int
        Rows wanted.
    repeats : int
        Equal rows wanted of each rounding.

    Returns
    -------
    ndarray of int
        They sum to `count`.

    Examples
    --------
    >>> repeat_counts(7, 3).tolist()
    [3, 3, 1]
    """
    whole, rest = divmod(count, repeats)
    return np.array([repeats] * whole + [rest] * (rest > 0), dtype=np.int64)
