"""Counts of the rows to insert, delete or modify before a vote of nearest neighbours changes."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
from numba import njit

from toadstone.core.arrays import IntArray, Mask
from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.core.pointwise import Certified

Change: TypeAlias = Literal["insert", "delete", "modify"]
"""What one unit of an attack does to one training row."""

_NEVER = np.iinfo(np.int64).max

CHANGES: tuple[Change, ...] = get_args(Change)


def certify_neighbours(labels: IntArray, *, n_classes: int, k: int, change: Change, n_rows: int) -> Certified:
    """Count the rows that an attacker may change without changing a vote of the k nearest neighbours.

    The vote is won by the most frequent class, the lowest among ties. The
    counts are exact where the list of neighbours is long enough, and it need
    not be longer than 2k except for deletions from a very clear vote [1]_.

    Parameters
    ----------
    labels : ndarray of int, shape (q, w)
        Class positions of each query's nearest training rows, the nearest
        first; w is at least k, and 2k or all rows for deletions.
    n_classes : int
    k : int
        Neighbours that vote.
    change : {"insert", "delete", "modify"}
        Rows are added anywhere under any label, removed, or moved and
        relabelled.
    n_rows : int
        Training rows.

    Returns
    -------
    Certified
        A deletion count that the list cannot decide is ``w - k``, which is
        never too high, with rival -1; where all training rows are of one
        class, none can change the vote and the count is `n_rows`.

    Raises
    ------
    InvalidArgument
        If k or `change` does not fit.
    InvalidData
        If the list is too short, or has other positions.

    References
    ----------
    .. [1] Jia, Liu, Cao and Gong, "Certified robustness of nearest neighbors
       against data poisoning and backdoor attacks", AAAI 2022.

    Examples
    --------
    >>> near = np.array([[1, 1, 1, 0, 1, 0]])
    >>> [int(certify_neighbours(near, n_classes=2, k=3, change=change, n_rows=6).count[0]) for change in CHANGES]
    [1, 2, 1]
    """
    near = np.ascontiguousarray(labels, dtype=np.int64)
    check_count(2, n_classes=n_classes)
    check_count(k=k)
    _check_change(change)
    if near.ndim != 2 or near.shape[1] < k or near.shape[1] > n_rows:
        raise InvalidData(f"neighbours: expected at least {k} and at most {n_rows} of each query, got {near.shape}")
    if near.size and (near.min() < 0 or near.max() >= n_classes):
        raise InvalidData(f"neighbours: expected class positions below {n_classes}, got {near.min()} to {near.max()}")
    counts = _count_prefix(near, n_classes, k)
    winner: IntArray = counts.argmax(axis=1)
    if change == "modify":
        return _by_gap(counts, winner, 2)
    if change == "insert":
        count, rival = _insertions(near, counts, winner, k)
    else:
        count, rival = _deletions(near, counts, winner, k, n_rows)
    return Certified(winner, count, rival)


def certify_radius(votes: IntArray, *, change: Change, fallback: int, n_rows: int) -> Certified:
    """Count the rows that an attacker may change without changing a vote of all rows within a radius.

    Parameters
    ----------
    votes : ndarray of int, shape (q, n_classes)
        Training rows of each class within the radius of each query.
    change : {"insert", "delete", "modify"}
    fallback : int
        Class position that is predicted where no row is within the radius.
    n_rows : int
        Training rows.

    Returns
    -------
    Certified
        Exact; with `n_rows` and rival -1 where no number of changes suffices.

    Raises
    ------
    InvalidArgument
        If `change` or `fallback` does not fit.
    InvalidData
        If `votes` is no table of counts.

    Examples
    --------
    >>> found = certify_radius(np.array([[5, 2], [0, 0]]), change="modify", fallback=0, n_rows=9)
    >>> found.winner.tolist(), found.count.tolist()
    ([0, 0], [1, 0])
    """
    counts = np.asarray(votes, dtype=np.int64)
    _check_change(change)
    if counts.ndim != 2 or counts.shape[1] < 2 or counts.min(initial=0) < 0:
        raise InvalidData(f"votes: expected counts of two or more classes a query, got shape {counts.shape}")
    if not 0 <= fallback < counts.shape[1]:
        raise InvalidArgument("fallback", f"a class position below {counts.shape[1]}", fallback)
    empty = counts.sum(axis=1) == 0
    winner: IntArray = np.where(empty, fallback, counts.argmax(axis=1))
    if change == "delete":
        return _delete_within(counts, winner, fallback, n_rows)
    found = _by_gap(counts, winner, 2 if change == "modify" else 1)
    # Where there is no row, one of any other class decides.
    found.count[empty], found.rival[empty] = 0, 1 if fallback == 0 else 0
    return found


def _check_change(change: str) -> None:
    if change not in CHANGES:
        raise InvalidArgument("change", f"one of {', '.join(CHANGES)}", change)


def _by_gap(counts: IntArray, winner: IntArray, weight: int) -> Certified:
    """Count changes of which each brings a rival closer by `weight` votes, whatever the rival."""
    needed = -(-_gaps(counts, winner, winner[:, None] != np.arange(counts.shape[1])) // weight)
    rival: IntArray = needed.argmin(axis=1)
    return Certified(winner, needed.min(axis=1) - 1, rival)


def _gaps(counts: IntArray, winner: IntArray, rivals: Mask) -> IntArray:
    """Return the votes that each rival lacks: to be ahead if it comes after the winner, to be level if before."""
    own = counts[np.arange(len(counts)), winner]
    gaps: IntArray = own[:, None] - counts + (np.arange(counts.shape[1]) > winner[:, None])
    return np.where(rivals, gaps, _NEVER)


def _delete_within(counts: IntArray, winner: IntArray, fallback: int, n_rows: int) -> Certified:
    """Count deletions, which cannot put a class ahead that has no row within the radius."""
    total, own = counts.sum(axis=1), counts[np.arange(len(counts)), winner]
    rivals = (counts > 0) & (winner[:, None] != np.arange(counts.shape[1]))
    gaps = _gaps(counts, winner, rivals)
    count, rival = gaps.min(axis=1) - 1, gaps.argmin(axis=1)
    alone = own == total
    # Without its last row a query falls back on a fixed class.
    count[alone], rival[alone] = own[alone] - 1, fallback
    never = alone & (winner == fallback)
    count[never], rival[never] = n_rows, -1
    return Certified(winner, count, rival)


@njit(cache=True, nogil=True)
def _count_prefix(near: IntArray, n_classes: int, k: int) -> IntArray:
    counts = np.zeros((near.shape[0], n_classes), dtype=np.int64)
    for query in range(near.shape[0]):
        for place in range(k):
            counts[query, near[query, place]] += 1
    return counts


@njit(cache=True, nogil=True, inline="always")
def _first_ahead(votes: IntArray, winner: int, own: int, gain: int) -> int:
    """Return the first class that beats the winner's `own` votes with `gain` more, or -1."""
    for rival in range(len(votes)):
        if rival != winner:
            ahead = votes[rival] + gain - own
            if ahead > 0 or (ahead == 0 and rival < winner):
                return rival
    return -1


