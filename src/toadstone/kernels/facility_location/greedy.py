"""Compiled loops of the greedy selection: updated gains, lazy evaluation, and random samples."""

from __future__ import annotations

import heapq

import numpy as np
from numba import njit

from toadstone.core.arrays import Array, IntArray
from toadstone.kernels.facility_location.ball_tree import FULL, Cover, Leaves, add_centre, gain, lower_gains, measure

_BLOCK = 512
_ROUNDED = 2.0
"""Units that rounding may take off a distance to a centre of gravity or add to others, and some more."""
_SUMMED = 3e-14
"""Rounding of a centre of gravity itself, relative to its rows: the unit roundoff for each row of a group, twice."""


@njit(cache=True, nogil=True)
def select_with_updates(leaves: Leaves, cover: Cover, count: int) -> tuple[IntArray, Array]:
    """Select centres by largest gain, keeping the gains of all candidates up to date."""
    n = len(leaves.order)
    picks, gains, wins = np.empty(count, np.int64), np.zeros(n), np.empty(count)
    apart, found = np.empty(len(leaves.radii)), np.empty(_BLOCK)
    moved, before = np.empty(n, np.int64), np.empty(n)
    picks[0], wins[0] = _first(leaves, cover, apart, found)
    add_centre(leaves, cover, picks[0], 0, apart, found, moved, before)
    for row in range(n):
        lower_gains(leaves, row, cover.nearest[row], 0.0, gains, apart, found)
    # Lowered from zero by every row, they are now minus the gains of a second centre.
    gains *= -1.0
    gains[picks[0]] = -1.0
    for rank in range(1, count):
        best = 0
        for row in range(1, n):
            if gains[row] > gains[best] or (gains[row] == gains[best] and leaves.order[row] < leaves.order[best]):
                best = row
        picks[rank], wins[rank] = best, gains[best]
        gains[best] = -1.0
        _, changed = add_centre(leaves, cover, best, rank, apart, found, moved, before)
        for i in range(changed):
            row = moved[i]
            lower_gains(leaves, row, before[i], cover.nearest[row], gains, apart, found)
    return picks, wins


@njit(cache=True, nogil=True)
def _first(leaves: Leaves, cover: Cover, apart: Array, found: Array) -> tuple[int, float]:
    """Return the best first choice, and its gain.

    A centre of gravity is at most as far as its rows are on average, which
    bounds gains from above; those whose bound is large enough are computed.
    """
    n, d = leaves.points.shape
    bounds, longest = np.zeros(n), np.sqrt(d) * np.abs(leaves.points).max()
    slack = _ROUNDED + _SUMMED * longest * leaves.scale
    for row in range(n):
        measure(leaves.centres, leaves.points[row], 0, len(leaves.radii), leaves.scale, apart)
        for leaf in range(len(leaves.radii)):
            bounds[row] += (leaves.starts[leaf + 1] - leaves.starts[leaf]) * (FULL - apart[leaf] + slack)
    best, most = -1, -1.0
    # Best bound first: as soon as the largest bound is below the best gain, no other row can win.
    while True:
        row = int(np.argmax(bounds))
        if bounds[row] < most:
            return best, most
        value = gain(leaves, cover, row, apart, found)
        if value > most or (value == most and leaves.order[row] < leaves.order[best]):
            best, most = row, value
        bounds[row] = -1.0


@njit(cache=True, nogil=True)
def select_lazily(leaves: Leaves, cover: Cover, count: int) -> tuple[IntArray, Array]:
    """Select centres by lazy evaluation: recompute a gain only when its old value is the largest."""
    n = len(leaves.order)
    picks, wins = np.empty(count, np.int64), np.empty(count)
    apart, found = np.empty(len(leaves.radii)), np.empty(_BLOCK)
    moved, before = np.empty(n, np.int64), np.empty(n)
    computed = np.full(n, -1)
    # An upper bound with its sign turned, then the original place, which decides ties.
    queue = [(-n * FULL, leaves.order[row], row) for row in range(n)]
    heapq.heapify(queue)
    for rank in range(count):
        # Gains only fall as centres are added (submodularity), so an old gain is an upper bound.
        while computed[queue[0][2]] < rank:
            _, original, row = queue[0]
            computed[row] = rank
            heapq.heapreplace(queue, (-gain(leaves, cover, row, apart, found), original, row))
        value, _, row = heapq.heappop(queue)
        picks[rank], wins[rank] = row, -value
        add_centre(leaves, cover, row, rank, apart, found, moved, before)
    return picks, wins


@njit(cache=True, nogil=True)
def select_from_samples(leaves: Leaves, cover: Cover, left: IntArray, draws: Array) -> tuple[IntArray, Array]:
    """Select each centre from a random sample of the candidates, drawn from `left` by numbers in [0, 1)."""
    n, count = len(leaves.order), len(draws)
    picks, wins = np.empty(count, np.int64), np.empty(count)
    apart, found = np.empty(len(leaves.radii)), np.empty(_BLOCK)
    moved, before = np.empty(n, np.int64), np.empty(n)
    for rank in range(count):
        size = n - rank
        best, best_place, most = -1, -1, -1.0
        for i in range(min(draws.shape[1], size)):
            # A partial Fisher-Yates shuffle: candidates are drawn without replacement.
            other = i + int(draws[rank, i] * (size - i))
            left[i], left[other] = left[other], left[i]
            value = gain(leaves, cover, left[i], apart, found)
            if value > most or (value == most and leaves.order[left[i]] < leaves.order[best]):
                best, best_place, most = left[i], i, value
        left[best_place] = left[size - 1]
        picks[rank], wins[rank] = best, most
        add_centre(leaves, cover, best, rank, apart, found, moved, before)
    return picks, wins


@njit(cache=True, nogil=True)
def assign_given(leaves: Leaves, cover: Cover, picks: IntArray) -> Array:
    """Add given rows to the centres, in their order, and return the gain of each."""
    gains, n = np.empty(len(picks)), len(leaves.order)
    apart, found = np.empty(len(leaves.radii)), np.empty(_BLOCK)
    moved, before = np.empty(n, np.int64), np.empty(n)
    for rank in range(len(picks)):
        gains[rank], _ = add_centre(leaves, cover, picks[rank], rank, apart, found, moved, before)
    return gains
