"""Company of outvoted rows among their nearest rows, and labels to which more rows came than left."""

from __future__ import annotations

import numpy as np
from scipy.stats import binom

from toadstone.core.arrays import Array, IntArray, Mask


def company(near: IntArray, codes: IntArray, outvoted: Mask) -> IntArray:
    """Count the outvoted rows of its own label among the nearest other rows of each row.

    Clean rows that lose the vote lie along the boundary of two classes, each
    among rows of many kinds; poison that pulls a target over lies together.

    Parameters
    ----------
    near : ndarray of int of shape (n, k)
    codes : ndarray of int of shape (n,)
    outvoted : ndarray of bool of shape (n,)

    Returns
    -------
    ndarray of int of shape (n,)

    Examples
    --------
    >>> near, codes = np.array([[1, 2], [0, 2], [0, 1]]), np.array([1, 1, 0])
    >>> company(near, codes, np.array([True, True, False]))
    array([1, 1, 0])
    """
    return np.asarray((outvoted[near] & (codes[near] == codes[:, None])).sum(axis=1))


def crowded_labels(codes: IntArray, likely: IntArray, *, n_classes: int) -> tuple[Array, Array]:
    """Test whether more rows came to a label from among others than left it.

    Where classes overlap, as many rows of each are taken for the other. Poison
    of one label comes from elsewhere, and nothing leaves in exchange.

    Parameters
    ----------
    codes, likely : ndarray of int of shape (m,)
        Label of each outvoted row, and the label that wins the vote there.
    n_classes : int

    Returns
    -------
    chance : ndarray of shape (n_classes,)
        Probability of so many arrivals or more among arrivals and departures,
        if a row goes either way with equal chance.
    innocent : ndarray of shape (n_classes,)
        Share of the arrivals that departures make up for, in [0, 1].

    Examples
    --------
    >>> crowded_labels(np.array([1, 1, 1, 0]), np.array([0, 0, 2, 1]), n_classes=3)
    (array([0.875 , 0.3125, 1.    ]), array([1.        , 0.33333333, 0.        ]))
    """
    arrivals = np.bincount(codes, minlength=n_classes)
    departures = np.bincount(likely, minlength=n_classes)
    chance = binom.sf(arrivals - 1, arrivals + departures, 0.5)
    innocent = np.where(arrivals > 0, np.minimum(departures, arrivals) / np.maximum(arrivals, 1), 0.0)
    return np.asarray(chance), np.asarray(innocent)
