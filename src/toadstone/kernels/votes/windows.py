"""Certified periods: how recent, or how long, the time may be in which any number of rows is poisoned."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument
from toadstone.core.pointwise import Certified
from toadstone.kernels.votes.tallies import checked_votes, tally


def certify_earliness(votes: object, *, n_classes: int) -> Certified:
    """Count the last periods in which any number of rows may be poisoned without changing the elected class.

    Model j was trained on the periods up to j, so poison in the last t
    periods reaches the t newest models. The count is exact.

    Parameters
    ----------
    votes : array_like of int, shape (q, voters)
        Class positions, the oldest model first; -1 for one that does not
        vote.
    n_classes : int

    Returns
    -------
    Certified
        Counts in periods; the number of models where no rival can win.

    Raises
    ------
    InvalidArgument, InvalidData
        If votes are no class positions.

    References
    ----------
    .. [1] Wang and Feizi, "Temporal robustness against data poisoning",
       NeurIPS 2023, theorem 4.

    Examples
    --------
    The three newest of seven models could not elect class 1, but four could:

    >>> certify_earliness([[0, 0, 0, 0, 0, 1, 1]], n_classes=2).count
    array([3])
    """
    checked = checked_votes(votes, n_classes)
    shape = len(checked)
    found = Certified(np.empty(shape, np.int64), np.empty(shape, np.int64), np.empty(shape, np.int64))
    _newest(checked, n_classes, found.winner, found.count, found.rival)
    return found


def certify_duration(votes: object, *, n_classes: int, span: int = 1) -> Certified:
    """Count the successive periods in which any number of rows may be poisoned without changing the elected class.

    Model j was trained on `span` periods, the last of them j, so poison in t
    successive periods, whenever they were, reaches ``t + span - 1``
    successive models. The count is exact.

    Parameters
    ----------
    votes : array_like of int, shape (q, voters)
        Class positions, the oldest model first; -1 for one that does not
        vote.
    n_classes : int
    span : int
        Periods that each model was trained on.

    Returns
    -------
    Certified
        Counts in periods; all that the models have seen, voters and
        ``span - 1`` more, where no rival can win.

    Raises
    ------
    InvalidArgument, InvalidData
        If votes are no class positions, or `span` is no positive number.

    References
    ----------
    .. [1] Wang and Feizi, "Temporal robustness against data poisoning",
       NeurIPS 2023, theorem 5.

    Examples
    --------
    >>> certify_duration([[0, 0, 0, 0, 0, 1, 1]], n_classes=2).count
    array([1])
    >>> certify_duration([[0, 0, 0, 0, 0, 1, 1]], n_classes=2, span=2).count
    array([0])
    """
    check_count(span=span)
    checked = checked_votes(votes, n_classes)
    if span > np.iinfo(np.int32).max:
        raise InvalidArgument("span", "a number of periods", span)
    shape = len(checked)
    found = Certified(np.empty(shape, np.int64), np.empty(shape, np.int64), np.empty(shape, np.int64))
    _longest(checked, n_classes, span, (found.winner, found.count, found.rival))
    return found


def most_changed_by_periods(votes: object, *, n_classes: int, periods: int, span: int = 1) -> int:
    """Count the predictions that poison in one choice of successive periods changes, all queries together; exactly.

    Parameters
    ----------
    votes, n_classes, span
        As in `certify_duration`.
    periods : int
        Successive periods that the attacker has, whenever they were.

    Returns
    -------
    int
        At most the number of queries whose count of `certify_duration` is below `periods`.

    Raises
    ------
    InvalidArgument, InvalidData
        As `certify_duration`.

    Examples
    --------
    The first query is changed by the first two models, the second one by the last:

    >>> votes = [[0, 0, 1, 2], [1, 2, 0, 0]]
    >>> [most_changed_by_periods(votes, n_classes=3, periods=periods) for periods in (1, 2)]
    [1, 2]
    """
    check_count(span=span)
    check_count(0, periods=periods)
    checked = checked_votes(votes, n_classes)
    reached = min(periods + span - 1, checked.shape[1])
    if not periods:
        return 0
    counts = np.stack([(checked == c).sum(axis=1) for c in range(n_classes)])
    winner, queries = counts.argmax(axis=0), np.arange(len(checked))
    changed = np.zeros((len(checked), checked.shape[1] - reached + 1), dtype=bool)
    for d in range(n_classes):
        weight = 1 + (checked == winner[:, None]).astype(np.int64) - (checked == d)
        sums = np.cumsum(np.pad(weight, ((0, 0), (1, 0))), axis=1)
        gap = counts[winner, queries] - counts[d] + (d > winner)
        closed = sums[:, reached:] - sums[:, : sums.shape[1] - reached] >= gap[:, None]
        changed |= closed & (winner != d)[:, None]
    return int(changed.sum(axis=0).max(initial=0))


@njit(cache=True, nogil=True)
def _weight(vote: int, c: int, d: int) -> int:
    return 1 + (vote == c) - (vote == d)


@njit(cache=True, nogil=True)
def _newest(votes: Any, n_classes: int, winner: Any, count: Any, rival: Any) -> None:
    counts, n = np.zeros(n_classes, np.int64), votes.shape[1]
    for q in range(len(votes)):
        c = tally(votes[q], counts)
        least, first = n + 1, -1
        for d in range(n_classes):
            if d == c:
                continue
            gap, taken = counts[c] - counts[d] + (1 if d > c else 0), 0
            while gap > 0 and taken < n:
                taken += 1
                gap -= _weight(votes[q, n - taken], c, d)
            if gap <= 0 and taken < least:
                least, first = taken, d
        winner[q], count[q], rival[q] = c, least - 1, first


@njit(cache=True, nogil=True)
def _longest(votes: Any, n_classes: int, span: int, found: Any) -> None:
    winner, count, rival = found
    counts, n = np.zeros(n_classes, np.int64), votes.shape[1]
    for q in range(len(votes)):
        c = tally(votes[q], counts)
        least, first = n + span, -1
        for d in range(n_classes):
            if d == c:
                continue
            shortest = _shortest_window(votes[q], c, d, counts[c] - counts[d] + (1 if d > c else 0))
            # A single period already reaches as many models as each model has periods.
            periods = max(shortest - span + 1, 1)
            if shortest <= n and periods < least:
                least, first = periods, d
        winner[q], count[q], rival[q] = c, least - 1, first


@njit(cache=True, nogil=True)
def _shortest_window(votes: Any, c: int, d: int, gap: int) -> int:
    """Find the fewest successive voters whose weights reach the gap; one more than there are if none do."""
    shortest, begin, closed = len(votes) + 1, 0, 0
    for end in range(len(votes)):
        closed += _weight(votes[end], c, d)
        while closed >= gap:
            shortest = min(shortest, end + 1 - begin)
            closed -= _weight(votes[begin], c, d)
            begin += 1
    return shortest
