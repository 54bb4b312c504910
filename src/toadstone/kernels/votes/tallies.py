"""Votes and units as the compiled counts read them, and the fewest units whose weights reach a gap."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from toadstone.core.arrays import IntArray, Matrix
from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument, InvalidData

MOST_CLASSES = 2**15 - 1
NO_VOTE = -1
"""Vote of a model that does not take part, such as that of an empty part."""


def checked_votes(votes: object, n_classes: int) -> NDArray[np.int16]:
    """Check that votes are class positions, or -1 for none.

    Parameters
    ----------
    votes : array_like of int, shape (q, voters)
    n_classes : int

    Returns
    -------
    ndarray of int16, shape (q, voters)

    Raises
    ------
    InvalidArgument
        If there are no classes, or more than 32,767.
    InvalidData
        If a vote is no class position.
    """
    check_count(n_classes=n_classes)
    if n_classes > MOST_CLASSES:
        raise InvalidArgument("n_classes", f"at most {MOST_CLASSES:,} classes", n_classes)
    found = np.asarray(votes)
    if found.ndim != 2 or found.dtype.kind not in "iu" or not found.shape[1]:
        got = f"shape {found.shape} of {found.dtype}"
        raise InvalidData(f"votes: expected class positions of shape (queries, voters), got {got}")
    if found.size and not NO_VOTE <= found.min() <= found.max() < n_classes:
        wrong = found.max() if found.max() >= n_classes else found.min()
        raise InvalidData(f"votes: expected positions 0 to {n_classes - 1}, or {NO_VOTE} for no vote, got {wrong}")
    return np.ascontiguousarray(found, dtype=np.int16)


def checked_members(members: Matrix | None, n_voters: int) -> tuple[IntArray, IntArray]:
    """Check which voters each unit reaches.

    Parameters
    ----------
    members : array or sparse matrix of 0 and 1, shape (units, voters), or None
        None for one unit a voter.
    n_voters : int

    Returns
    -------
    starts : ndarray of int, shape (units + 1,)
    voters : ndarray of int
        Those of unit u from ``starts[u]`` to ``starts[u + 1]``.

    Raises
    ------
    InvalidData
        If an entry is neither 0 nor 1, or the voters are others.
    """
    if members is None:
        return np.arange(n_voters + 1), np.arange(n_voters)
    found = csr_array(members, copy=True)
    found.sum_duplicates()
    found.eliminate_zeros()
    if found.ndim != 2 or found.shape[1] != n_voters or not found.shape[0]:
        raise InvalidData(f"members: expected units x {n_voters} voters, got shape {found.shape}")
    if (found.data != 1).any():
        raise InvalidData("members: expected 1 where a unit reaches a voter and 0 elsewhere, got other numbers")
    return found.indptr.astype(np.int64), found.indices.astype(np.int64)


def are_disjoint(members: Matrix | None) -> bool:
    """Check that no voter belongs to two units; counts are exact then.

    Examples
    --------
    >>> are_disjoint([[1, 1, 0], [0, 0, 1]]), are_disjoint([[1, 1, 0], [0, 1, 1]])
    (True, False)
    """
    return members is None or int(np.bincount(csr_array(members).nonzero()[1]).max(initial=0)) <= 1


@njit(cache=True, nogil=True)
def tally(votes: Any, counts: Any) -> int:
    """Count the votes for each class, and return the first class with the most."""
    counts[:] = 0
    for vote in votes:
        if vote >= 0:
            counts[vote] += 1
    best = 0
    for c in range(1, len(counts)):
        if counts[c] > counts[best]:
            best = c
    return best


@njit(cache=True, nogil=True)
def unit_tallies(votes: Any, starts: Any, voters: Any, by_class: Any) -> None:
    """Count the votes of each unit's voters by class, shape (classes, units)."""
    by_class[:] = 0
    for u in range(len(starts) - 1):
        for at in range(starts[u], starts[u + 1]):
            vote = votes[voters[at]]
            if vote >= 0:
                by_class[vote, u] += 1


@njit(cache=True, nogil=True)
def fewest(need: int, histogram: Any) -> int:
    """Count the fewest units whose weights sum to a need, given how many have each weight.

    One more than there are units if all of them do not suffice. The histogram
    is emptied for its next use.
    """
    taken = 0
    for weight in range(len(histogram) - 1, 0, -1):
        if need <= 0:
            break
        used = min(histogram[weight], (need + weight - 1) // weight)
        taken += used
        need -= used * weight
    if need > 0:
        taken = histogram.sum() + 1
    histogram[:] = 0
    return taken
