"""Krum's scores, and the selections that repeat them on a shrinking pool."""

from __future__ import annotations

import numpy as np
from numba import njit

from toadstone.core.arrays import Array, IntArray


def krum_scores(squared: Array, neighbours: int) -> Array:
    """Return each row's sum of squared distances to its nearest others [1]_.

    Parameters
    ----------
    squared : ndarray of float64, shape (n, n)
        Squared distances.
    neighbours : int
        How many of the others count; n - f - 2 in the paper.

    Returns
    -------
    ndarray of float64, shape (n,)
        The least score is the most central row's.

    References
    ----------
    .. [1] Blanchard, El Mhamdi, Guerraoui and Stainer, "Machine learning with adversaries: Byzantine tolerant gradient
       descent", NeurIPS 2017, section 4.

    Examples
    --------
    >>> points = np.array([0.0, 1.0, 2.0, 9.0])
    >>> krum_scores((points[:, None] - points) ** 2, 2).tolist()
    [5.0, 2.0, 5.0, 113.0]
    """
    others = squared.copy()
    np.fill_diagonal(others, np.inf)
    others.sort(axis=1)
    # Added from the least upwards, so that the sum does not depend on the order of the rows.
    return np.asarray(np.cumsum(others[:, :neighbours], axis=1)[:, -1], dtype=np.float64)


def least(scores: Array, count: int) -> IntArray:
    """Return the positions of the least scores, in ascending order of positions; ties go to the first.

    Examples
    --------
    >>> least(np.array([3.0, 1.0, 1.0, 2.0]), 2).tolist()
    [1, 2]
    """
    return np.sort(np.argsort(scores, kind="stable")[:count])


def bulyan_selection(squared: Array, malicious: int) -> tuple[IntArray, Array]:
    """Select n - 2f rows by as many rounds of Krum, each on the rows that are left [1]_.

    The scores are taken anew in every round, with ``n' - f - 2`` neighbours
    among the n' rows left (one at least, as the last rounds of the paper
    need); one scoring taken n - 2f deep is another, weaker rule.

    Parameters
    ----------
    squared : ndarray of float64, shape (n, n)
        Squared distances.
    malicious : int
        f, with n >= 4f + 3.

    Returns
    -------
    selected : ndarray of int, shape (n - 2f,)
        In ascending order.
    scores : ndarray of float64, shape (n,)
        Each row's score in the round that selected it; of the others, in the last round.

    References
    ----------
    .. [1] El Mhamdi, Guerraoui and Rouault, "The hidden vulnerability of distributed learning in Byzantium", ICML 2018,
       section 4.

    Examples
    --------
    >>> points = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 60.0])
    >>> selected, _ = bulyan_selection((points[:, None] - points) ** 2, 1)
    >>> selected.tolist()
    [0, 1, 2, 3, 4]
    """
    n = len(squared)
    others = squared.copy()
    np.fill_diagonal(others, np.inf)
    nearest = np.argsort(others, axis=1, kind="stable")
    ascending = np.take_along_axis(others, nearest, axis=1)
    taken, scores = _select(ascending, nearest, n - 2 * malicious, malicious)
    return np.sort(taken), scores


@njit(cache=True, nogil=True)
def _select(ascending: Array, nearest: IntArray, rounds: int, malicious: int) -> tuple[IntArray, Array]:
    """Take the row of least score and strike it from every list, again and again."""
    n = len(nearest)
    left = np.full(n, n - 1)
    alive = np.ones(n, dtype=np.bool_)
    scores = np.zeros(n)
    taken = np.empty(rounds, dtype=np.int64)
    for turn in range(rounds):
        neighbours = max(1, n - turn - malicious - 2)
        best = -1
        for i in range(n):
            if not alive[i]:
                continue
            # Added afresh: what is left after a subtraction of 1e60 holds no digit of the rest.
            total = 0.0
            for k in range(min(neighbours, left[i])):
                total += ascending[i, k]
            scores[i] = total
            if best < 0 or total < scores[best]:
                best = i
        taken[turn] = best
        alive[best] = False
        for i in range(n):
            if alive[i]:
                kept = 0
                for k in range(left[i]):
                    if nearest[i, k] != best:
                        nearest[i, kept] = nearest[i, k]
                        ascending[i, kept] = ascending[i, k]
                        kept += 1
                left[i] = kept
    return taken, scores
