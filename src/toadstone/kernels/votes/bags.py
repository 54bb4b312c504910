"""Certified counts of hash bagging: several rounds of parts, where each row reaches one voter of every round."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from toadstone.core.arrays import IntArray
from toadstone.core.errors import InvalidData
from toadstone.core.pointwise import Certified
from toadstone.kernels.votes.tallies import checked_votes, tally


def certify_bags(votes: object, rounds: object, *, n_classes: int) -> Certified:
    """Count the rows that an attacker may add, remove or relabel without being able to change the elected class.

    Each round splits the rows anew by a hash of its own, so r rows reach at
    most r voters of every round. The attacker may choose rows of any hashes;
    against that attacker the count is exact, and at least the published one,
    ``(votes(c) - votes(d) - [d < c]) // (2 * number of rounds)`` [1]_.

    Parameters
    ----------
    votes : array_like of int, shape (q, voters)
        Class positions; -1 for a model that does not vote.
    rounds : array_like of int, shape (voters,)
        The round of each voter, counted from 0.
    n_classes : int

    Returns
    -------
    Certified
        Counts in rows. Where no rival can win, the number of voters of the
        largest round, beyond which further rows reach nothing new.

    Raises
    ------
    InvalidArgument, InvalidData
        If votes are no class positions, or rounds do not fit them.

    References
    ----------
    .. [1] Chen, Li, Li, Wu and Li, "On collective robustness of bagging
       against data poisoning", ICML 2022, proposition 2.

    Examples
    --------
    Two rounds of three parts each:

    >>> certify_bags([[0, 0, 0, 0, 0, 1]], [0, 0, 0, 1, 1, 1], n_classes=2).count
    array([1])
    """
    checked = checked_votes(votes, n_classes)
    of = np.asarray(rounds)
    if of.shape != (checked.shape[1],) or of.dtype.kind not in "iu" or of.min() < 0:
        raise InvalidData(f"rounds: expected a number from 0 for each of {checked.shape[1]} voters, got others")
    shape = len(checked)
    found = Certified(np.empty(shape, np.int64), np.empty(shape, np.int64), np.empty(shape, np.int64))
    sizes = np.bincount(of)
    _by_round(checked, n_classes, of.astype(np.int64), sizes, (found.winner, found.count, found.rival))
    return found


@njit(cache=True, nogil=True)
def _by_round(votes: Any, n_classes: int, rounds: Any, sizes: Any, found: tuple[IntArray, IntArray, IntArray]) -> None:
    winner, count, rival = found
    counts, most = np.zeros(n_classes, np.int64), sizes.max()
    by_class = np.zeros((n_classes, len(sizes)), np.int64)
    for q in range(len(votes)):
        c = tally(votes[q], counts)
        by_class[:] = 0
        for j in range(votes.shape[1]):
            if votes[q, j] >= 0:
                by_class[votes[q, j], rounds[j]] += 1
        least, first = most + 1, -1
        for d in range(n_classes):
            if d == c:
                continue
            taken = _rows_to_close(counts[c] - counts[d] + (1 if d > c else 0), by_class, sizes, c, d)
            if taken < least:
                least, first = taken, d
        winner[q], count[q], rival[q] = c, least - 1, first


@njit(cache=True, nogil=True)
def _rows_to_close(gap: int, by_class: Any, sizes: Any, c: int, d: int) -> int:
    """Find by bisection the fewest rows whose voters, one a round, close a gap."""
    low, high = 0, int(sizes.max()) + 1
    while high - low > 1:
        rows = (low + high) // 2
        closed = 0
        for g in range(len(sizes)):
            # A voter for the winner moves the gap by two, any other but one for the rival by one.
            closed += min(rows, by_class[c, g]) + min(rows, sizes[g] - by_class[d, g])
        if closed >= gap:
            high = rows
        else:
            low = rows
    return high
