"""Certified counts of a vote whose voters have prices: the flips that make one of them vote otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from toadstone.core.arrays import IntArray
from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidData
from toadstone.core.pointwise import Certified
from toadstone.kernels.votes.tallies import checked_votes, tally

OUT_OF_REACH = 2**31 - 1
"""Price of a vote that no attacker can buy."""


def certify_priced_votes(votes: object, prices: object, *, n_units: int) -> Certified:
    """Count the units that an attacker may control in vain, where each vote has its price.

    For a rival d, a voter for the winner offers to close the gap by two at
    the price of d, or by one at the lowest price of any other class; a voter
    for another class offers one at the price of d. The cheapest offers, at
    most one a voter, that close the gap are a multiple-choice knapsack,
    solved by a table over the gap: `n_voters` times the gap steps for each
    rival. Use `bound_priced_votes` where that is too many.

    Parameters
    ----------
    votes : array_like of int, shape (q, voters)
        Class positions; -1 for a model that does not vote.
    prices : array_like of int, shape (q, voters, n_classes)
        Fewest units, such as label flips in the voter's own rows, that make
        it vote for each class, or lower bounds of them; ``OUT_OF_REACH`` for
        never. The price of its own vote is not read.
    n_units : int
        Units that there are; no count is larger.

    Returns
    -------
    Certified
        Exact if the prices are.

    Raises
    ------
    InvalidArgument, InvalidData
        If votes are no class positions, or prices do not fit them.

    References
    ----------
    .. [1] "EnsembleCert", arXiv 2604.11416, ICLR 2026.

    Examples
    --------
    Three voters for class 0, which five, seven and forty flips change:

    >>> prices = [[[0, 5], [0, 7], [0, 40]]]
    >>> certify_priced_votes([[0, 0, 0]], prices, n_units=1000).count
    array([11])
    """
    return _certify(votes, prices, n_units, _cheapest_offers)


def bound_priced_votes(votes: object, prices: object, *, n_units: int) -> Certified:
    """Bound the counts of `certify_priced_votes` from below, by linear programming.

    The relaxed knapsack takes the offers' convex hulls in the order of their
    price for each vote. Its value is at most the exact one, and lower by less
    than the price of a single offer.

    Parameters
    ----------
    votes, prices, n_units
        As in `certify_priced_votes`.

    Returns
    -------
    Certified
        Counts that hold, but may be too low.

    Raises
    ------
    InvalidArgument, InvalidData
        If votes are no class positions, or prices do not fit them.

    Examples
    --------
    >>> votes, prices = [[0, 0, 0, 1]], [[[0, 5], [0, 7], [0, 40], [9, 0]]]
    >>> bound_priced_votes(votes, prices, n_units=1000).count
    array([8])
    >>> certify_priced_votes(votes, prices, n_units=1000).count
    array([11])
    """
    return _certify(votes, prices, n_units, _relaxed_offers)


def _certify(votes: object, prices: object, n_units: int, cheapest: Any) -> Certified:
    check_count(n_units=n_units)
    paid = np.asarray(prices)
    if paid.ndim != 3 or paid.dtype.kind not in "iu" or not paid.shape[2]:
        got = f"shape {paid.shape} of {paid.dtype}"
        raise InvalidData(f"prices: expected whole numbers of shape (queries, voters, classes), got {got}")
    checked = checked_votes(votes, paid.shape[2])
    if paid.shape[:2] != checked.shape:
        raise InvalidData(f"prices: expected those of {checked.shape} queries x voters, got {paid.shape[:2]}")
    if paid.size and (paid.min() < 0 or paid.max() > OUT_OF_REACH):
        raise InvalidData("prices: expected none below 0 or above OUT_OF_REACH, got some")
    shape = len(checked)
    found = Certified(np.empty(shape, np.int64), np.empty(shape, np.int64), np.empty(shape, np.int64))
    each = np.ascontiguousarray(paid, dtype=np.int32)
    _all_queries(checked, each, n_units, (found.winner, found.count, found.rival), cheapest)
    return found


@njit(cache=True, nogil=True)
def _all_queries(
    votes: Any, prices: Any, n_units: int, found: tuple[IntArray, IntArray, IntArray], cheapest: Any
) -> None:
    winner, count, rival = found
    n, k = prices.shape[1:]
    counts = np.zeros(k, np.int64)
    one, two = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for q in range(len(votes)):
        c = tally(votes[q], counts)
        least, first = n_units + 1, -1
        for d in range(k):
            if d == c:
                continue
            _offers(votes[q], prices[q], c, d, one, two)
            paid = cheapest(one, two, counts[c] - counts[d] + (1 if d > c else 0))
            if paid < least:
                least, first = paid, d
        winner[q], count[q], rival[q] = c, max(least - 1, 0), first


@njit(cache=True, nogil=True)
def _offers(votes: Any, prices: Any, c: int, d: int, one: Any, two: Any) -> None:
    """Set what each voter asks for closing the gap by at least one, and by two."""
    for j in range(len(votes)):
        one[j] = two[j] = OUT_OF_REACH
        if votes[j] == d:
            continue
        one[j] = prices[j, d]
        if votes[j] == c:
            two[j] = prices[j, d]
            for e in range(prices.shape[1]):
                if e != c and prices[j, e] < one[j]:
                    one[j] = prices[j, e]


@njit(cache=True, nogil=True)
def _cheapest_offers(one: Any, two: Any, gap: int) -> int:
    """Solve the knapsack exactly, by a table of the lowest price of closing each part of the gap."""
    lowest = np.full(gap + 1, np.int64(OUT_OF_REACH))
    lowest[0] = 0
    for j in range(len(one)):
        # From the whole gap down, so that each voter is used once.
        for part in range(gap, 0, -1):
            best = lowest[part - 1] + one[j]
            if two[j] < OUT_OF_REACH:
                best = min(best, lowest[max(part - 2, 0)] + two[j])
            lowest[part] = min(lowest[part], best)
    return int(min(lowest[gap], OUT_OF_REACH))


@njit(cache=True, nogil=True)
def _relaxed_offers(one: Any, two: Any, gap: int) -> int:
    """Take steps of the convex hulls by their price for each vote, the last one in part; rounded up."""
    # Steps of one vote have twice their price as key, steps of two votes their price: whole numbers, twice the rate.
    keys, length = np.empty(2 * len(one), np.int64), 0
    for j in range(len(one)):
        if one[j] >= OUT_OF_REACH:
            continue
        if two[j] >= OUT_OF_REACH:
            keys[length] = 2 * one[j]
            length += 1
        elif 2 * one[j] < two[j]:
            keys[length], keys[length + 1] = 2 * one[j], 2 * (two[j] - one[j])
            length += 2
        else:
            # One vote alone costs more than half: the pair is one step, taken as two halves.
            keys[length] = keys[length + 1] = two[j]
            length += 2
    if length < gap:
        return OUT_OF_REACH
    taken = np.sort(keys[:length])[:gap].sum()
    return int(min((taken + 1) // 2, OUT_OF_REACH))