@njit(cache=True, nogil=True)
def _insertions(near: IntArray, counts: IntArray, winner: IntArray, k: int) -> tuple[IntArray, IntArray]:
    """Count rows inserted next to a query, each of which pushes out the farthest that votes."""
    count = np.zeros(near.shape[0], dtype=np.int64)
    rival = np.full(near.shape[0], -1, dtype=np.int64)
    for query in range(near.shape[0]):
        votes, own = counts[query].copy(), winner[query]
        for inserted in range(1, k + 1):
            votes[near[query, k - inserted]] -= 1
            rival[query] = _first_ahead(votes, own, votes[own], inserted)
            if rival[query] >= 0:
                count[query] = inserted - 1
                break
    return count, rival


@njit(cache=True, nogil=True)
def _deletions(near: IntArray, counts: IntArray, winner: IntArray, k: int, n_rows: int) -> tuple[IntArray, IntArray]:
    """Count deletions of the winner's nearest rows, each of which lets in the next farther row."""
    width = near.shape[1]
    most = n_rows - 1 if width == n_rows else width - k
    count = np.full(near.shape[0], n_rows if width == n_rows else most, dtype=np.int64)
    rival = np.full(near.shape[0], -1, dtype=np.int64)
    for query in range(near.shape[0]):
        votes, own = counts[query].copy(), winner[query]
        for deleted in range(1, most + 1):
            if k + deleted <= width:
                votes[near[query, k + deleted - 1]] += 1
            rival[query] = _first_ahead(votes, own, votes[own] - deleted, 0)
            if rival[query] >= 0:
                count[query] = deleted - 1
                break
    return count, rival
