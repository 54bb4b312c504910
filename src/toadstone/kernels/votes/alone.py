"""Elections that a single unit can change, unit by unit."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import Mask
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.votes.tallies import checked_votes


def changed_by_one(votes: object, reach: Mask, *, n_classes: int) -> Mask:
    """Tell which units can each change the elected class of a query alone, by deciding the votes of its voters.

    A unit takes the votes of its voters from every class, and gives all of
    them to one rival. No other choice of theirs is better for that rival, so
    that the answer is exact.

    Parameters
    ----------
    votes : array_like of int, shape (q, voters)
        Class positions; -1 for a voter that does not vote, and which a unit
        that reaches it can make vote.
    reach : ndarray of bool, shape (units, voters)
        Voters that each unit reaches.
    n_classes : int

    Returns
    -------
    ndarray of bool, shape (q, units)

    Raises
    ------
    InvalidArgument, InvalidData
        If votes are no class positions, or `reach` has other voters.

    Examples
    --------
    The first class leads by one vote of three, and wins a tie:

    >>> changed_by_one([[0, 0, 1]], np.eye(3, dtype=bool), n_classes=2)
    array([[ True,  True, False]])
    """
    checked = checked_votes(votes, n_classes)
    if reach.ndim != 2 or reach.shape[1] != checked.shape[1]:
        raise InvalidArgument("reach", f"a column for each of {checked.shape[1]} voters", f"shape {reach.shape}")
    cast = np.stack([checked == label for label in range(n_classes)], axis=1)
    tallies = cast.sum(axis=2)
    winner = tallies.argmax(axis=1)
    # Of a tie the lowest class wins: twice the votes, and one more where the winner is lower.
    later = np.arange(n_classes)[None, :] > winner[:, None]
    queries, changed = np.arange(len(checked)), np.zeros((len(checked), len(reach)), dtype=bool)
    for unit, voters in enumerate(reach):
        left = tallies - cast[:, :, voters].sum(axis=2)
        rivals = 2 * (left + int(voters.sum())) - later
        rivals[queries, winner] = -1
        changed[:, unit] = rivals.max(axis=1) > 2 * left[queries, winner] - 1
    return changed
