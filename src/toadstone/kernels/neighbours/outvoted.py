"""Outvoted rows among the nearest of each row, and a test of asymmetry: more rows taken for a label than from it."""

from __future__ import annotations

import numpy as np
from scipy.stats import binom

from toadstone.core.arrays import Array, IntArray, Mask


def outvoted_neighbours(near: IntArray, codes: IntArray, outvoted: Mask) -> IntArray:
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
    >>> outvoted_neighbours(near, codes, np.array([True, True, False]))
    array([1, 1, 0])
    """
    return np.asarray((outvoted[near] & (codes[near] == codes[:, None])).sum(axis=1))


def asymmetric_labels(codes: IntArray, likely: IntArray, *, n_classes: int) -> tuple[Array, Array]:
    """Test whether more rows of a label lie among other labels than rows of others lie among it.

    An exact one-sided sign test, as McNemar's. Where classes overlap, errors
    go both ways; rows that were given one label on purpose go one way.

    Parameters
    ----------
    codes, likely : ndarray of int of shape (m,)
        Label of each outvoted row, and the label that wins the vote there.
    n_classes : int

    Returns
    -------
    p_values : ndarray of shape (n_classes,)
        Of so many rows of the label or more, if a row lies on either side with
        equal chance.
    innocent : ndarray of shape (n_classes,)
        Share of the rows of the label that those of the other side make up
        for, in [0, 1].

    Examples
    --------
    >>> asymmetric_labels(np.array([1, 1, 1, 0]), np.array([0, 0, 2, 1]), n_classes=3)
    (array([0.875 , 0.3125, 1.    ]), array([1.        , 0.33333333, 0.        ]))
    """
    here = np.bincount(codes, minlength=n_classes)
    elsewhere = np.bincount(likely, minlength=n_classes)
    p_values = binom.sf(here - 1, here + elsewhere, 0.5)
    innocent = np.where(here > 0, np.minimum(elsewhere, here) / np.maximum(here, 1), 0.0)
    return np.asarray(p_values), np.asarray(innocent)
