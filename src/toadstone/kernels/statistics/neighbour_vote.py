"""The vote of a row's neighbours on its label."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from toadstone.core.arrays import Array, IntArray

NO_VOTE = -1
"""Label of a neighbour that does not vote."""


def draw_voters(codes: IntArray, most: int, rng: Generator) -> tuple[IntArray, Array]:
    """Draw rows that vote for all rows, with as many votes as rows of their class that they stand for.

    Parameters
    ----------
    codes : ndarray of shape (n,)
        Class of each row, counted from zero; all occur.
    most : int
        Number of voters, from the number of classes.
    rng : Generator

    Returns
    -------
    rows : ndarray of int
        Ascending. All rows of a class that has few, and equally many of every
        other; all rows where there are no more than `most`.
    weights : ndarray
        The votes of each; those of a class add up to its number of rows.

    Examples
    --------
    >>> rows, weights = draw_voters(np.repeat([0, 1], [2, 6]), 5, np.random.default_rng(0))
    >>> weights
    array([1., 1., 2., 2., 2.])
    """
    sizes = np.bincount(codes)
    if len(codes) <= most:
        return np.arange(len(codes)), np.ones(len(codes))
    # The classes that stay whole leave the others more room: fill from the smallest class up.
    taken, left = np.zeros(len(sizes), dtype=np.int64), most
    for place, code in enumerate(np.argsort(sizes, kind="stable")):
        taken[code] = min(sizes[code], left // (len(sizes) - place))
        left -= taken[code]
    shuffled = rng.permutation(len(codes))
    by_class = shuffled[np.argsort(codes[shuffled], kind="stable")]
    starts = np.cumsum(sizes) - sizes
    rank = np.arange(len(codes)) - starts[codes[by_class]]
    rows = np.sort(by_class[rank < taken[codes[by_class]]])
    return rows, np.asarray((sizes / np.maximum(taken, 1))[codes[rows]], dtype=np.float64)


def count_votes(labels: IntArray, n_classes: int, weights: Array | None = None) -> Array | IntArray:
    """Count the votes for each label.

    Parameters
    ----------
    labels : ndarray of int of shape (n, k)
        Labels of each row's neighbours, counted from zero; `NO_VOTE` is not
        counted.
    n_classes : int
    weights : ndarray of shape (n, k), optional
        Votes of each neighbour; one by default.

    Returns
    -------
    ndarray of shape (n, n_classes)
        Of int without weights.

    Examples
    --------
    >>> count_votes(np.array([[0, 0, 1], [1, 1, NO_VOTE]]), 2)
    array([[2, 1],
           [0, 2]])
    """
    n = len(labels)
    # One column more, for those who do not vote.
    cells = (np.arange(n)[:, None] * (n_classes + 1) + labels + 1).ravel()
    votes = None if weights is None else weights.ravel()
    counts = np.bincount(cells, weights=votes, minlength=n * (n_classes + 1))
    return np.asarray(counts.reshape(n, n_classes + 1)[:, 1:])


def nearest_votes(weights: Array, wanted: float) -> Array:
    """Return the votes that count, if those of the nearest neighbours count up to a number of them.

    Parameters
    ----------
    weights : ndarray of shape (n, k)
        Votes of each row's neighbours, the nearest first.
    wanted : float

    Returns
    -------
    ndarray of shape (n, k)
        The votes of the nearest, those of the last of them in part, and zero
        for those beyond.

    Examples
    --------
    >>> nearest_votes(np.array([[2.0, 2.0, 2.0]]), 3.0)
    array([[2., 1., 0.]])
    """
    before = np.cumsum(weights, axis=1) - weights
    return np.clip(wanted - before, 0.0, weights)


def lost_votes(votes: Array | IntArray) -> Array:
    """Return by how much each label loses the plurality vote [1]_.

    Parameters
    ----------
    votes : ndarray of shape (n, n_classes)
        Counts or shares of the neighbours of each label.

    Returns
    -------
    ndarray of shape (n, n_classes)
        The votes of the most frequent other label minus those of the label
        itself; negative for the label that wins. Without another label, minus
        its own votes.

    References
    ----------
    .. [1] Peri, Gupta, Huang, Fowl, Zhu, Feizi, Goldstein and Dickerson,
       "Deep k-NN defense against clean-label data poisoning attacks", ECCV
       workshops 2020, section 4.

    Examples
    --------
    >>> lost_votes(np.array([[2, 1, 0]]))
    array([[-1,  1,  2]])
    """
    n, n_classes = votes.shape
    if n_classes == 1:
        return np.asarray(-votes)
    # The rival of the winner is the second, and that of every other label the winner.
    winner, rows = votes.argmax(axis=1), np.arange(n)
    rivals = np.repeat(votes[rows, winner][:, None], n_classes, axis=1)
    others = votes.copy()
    others[rows, winner] = 0
    rivals[rows, winner] = others.max(axis=1)
    return np.asarray(rivals - votes)
