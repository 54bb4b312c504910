"""Fewest label flips that change a prediction, row by row: the compiled search."""

from __future__ import annotations

import numpy as np
from numba import njit

from toadstone.core.arrays import Array, IntArray
from toadstone.kernels.label_response.whole_weights import round_weights

_BINS, _SHIFT = 256, 50
"""Four bins an octave: the exponent of a float64 and the first two bits behind it."""


@njit(cache=True, nogil=True)
def count_rows(alpha: Array, codes: IntArray, error: Array, scores: IntArray, found: IntArray) -> None:
    """Find for each query the winner, the number of flips it withstands and the rival that overtakes it first.

    Parameters
    ----------
    alpha : ndarray of shape (q, n)
    codes : ndarray of int of shape (n,)
    error : ndarray of shape (q,)
        Of each query, as `round_weights` takes it.
    scores : ndarray of int of shape (n_classes,)
        Overwritten.
    found : ndarray of int of shape (q, 3)
        Filled: winner, count, rival.
    """
    n = alpha.shape[1]
    whole, most = np.empty(n, dtype=np.int64), np.empty(n)
    for query in range(alpha.shape[0]):
        allowance = round_weights(alpha[query], error[query], whole)
        sum_by_class(whole, codes, scores)
        winner = int(np.argmax(scores))
        largest_gains(whole, codes, winner, most)
        flips, rival = _fewest_flips(whole, codes, most, scores, allowance)
        found[query, 0] = winner
        found[query, 1] = max(flips - 1, 0)
        found[query, 2] = rival


@njit(cache=True, nogil=True)
def sum_by_class(whole: IntArray, codes: IntArray, scores: IntArray) -> None:
    """Sum the weights of the rows of each class into `scores`."""
    scores[:] = 0
    for i in range(len(whole)):
        scores[codes[i]] += whole[i]


@njit(cache=True, nogil=True)
def largest_gains(whole: IntArray, codes: IntArray, winner: int, most: Array) -> None:
    """Compute by how much a flip of each row can lower the winner's lead over that rival where it lowers it most."""
    for i in range(len(whole)):
        if codes[i] == winner:
            most[i] = 2.0 * max(whole[i], 0)
        else:
            most[i] = whole[i] if whole[i] > 0 else -2.0 * whole[i]


@njit(cache=True, nogil=True)
def _fewest_flips(whole: IntArray, codes: IntArray, most: Array, scores: IntArray, allowance: int) -> tuple[int, int]:
    """Return the fewest flips over all rivals, and the rival; one more than the rows, and -1, if none will do."""
    winner = int(np.argmax(scores))
    need, bins = needs(scores, winner, allowance), _bins_of_gains(most)
    # The rival who needs least comes first, and mostly spares the search for the others.
    rivals = np.argsort(need)[:-1]
    level = _level_for(bins, 1, 1.5 * need[rivals[0]]) if len(rivals) else 0
    while True:
        # Rows below the level gain less than every row above it, whoever the rival is.
        floor = _smallest_of_bin(level)
        own, others = _ranked_rows(whole, codes, most, winner, floor)
        best, rival, complete = len(whole) + 1, -1, True
        for other in rivals:
            enough = best + 1 if other < rival else best
            flips = _flips_for(whole, codes, own, others, other, (need[other], floor, enough))
            complete = complete and flips >= 0
            if 0 <= flips < enough and flips <= len(whole):
                best, rival = flips, other
        if complete or level == 0:
            return best, rival
        level = min(level - 1, _level_for(bins, 0, 2.0 * (len(own) + len(others))))


@njit(cache=True, nogil=True)
def needs(scores: IntArray, winner: int, allowance: int) -> IntArray:
    """Compute the gain that brings each rival past the winner: a tie will do for a lower class only."""
    need = np.empty_like(scores)
    for other in range(len(scores)):
        need[other] = scores[winner] - scores[other] - allowance + (1 if other > winner else 0)
    need[winner] = np.iinfo(np.int64).max
    return need


@njit(cache=True, nogil=True)
def _bins_of_gains(most: Array) -> Array:
    """Return the number of rows and the sum of the gains in each bin, shape (2, bins), without rows of no gain."""
    bins = np.zeros((2, _BINS))
    bits = most.view(np.int64)
    for i in range(len(most)):
        if most[i] > 0.0:
            place = (bits[i] >> _SHIFT) - (1023 << 2)
            bins[0, place] += 1.0
            bins[1, place] += most[i]
    return bins


@njit(cache=True, nogil=True)
def _smallest_of_bin(place: int) -> float:
    return 2.0 ** (place // 4) * (1.0 + 0.25 * (place % 4))


@njit(cache=True, nogil=True)
def _level_for(bins: Array, of: int, enough: float) -> int:
    total = 0.0
    for place in range(_BINS - 1, 0, -1):
        total += bins[of, place]
        if total >= enough:
            return place
    return 0


@njit(cache=True, nogil=True)
def _ranked_rows(whole: IntArray, codes: IntArray, most: Array, winner: int, floor: float) -> tuple[IntArray, IntArray]:
    """Rank the rows above the floor by the size of their weight: rows of the winner, and all others."""
    kept = np.flatnonzero(most >= floor)
    is_own = codes[kept] == winner
    own, others = kept[is_own], kept[~is_own]
    return own[np.argsort(-np.abs(whole[own]))], others[np.argsort(-np.abs(whole[others]))]


@njit(cache=True, nogil=True)
def _flips_for(
    whole: IntArray,
    codes: IntArray,
    own: IntArray,
    others: IntArray,
    rival: int,
    limits: tuple[int, float, int],
) -> int:
    """Return the fewest flips that make up what a rival needs; -1 if rows below the floor are needed too.

    Merges three ranked lists: rows of the winner, which count twice; rows of
    the rival with negative weight, which count twice; all others, once.
    """
    need, floor, enough = limits
    i, j, k, flips = 0, 0, 0, 0
    while need > 0 and flips < enough:
        while j < len(others) and codes[others[j]] == rival:
            j += 1
        while k < len(others) and (codes[others[k]] != rival or whole[others[k]] > 0):
            k += 1
        first = 2 * whole[own[i]] if i < len(own) else 0
        second = abs(whole[others[j]]) if j < len(others) else 0
        third = -2 * whole[others[k]] if k < len(others) else 0
        gain = max(first, second, third)
        if gain == 0 or gain < floor:
            # At the lowest floor all rows with a gain were there, and no number of flips suffices.
            return enough if floor <= 1.0 else -1
        if gain == first:
            i += 1
        elif gain == second:
            j += 1
        else:
            k += 1
        need -= gain
        flips += 1
    return flips
