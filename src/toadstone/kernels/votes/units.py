"""Certified counts of a vote: units of the training set, each of which reaches some of the voters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from toadstone.core.arrays import Matrix
from toadstone.core.pointwise import Certified
from toadstone.kernels.votes.tallies import checked_members, checked_votes, fewest, tally, unit_tallies


def certify_votes(votes: object, *, n_classes: int, members: Matrix | None = None) -> Certified:
    """Count the units that an attacker may control without being able to change the elected class.

    The class with the most votes is elected, the first on a tie. A unit that
    the attacker controls makes all of its voters vote as the attacker likes.
    For a rival d of the winner c, the gap is ``votes(c) - votes(d) + [d > c]``,
    and unit u lowers it by at most the sum over its voters of
    ``1 + [voted c] - [voted d]``; the fewest units whose sums reach the gap
    break the prediction, and the count is one less.

    Counts are exact where no voter belongs to two units: parts of the rows
    [1]_, sources, clients. Where units share voters, as in Finite Aggregation
    [2]_, a shared voter is counted for each, so that counts are sound but may
    be too low.

    Parameters
    ----------
    votes : array_like of int, shape (q, voters)
        Class positions; -1 for a model that does not vote. An attacker may
        make it vote.
    n_classes : int
    members : array or sparse matrix of 0 and 1, shape (units, voters), optional
        The voters that each unit reaches; one unit a voter by default.

    Returns
    -------
    Certified
        Counts in units; all of them where no rival can win.

    Raises
    ------
    InvalidArgument, InvalidData
        If votes are no class positions, or members do not fit them.

    References
    ----------
    .. [1] Levine and Feizi, "Deep partition aggregation", ICLR 2021,
       theorem 1.
    .. [2] Wang, Levine and Feizi, "Improved certified defenses against data
       poisoning with (deterministic) finite aggregation", ICML 2022,
       theorem 2.

    Examples
    --------
    Seven parts, of which five vote for class 0. One row changes one part:

    >>> found = certify_votes([[0, 0, 0, 0, 0, 1, 1]], n_classes=2)
    >>> found.winner, found.count, found.rival
    (array([0]), array([1]), array([1]))

    Two hospitals, of three parts and of four:

    >>> hospitals = [[1, 1, 1, 0, 0, 0, 0], [0, 0, 0, 1, 1, 1, 1]]
    >>> certify_votes([[0, 0, 0, 0, 0, 1, 1]], n_classes=2, members=hospitals).count
    array([0])
    """
    checked = checked_votes(votes, n_classes)
    shape = len(checked)
    found = Certified(np.empty(shape, np.int64), np.empty(shape, np.int64), np.empty(shape, np.int64))
    if members is None:
        _by_voter(checked, n_classes, found.winner, found.count, found.rival)
        return found
    starts, voters = checked_members(members, checked.shape[1])
    _by_unit(checked, n_classes, starts, voters, found.winner, found.count, found.rival)
    return found


# With its types stated, it is compiled, or loaded from the cache, on import and not during the first call.
@njit("void(int16[:, ::1], int64, int64[::1], int64[::1], int64[::1])", cache=True, nogil=True)
def _by_voter(votes: Any, n_classes: int, winner: Any, count: Any, rival: Any) -> None:
    counts = np.zeros(n_classes, np.int64)
    n = votes.shape[1]
    for q in range(len(votes)):
        c = tally(votes[q], counts)
        least, first = n + 1, -1
        for d in range(n_classes):
            if d == c:
                continue
            # The winner's voters weigh two, and there are enough: the gap exceeds their number by at most one. Where
            # nobody votes, it is one, and any voter closes it.
            taken = (counts[c] - counts[d] + (1 if d > c else 0) + 1) // 2
            if taken < least:
                least, first = taken, d
        winner[q], count[q], rival[q] = c, least - 1, first


@njit(cache=True, nogil=True)
def _by_unit(votes: Any, n_classes: int, starts: Any, voters: Any, winner: Any, count: Any, rival: Any) -> None:
    n = len(starts) - 1
    counts, by_class = np.zeros(n_classes, np.int64), np.zeros((n_classes, n), np.int32)
    sizes = starts[1:] - starts[:-1]
    histogram = np.zeros(2 * sizes.max() + 1, np.int64)
    for q in range(len(votes)):
        c = tally(votes[q], counts)
        unit_tallies(votes[q], starts, voters, by_class)
        least, first = n + 1, -1
        for d in range(n_classes):
            if d == c:
                continue
            for u in range(n):
                histogram[sizes[u] + by_class[c, u] - by_class[d, u]] += 1
            taken = fewest(counts[c] - counts[d] + (1 if d > c else 0), histogram)
            if taken < least:
                least, first = taken, d
        winner[q], count[q], rival[q] = c, least - 1, first
