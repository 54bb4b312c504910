"""Certified counts of a run-off election: the two classes with the most votes meet in a second round."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from toadstone.core.arrays import Matrix
from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidData
from toadstone.core.pointwise import Certified
from toadstone.kernels.votes.tallies import checked_members, fewest, tally, unit_tallies


def certify_run_off(scores: object, *, members: Matrix | None = None) -> Certified:
    """Elect classes in two rounds, and count the units that an attacker may control in vain.

    In the first round each voter votes for its class of highest score. The
    two classes with the most votes meet in the second, where each voter votes
    for the one that it scores higher. Equal scores and equal votes are
    decided for the first class, inside each voter too, so that the winner and
    its count agree.

    An attacker wins by raising two classes above the winner in the first
    round, or one class into the second round and above the winner there. For
    each way the count is that of the harder of its steps, taken alone, so it
    is sound, but may be too low.

    Parameters
    ----------
    scores : array_like of shape (q, voters, n_classes)
        Of any numeric type: probabilities, scores or ranks, larger for the
        class that a voter prefers. NaN for a voter that does not vote.
    members : array or sparse matrix of 0 and 1, shape (units, voters), optional
        The voters that each unit reaches; one unit a voter by default.

    Returns
    -------
    Certified
        Counts in units. The rival is the class that wins in the cheapest way
        found, or the first of the two that eliminate the winner.

    Raises
    ------
    InvalidData
        If the scores have another shape or members do not fit them.

    References
    ----------
    .. [1] Rezaei, Banihashem, Chegini and Feizi, "Run-off election: improved
       provable defense against data poisoning attacks", ICML 2023,
       theorems 1 and 3.

    Examples
    --------
    Three classes; the second wins the first round, the first one the second:

    >>> scores = [[[3, 1, 2]] * 2 + [[1, 3, 2]] * 3 + [[2, 1, 3]] * 2]
    >>> found = certify_run_off(scores)
    >>> found.winner, found.count
    (array([0]), array([0]))
    """
    checked = _checked_scores(scores)
    starts, voters = checked_members(members, checked.shape[1])
    shape = len(checked)
    found = Certified(np.empty(shape, np.int64), np.empty(shape, np.int64), np.empty(shape, np.int64))
    _two_rounds(checked, starts, voters, found.winner, found.count, found.rival)
    return found


def _checked_scores(scores: object) -> Any:
    found = np.asarray(scores)
    if found.ndim != 3 or found.dtype.kind not in "iufb" or not found.shape[1]:
        got = f"shape {found.shape} of {found.dtype}"
        raise InvalidData(f"scores: expected numbers of shape (queries, voters, classes), got {got}")
    check_count(n_classes=found.shape[2])
    # Ranks in one byte and single precision stay as they are: converted, they would take eight times the room.
    small = found.dtype in (np.dtype(np.uint8), np.dtype(np.float32))
    return np.ascontiguousarray(found, dtype=None if small else np.float64)


@njit(cache=True, nogil=True)
def _first_votes(scores: Any, votes: Any) -> None:
    """Set each voter's class of highest score, the first on a tie; -1 where scores are NaN."""
    for j in range(len(scores)):
        best = 0
        for c in range(scores.shape[1]):
            if scores[j, c] != scores[j, c]:
                best = -1
                break
            if scores[j, c] > scores[j, best]:
                best = c
        votes[j] = best


@njit(cache=True, nogil=True)
def _finalists(counts: Any) -> tuple[int, int]:
    first, second = 0, -1
    for c in range(1, len(counts)):
        if counts[c] > counts[first]:
            first, second = c, first
        elif second < 0 or counts[c] > counts[second]:
            second = c
    return first, second


@njit(cache=True, nogil=True)
def _prefers(scores: Any, p: int, c: int) -> bool:
    """Compare two scores of one voter, equal ones for the first class."""
    return bool(scores[p] > scores[c] or (scores[p] == scores[c] and p < c))


