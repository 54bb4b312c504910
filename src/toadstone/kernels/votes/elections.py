"""Elections of a class by voters' rankings, for the schemes whose units reach known voters."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np

from toadstone.core.arrays import Array, Labels, Matrix
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.core.pointwise import Certified
from toadstone.kernels.votes.grouped import GroupParts
from toadstone.kernels.votes.run_off import certify_run_off
from toadstone.kernels.votes.schemes import DisjointParts, FiniteAggregation, Scheme
from toadstone.kernels.votes.tallies import NO_VOTE

Election = Literal["majority", "run-off"]
ELECTIONS: tuple[str, ...] = get_args(Election)
ABSENT = 255
"""Rank of every class by a voter that does not vote."""

_BLOCK = 2**25


def check_election(election: str, scheme: Scheme) -> None:
    """Check that there is such an election among the voters of a scheme.

    Raises
    ------
    InvalidArgument
        If not.
    """
    if election not in ELECTIONS:
        raise InvalidArgument("election", f"one of {', '.join(ELECTIONS)}", election)
    if election == "run-off" and not isinstance(scheme, DisjointParts | FiniteAggregation | GroupParts):
        raise InvalidArgument("election", f"majority for the scheme of {scheme.name}", election)


def ranked(scores: Array) -> Labels:
    """Rank classes by a voter's scores, the larger the more it prefers one; the first class on a tie.

    Parameters
    ----------
    scores : ndarray of shape (q, n_classes)

    Returns
    -------
    ndarray of uint8, shape (q, n_classes)

    Raises
    ------
    InvalidData
        If there are more classes than ranks.

    Examples
    --------
    >>> ranked(np.array([[0.2, 0.7, 0.1], [0.5, 0.0, 0.5]])).tolist()
    [[1, 2, 0], [2, 0, 1]]
    """
    n, k = scores.shape
    if k > ABSENT:
        raise InvalidData(f"rankings: expected at most {ABSENT} classes, got {k}")
    order = np.argsort(-scores, axis=1, kind="stable")
    ranks = np.empty((n, k), dtype=np.uint8)
    np.put_along_axis(ranks, order, np.arange(k - 1, -1, -1, dtype=np.uint8)[None, :], axis=1)
    return ranks


def first_votes(rankings: Any) -> Any:
    """Return the class that each voter prefers to all others, -1 for one that does not vote, shape (q, voters)."""
    return np.where(rankings[:, :, 0] == ABSENT, NO_VOTE, rankings.argmax(axis=2))


def certify_rankings(rankings: Any, scheme: Scheme) -> Certified:
    """Elect classes by a run-off, and count the units that an attacker may control in vain.

    Parameters
    ----------
    rankings : array_like of uint8, shape (q, voters, n_classes)
        Of each voter: ranks from 0, no two of them equal; ``ABSENT`` in all
        places for a voter that does not vote.
    scheme : DisjointParts, FiniteAggregation or GroupParts

    Returns
    -------
    Certified
        Sound counts, see `certify_run_off`.

    Raises
    ------
    InvalidArgument
        If the scheme is another.
    InvalidData
        If the rankings are none.

    Examples
    --------
    >>> votes = [[[2, 0, 1]] * 2 + [[0, 2, 1]] * 3 + [[1, 0, 2]] * 4]
    >>> certify_rankings(votes, DisjointParts(9)).winner
    array([2])
    """
    check_election("run-off", scheme)
    found = checked_rankings(rankings)
    members = scheme.members() if isinstance(scheme, FiniteAggregation) else None
    step = max(1, _BLOCK // (found.shape[1] * found.shape[2]))
    blocks = [_certify(found[start : start + step], members) for start in range(0, len(found), step)]
    winner, count, rival = (
        np.concatenate([np.empty(0, dtype=np.int64), *(getattr(block, name) for block in blocks)])
        for name in ("winner", "count", "rival")
    )
    return Certified(winner, count, rival)


def checked_rankings(rankings: Any) -> Any:
    """Check that each voter ranks every class, or none.

    Raises
    ------
    InvalidData
        If one does not.
    """
    found = np.asarray(rankings)
    if found.ndim != 3 or found.dtype.kind not in "iu" or 0 in found.shape[1:] or found.shape[2] > ABSENT:
        got = f"shape {found.shape} of {found.dtype}"
        raise InvalidData(f"rankings: expected ranks of shape (queries, voters, classes), got {got}")
    ordered = np.sort(found, axis=2)
    if not ((ordered == np.arange(found.shape[2])) | (ordered == ABSENT).all(axis=2, keepdims=True)).all():
        raise InvalidData(f"rankings: expected each rank below {found.shape[2]} once for every voter, got others")
    return found.astype(np.uint8)


def _certify(rankings: Any, members: Matrix | None) -> Certified:
    absent = rankings == ABSENT
    scores = np.where(absent, np.float32(np.nan), rankings.astype(np.float32)) if absent.any() else rankings
    return certify_run_off(scores, members=members)
