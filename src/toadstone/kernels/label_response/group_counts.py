"""Fewest groups whose labels change a prediction: the compiled search."""

from __future__ import annotations

import numpy as np
from numba import njit

from toadstone.core.arrays import Array, IntArray, Mask
from toadstone.kernels.label_response.row_counts import needs, sum_by_class
from toadstone.kernels.label_response.whole_weights import round_weights


@njit(cache=True, nogil=True)
def count_groups(
    alpha: Array, codes: IntArray, groups: IntArray, error: Array, tables: tuple[IntArray, IntArray], found: IntArray
) -> None:
    """Do for groups of rows what `count_rows` does for rows; a group's rows may all be relabelled.

    Parameters
    ----------
    alpha : ndarray of shape (q, n)
    codes, groups : ndarray of int of shape (n,)
    error : ndarray of shape (q,)
    tables : two ndarrays of int of shape (n_groups, n_classes)
        Overwritten.
    found : ndarray of int of shape (q, 3)
        Filled: winner, count, rival.
    """
    above, below = tables
    whole, scores = np.empty(alpha.shape[1], dtype=np.int64), np.empty(above.shape[1], dtype=np.int64)
    for query in range(alpha.shape[0]):
        allowance = round_weights(alpha[query], error[query], whole)
        sum_by_class(whole, codes, scores)
        _sum_by_group(whole, codes, groups, above, below)
        winner = int(np.argmax(scores))
        need = needs(scores, winner, allowance)
        fewest, rival = len(above) + 1, -1
        for other in range(len(scores)):
            if other != winner:
                number = _fewest(_gains(above, below, winner, other), need[other])
                if number < fewest:
                    fewest, rival = number, other
        found[query, 0] = winner
        found[query, 1] = max(fewest - 1, 0)
        found[query, 2] = rival


@njit(cache=True, nogil=True)
def mark_groups(
    alpha: Array, codes: IntArray, groups: IntArray, error: Array, tables: tuple[IntArray, IntArray], marked: Mask
) -> None:
    """Mark the groups that each change a prediction alone.

    Parameters
    ----------
    alpha, codes, groups, error, tables
        As `count_groups` takes them.
    marked : ndarray of bool of shape (q, n_groups)
        Filled.
    """
    above, below = tables
    whole, scores = np.empty(alpha.shape[1], dtype=np.int64), np.empty(above.shape[1], dtype=np.int64)
    for query in range(alpha.shape[0]):
        allowance = round_weights(alpha[query], error[query], whole)
        sum_by_class(whole, codes, scores)
        _sum_by_group(whole, codes, groups, above, below)
        winner = int(np.argmax(scores))
        need = needs(scores, winner, allowance)
        marked[query] = False
        for other in range(len(scores)):
            if other != winner:
                marked[query] |= _gains(above, below, winner, other) >= need[other]


@njit(cache=True, nogil=True)
def _sum_by_group(whole: IntArray, codes: IntArray, groups: IntArray, above: IntArray, below: IntArray) -> None:
    """Sum positive weights, and sizes of negative ones, by group and class."""
    above[:] = 0
    below[:] = 0
    for i in range(len(whole)):
        if whole[i] > 0:
            above[groups[i], codes[i]] += whole[i]
        else:
            below[groups[i], codes[i]] -= whole[i]


@njit(cache=True, nogil=True)
def _gains(above: IntArray, below: IntArray, winner: int, rival: int) -> IntArray:
    gains = above[:, winner] - below[:, winner] + below[:, rival] - above[:, rival]
    for label in range(above.shape[1]):
        gains += above[:, label] + below[:, label]
    return gains


@njit(cache=True, nogil=True)
def _fewest(gains: IntArray, need: int) -> int:
    ranked = np.sort(gains)
    number = 0
    while need > 0 and number < len(ranked):
        number += 1
        need -= ranked[len(ranked) - number]
    return number if need <= 0 else len(ranked) + 1
