"""Collective bound: the most predictions that one poisoning can change, all queries together."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array, eye_array, hstack, vstack

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.checks import check_count
from toadstone.kernels.votes.tallies import checked_members, checked_votes
from toadstone.kernels.votes.units import certify_votes

_ALLOWANCE = 1e-9


def most_changed(votes: object, *, n_classes: int, units: int, members: Matrix | None = None) -> int:
    """Bound the number of predictions that an attacker changes with one choice of units for all queries.

    To change query t, the shares ``a[t, u]`` of its gap that the units close
    must sum to one; which shares, is the largest over the rivals. Any prices
    p of the queries, between 0 and 1, bound the changes by
    ``sum(1 - p) + (sum of the `units` largest entries of p @ a)``: linear
    programming finds the best prices, and the bound is evaluated from them, so
    that it does not rest on the solver. For a single unit it is exact.

    Parameters
    ----------
    votes : array_like of int, shape (q, voters)
        Class positions; -1 for a model that does not vote.
    n_classes : int
    units : int
        Units that the attacker controls.
    members : array or sparse matrix of 0 and 1, shape (units, voters), optional
        The voters that each unit reaches; one unit a voter by default.

    Returns
    -------
    int
        At most the number of queries whose pointwise count is below `units`.

    Raises
    ------
    InvalidArgument, InvalidData
        If votes are no class positions, or members do not fit them.

    References
    ----------
    .. [1] Chen, Li, Li, Wu and Li, "On collective robustness of bagging
       against data poisoning", ICML 2022, section 4.

    Examples
    --------
    Each of three queries can be changed, but no unit changes them all:

    >>> votes = [[0, 0, 1, 1, 0], [1, 0, 0, 0, 1], [0, 1, 1, 0, 0]]
    >>> most_changed(votes, n_classes=2, units=1)
    2
    """
    check_count(0, units=units)
    checked = checked_votes(votes, n_classes)
    pointwise = certify_votes(checked, n_classes=n_classes, members=members)
    breakable = np.flatnonzero(pointwise.count < units)
    if not breakable.size or not units:
        return 0
    shares = _shares(checked[breakable], pointwise.winner[breakable], n_classes, members)
    return changes_at_most(shares, units=units)


def changes_at_most(shares: Array, *, units: int, queries: Array | None = None) -> int:
    """Bound the changes that a number of units makes together, given the share of each gap that a unit closes.

    Parameters
    ----------
    shares : ndarray of shape (q, m)
        Of the gap of a query that each unit closes at most, over all rivals;
        or sums of such shares, no one above 1, over a set of queries.
    units : int
    queries : ndarray of shape (q,), optional
        Number of queries in each set; one by default.

    Returns
    -------
    int
        At most the number of queries.

    Examples
    --------
    >>> changes_at_most(np.array([[1.0, 0.4], [0.5, 0.5]]), units=1)
    1
    """
    each = np.ones(len(shares)) if queries is None else np.asarray(queries, dtype=np.float64)
    units = min(units, shares.shape[1])
    if not units or not each.size:
        return 0
    if units == 1 and queries is None:
        # A single unit has to close the whole gap by itself.
        return int((shares >= 1 - _ALLOWANCE).sum(axis=0).max())
    clipped = shares if queries is not None else np.minimum(shares, 1.0)
    every = np.ones(len(each))
    bound = min(_bound(prices, clipped, units, each) for prices in (every, _prices(clipped, units, each)))
    # Sums of this many shares err by far less than the allowance.
    return int(min(math.floor(bound * (1 + _ALLOWANCE) + 1e-6), each.sum()))


def _shares(votes: NDArray[np.int16], winners: IntArray, n_classes: int, members: Matrix | None) -> Array:
    """Return the largest share of a query's gap that each unit closes, over the rivals; shape (q, units)."""
    starts, voters = checked_members(members, votes.shape[1])
    reach = csr_array((np.ones(len(voters)), voters, starts), shape=(len(starts) - 1, votes.shape[1]))
    sums = [np.asarray(reach @ (votes == c).T, dtype=float).T for c in range(n_classes)]
    totals = np.stack([(votes == c).sum(axis=1) for c in range(n_classes)])
    queries = np.arange(len(votes))
    own = reach.sum(axis=1) + np.stack(sums)[winners, queries]
    largest = np.zeros(own.shape)
    for d in range(n_classes):
        gap = totals[winners, queries] - totals[d] + (d > winners)
        rival = winners != d
        largest[rival] = np.maximum(largest[rival], (own - sums[d])[rival] / gap[rival, None])
    return largest


def _bound(prices: Array, shares: Array, units: int, queries: Array) -> float:
    closed = prices @ shares
    return float(queries @ (1 - prices) + np.partition(closed, len(closed) - units)[len(closed) - units :].sum())


def _prices(shares: Array, units: int, queries: Array) -> Array:
    """Return the prices of the relaxed problem: how much each query's constraint is worth."""
    n, m = shares.shape
    # Maximize the changed queries z, at most the shares of the chosen units x, of which there are so many.
    constraints = vstack(
        [hstack([eye_array(n), csr_array(-shares)]), csr_array(([1.0] * m, ([0] * m, range(n, n + m))))]
    )
    found = linprog(
        np.repeat([-1.0, 0.0], [n, m]),
        A_ub=constraints,
        b_ub=np.append(np.zeros(n), float(units)),
        bounds=np.column_stack([np.zeros(n + m), np.append(queries, np.ones(m))]),
        method="highs",
    )
    return np.ones(n) if found.x is None else np.clip(-found.ineqlin.marginals[:n], 0.0, 1.0)
