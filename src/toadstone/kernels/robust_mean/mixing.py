"""Mixtures that make means of near rows, and of rows drawn into buckets."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from toadstone.core.arrays import Array, IntArray


def nearest_neighbour_weights(squared: Array, malicious: int) -> Array:
    """Return the mixture that replaces each row by the mean of its n - f nearest, itself among them [1]_.

    Parameters
    ----------
    squared : ndarray of float64, shape (n, n)
        Squared distances.
    malicious : int
        f.

    Returns
    -------
    ndarray of float64, shape (n, n)
        Each row of the mixture holds n - f weights 1 / (n - f).

    References
    ----------
    .. [1] Allouah, Farhadkhani, Guerraoui, Gupta, Pinot and Stephan, "Fixing by mixing: a recipe for optimal Byzantine
       ML under heterogeneity", AISTATS 2023, algorithm 2.

    Examples
    --------
    >>> points = np.array([0.0, 1.0, 9.0])
    >>> nearest_neighbour_weights((points[:, None] - points) ** 2, 1).tolist()
    [[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.5, 0.5]]
    """
    n = len(squared)
    keep = n - malicious
    measured = squared.copy()
    # Itself first, also beside a row at distance zero.
    np.fill_diagonal(measured, -1.0)
    nearest = np.argsort(measured, axis=1, kind="stable")[:, :keep]
    weights = np.zeros((n, n))
    np.put_along_axis(weights, nearest, 1.0 / keep, axis=1)
    return weights


def buckets(n: int, size: int, rng: Generator) -> IntArray:
    """Return the bucket of each row, drawn at random; the last one may be smaller [1]_.

    References
    ----------
    .. [1] Karimireddy, He and Jaggi, "Byzantine-robust learning on heterogeneous datasets via bucketing", ICLR 2022,
       algorithm 1.

    Examples
    --------
    >>> sorted(buckets(5, 2, np.random.default_rng(0)).tolist())
    [0, 0, 1, 1, 2]
    """
    bucket = np.empty(n, dtype=np.int64)
    bucket[rng.permutation(n)] = np.arange(n) // size
    return bucket


def bucket_weights(bucket: IntArray) -> Array:
    """Return the mixture that makes each bucket's mean.

    Examples
    --------
    >>> bucket_weights(np.array([0, 1, 0])).tolist()
    [[0.5, 0.0, 0.5], [0.0, 1.0, 0.0]]
    """
    members = np.arange(bucket.max() + 1)[:, None] == bucket
    return np.asarray(members / members.sum(axis=1, keepdims=True), dtype=np.float64)
