"""Medoids by facility location: a few rows that represent all others."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from toadstone.core.arrays import Array, IntArray
from toadstone.core.checks import check_count, check_within
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.kernels.facility_location.ball_tree import FULL, NONE, Cover, Leaves, empty_cover, group
from toadstone.kernels.facility_location.greedy import (
    assign_given,
    select_from_samples,
    select_lazily,
    select_with_updates,
)

_PART = 5000


@dataclass(frozen=True, eq=False)
class Medoids:
    """Selected rows, and the assignment of every row to one of them.

    Parameters
    ----------
    rows : ndarray of shape (k,)
        The medoids in the order of choice.
    gains : ndarray of shape (k,)
        What each added to the objective when it was chosen.
    owners : ndarray of shape (n,)
        The nearest medoid of each row, as a position in `rows`; the earlier
        one on ties, but a medoid belongs to itself.
    distances, second : ndarray of shape (n,)
        To the nearest and to the second nearest medoid; infinite where there
        is no second one. For a medoid the second is the nearest other one.
    reach : float
        The constant of the objective, which no distance exceeds.
    """

    rows: IntArray
    gains: Array
    owners: IntArray
    distances: Array
    second: Array
    reach: float

    @property
    def sizes(self) -> IntArray:
        """Rows that belong to each medoid, itself included, shape (k,)."""
        return np.bincount(self.owners, minlength=len(self.rows))

    @property
    def isolated(self) -> IntArray:
        """Rows, ascending, that are medoids of no row but themselves."""
        return np.sort(self.rows[self.sizes == 1])

    @property
    def objective(self) -> float:
        """The sum over rows of `reach` less the distance to the nearest medoid."""
        return float((self.reach - self.distances).sum())


def greedy_medoids(rows: Array, count: int) -> Medoids:
    """Select medoids greedily by facility location.

    Maximizes ``sum_i max_{j in S} (reach - |g_i - g_j|)``, which is monotone
    and submodular, within ``1 - 1/e`` of the best; the lowest row wins ties.
    The gains of all candidates are kept up to date: when a row comes nearer,
    those that counted on it lose the difference. That takes about three
    passes over all pairs, whatever the count. Distances are differences, never
    products, are rounded to about a billionth of the largest and
    recomputed when needed: memory grows with n only.

    Parameters
    ----------
    rows : ndarray of shape (n, d)
        At most eight million.
    count : int
        How many medoids, from 1 to n.

    Returns
    -------
    Medoids

    Raises
    ------
    InvalidData
        If `rows` is not a finite matrix with a row.
    InvalidArgument
        If `count` is out of range.

    References
    ----------
    .. [1] Nemhauser, Wolsey and Fisher, "An analysis of approximations for
       maximizing submodular set functions", Mathematical Programming 14, 1978.
    .. [2] Yang, Liu and Mirzasoleiman, "Not all poisons are created equal:
       robust training against data poisoning", ICML 2022, equation 7.

    Examples
    --------
    >>> found = greedy_medoids(np.array([[0.0], [1.0], [2.0], [9.0]]), 2)
    >>> found.rows, found.sizes, found.isolated
    (array([1, 3]), array([3, 1]), array([3]))
    """
    leaves, cover = _start(rows, count)
    picks, gains = select_with_updates(leaves, cover, count)
    return _result(leaves, cover, picks, gains)


def lazy_medoids(rows: Array, count: int) -> Medoids:
    """Select the same medoids by lazy evaluation.

    What every library does [1]_; here for comparison, since it evaluates
    most candidates several times and is slower than `greedy_medoids`.

    Parameters, result and errors are those of `greedy_medoids`.

    References
    ----------
    .. [1] Minoux, "Accelerated greedy algorithms for maximizing submodular
       set functions", Optimization Techniques, 1978.
    """
    leaves, cover = _start(rows, count)
    picks, gains = select_lazily(leaves, cover, count)
    return _result(leaves, cover, picks, gains)


def sampled_medoids(rows: Array, count: int, *, rng: Generator, failure: float = 0.01) -> Medoids:
    """Select each medoid as the best of a random sample of the candidates.

    With ``n / count * ln(1 / failure)`` candidates a time the expected
    objective is within ``1 - 1/e - failure`` of the best [1]_.

    Parameters
    ----------
    rows : ndarray of shape (n, d)
    count : int
    rng : Generator
    failure : float
        In (0, 1).

    Returns
    -------
    Medoids

    Raises
    ------
    InvalidData, InvalidArgument
        As of `greedy_medoids`, or if `failure` is out of range.

    References
    ----------
    .. [1] Mirzasoleiman and others, "Lazier than lazy greedy", AAAI 2015.
    """
    check_within("(0, 1)", failure=failure)
    leaves, cover = _start(rows, count)
    # Sample size of Mirzasoleiman and others (2015, theorem 1).
    each = min(len(rows), math.ceil(len(rows) / count * math.log(1 / failure)))
    picks, gains = select_from_samples(leaves, cover, np.argsort(leaves.order), rng.random((count, each)))
    return _result(leaves, cover, picks, gains)


def partitioned_medoids(rows: Array, count: int, *, rng: Generator, part: int = _PART) -> Medoids:
    """Select medoids greedily within random parts, then assign every row to the nearest of all.

    The time grows with ``n * part`` rather than with the square of n.

    Parameters
    ----------
    rows : ndarray of shape (n, d)
    count : int
    rng : Generator
        Deals the rows to parts of equal sizes.
    part : int
        Rows in a part at most; no part is left without a medoid.

    Returns
    -------
    Medoids
        Part by part. The same as of `greedy_medoids` where there is one part.

    Raises
    ------
    InvalidData, InvalidArgument
        As of `greedy_medoids`, or if `part` is not positive.

    References
    ----------
    .. [1] Mirzasoleiman, Karbasi, Sarkar and Krause, "Distributed submodular
       maximization", NIPS 2013.
    """
    check_count(part=part)
    _check(rows, count)
    parts = min(math.ceil(len(rows) / part), count)
    dealt = [np.sort(own) for own in np.array_split(rng.permutation(len(rows)), parts)]
    # Cumulative rounding gives each part its share of medoids, and at least one.
    shares = np.diff(np.arange(parts + 1) * count // parts)
    chosen = [own[greedy_medoids(rows[own], int(k)).rows] for own, k in zip(dealt, shares, strict=True)]
    return given_medoids(rows, np.concatenate(chosen))


def given_medoids(rows: Array, picks: IntArray) -> Medoids:
    """Assign all rows to given medoids.

    Parameters
    ----------
    rows : ndarray of shape (n, d)
    picks : ndarray of shape (k,)
        Different rows.

    Returns
    -------
    Medoids

    Raises
    ------
    InvalidData, InvalidArgument
        As of `greedy_medoids`.
    """
    leaves, cover = _start(rows, len(picks))
    places = np.argsort(leaves.order)[picks]
    return _result(leaves, cover, places, assign_given(leaves, cover, places))


def _check(rows: Array, count: int) -> None:
    if rows.ndim != 2 or not rows.size or not np.isfinite(rows).all():
        raise InvalidData(f"rows: expected a finite matrix with at least one row, got shape {rows.shape}")
    if not 1 <= count <= len(rows):
        raise InvalidArgument("count", f"a whole number from 1 to {len(rows)}", count)


def _start(rows: Array, count: int) -> tuple[Leaves, Cover]:
    _check(rows, count)
    leaves = group(np.asarray(rows, dtype=np.float64))
    return leaves, empty_cover(leaves)


def _result(leaves: Leaves, cover: Cover, picks: IntArray, gains: Array) -> Medoids:
    places = np.argsort(leaves.order)
    second = np.where(cover.second < NONE, cover.second / leaves.scale, np.inf)
    distances, reach = cover.nearest / leaves.scale, FULL / leaves.scale
    rows = leaves.order[picks]
    return Medoids(rows, gains / leaves.scale, cover.owners[places], distances[places], second[places], reach)