@njit(cache=True, nogil=True)
def _second_round(scores: Any, votes: Any, p: int, c: int) -> int:
    """Count the voters for p less those for c, when these two meet."""
    lead = 0
    for j in range(len(votes)):
        if votes[j] >= 0:
            lead += 1 if _prefers(scores[j], p, c) else -1
    return lead


@njit(cache=True, nogil=True)
def _two_rounds(scores: Any, starts: Any, voters: Any, winner: Any, count: Any, rival: Any) -> None:
    n_voters, k = scores.shape[1:]
    n = len(starts) - 1
    votes, counts = np.zeros(n_voters, np.int16), np.zeros(k, np.int64)
    by_class, sizes = np.zeros((k, n), np.int32), starts[1:] - starts[:-1]
    histogram = np.zeros(3 * sizes.max() + 1, np.int64)
    for q in range(len(scores)):
        _first_votes(scores[q], votes)
        tally(votes, counts)
        if k == 1:
            winner[q], count[q], rival[q] = 0, n, -1
            continue
        p, s = _finalists(counts)
        lead = _second_round(scores[q], votes, p, s)
        if lead < 0 or (lead == 0 and s < p):
            p, s = s, p
        unit_tallies(votes, starts, voters, by_class)
        first_round = (counts, by_class, sizes, histogram)
        least, first = n + 1, -1
        for c in range(k):
            if c != p:
                taken = _to_win(scores[q], votes, p, c, starts, voters, histogram)
                if c != s and taken < least:
                    # Before it meets p, the class has to pass the other finalist.
                    taken = max(taken, _to_pass(first_round, s, c))
                if taken < least:
                    least, first = taken, c
        winner[q] = p
        count[q], rival[q] = _cheapest_elimination(first_round, p, least, first)


@njit(cache=True, nogil=True)
def _cheapest_elimination(first_round: Any, p: int, least: int, first: int) -> tuple[int, int]:
    """Return count and rival, should two classes keep p out of the second round with fewer units than `least`."""
    k = len(first_round[0])
    alone = np.zeros(k, np.int64)
    for c in range(k):
        alone[c] = least if c == p else _to_pass(first_round, p, c)
    for c in range(k):
        for d in range(c + 1, k):
            # Most pairs are excluded by one of their classes.
            taken = max(alone[c], alone[d])
            if taken < least:
                taken = max(taken, _both_to_pass(first_round, p, c, d))
                if taken < least:
                    least, first = taken, c
    return least - 1, first


@njit(cache=True, nogil=True)
def _to_win(scores: Any, votes: Any, p: int, c: int, starts: Any, voters: Any, histogram: Any) -> int:
    """Count the fewest units with which c beats p in the second round."""
    for u in range(len(starts) - 1):
        weight = 0
        for at in range(starts[u], starts[u + 1]):
            j = voters[at]
            if votes[j] < 0:
                weight += 1
            elif _prefers(scores[j], p, c):
                weight += 2
        histogram[weight] += 1
    return fewest(_second_round(scores, votes, p, c) + (1 if c > p else 0), histogram)


@njit(cache=True, nogil=True)
def _to_pass(first_round: Any, p: int, c: int) -> int:
    """Count the fewest units with which c comes before p in the first round."""
    counts, by_class, sizes, histogram = first_round
    for u in range(len(sizes)):
        histogram[sizes[u] + by_class[p, u] - by_class[c, u]] += 1
    return fewest(counts[p] - counts[c] + (1 if c > p else 0), histogram)


@njit(cache=True, nogil=True)
def _both_to_pass(first_round: Any, p: int, c: int, d: int) -> int:
    """Count the fewest units with which the sum of the gaps to c and d is closed."""
    counts, by_class, sizes, histogram = first_round
    for u in range(len(sizes)):
        histogram[sizes[u] + 2 * by_class[p, u] - by_class[c, u] - by_class[d, u]] += 1
    need = 2 * counts[p] - counts[c] - counts[d] + (1 if c > p else 0) + (1 if d > p else 0)
    return fewest(need, histogram)
