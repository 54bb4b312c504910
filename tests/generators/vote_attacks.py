"""Every attack on a small vote, and the fewest units of one that changes who is elected."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np


def plurality(assignments, n_classes):
    """Return the class with the most votes for each row of votes, the first on a tie."""
    counts = np.stack([(assignments == c).sum(axis=1) for c in range(n_classes)], axis=1)
    return counts.argmax(axis=1)


def run_off(scores):
    """Return the winner of two rounds for each table of scores, shape (n, voters, classes)."""
    return np.array([_two_rounds(table) for table in scores])


def _two_rounds(table):
    n_classes = table.shape[1]
    voting = table[~np.isnan(table[:, 0])]
    counts = [sum(np.argmax(row) == c for row in voting) for c in range(n_classes)]
    first, second = sorted(range(n_classes), key=lambda c: (-counts[c], c))[:2]
    low, high = min(first, second), max(first, second)
    # Equal scores and equal votes are decided for the lower class.
    return low if sum(1 if row[low] >= row[high] else -1 for row in voting) >= 0 else high


def cover_sizes(members):
    """Return for each set of voters, by its bits, the fewest units that reach all of it; a large number if none do."""
    n_units, n_voters = members.shape
    reached = [int(sum(1 << j for j in np.flatnonzero(row))) for row in members]
    sizes = np.full(1 << n_voters, 10**6)
    for chosen in product([False, True], repeat=n_units):
        union = 0
        for unit, taken in enumerate(chosen):
            union |= reached[unit] if taken else 0
        sizes[union] = min(sizes[union], sum(chosen))
    for mask in range(len(sizes) - 1, -1, -1):
        for j in range(n_voters):
            if not mask >> j & 1:
                sizes[mask] = min(sizes[mask], sizes[mask | 1 << j])
    return sizes


def all_votes(n_voters, n_classes):
    """Return every way in which voters can vote, or not vote."""
    return np.array(list(product(range(-1, n_classes), repeat=n_voters)))


def all_rankings(n_voters, n_classes):
    """Return the scores of every way in which voters can rank the classes."""
    ranks = [np.array(order, dtype=float) for order in permutations(range(n_classes))]
    return np.array([np.stack(chosen) for chosen in product(ranks, repeat=n_voters)])


def changed_voters(assignments, votes):
    """Return the set of voters that each assignment changes, by its bits."""
    different = assignments != votes
    if different.ndim == 3:
        different = different.any(axis=2)
    return different @ (1 << np.arange(different.shape[1]))


def exact_count(winners, winner, changed, sizes):
    """Return the most units that never suffice to elect another class; None if all of them never do."""
    fewest = sizes[changed[winners != winner]].min(initial=10**6)
    return None if fewest == 10**6 else int(fewest) - 1


def spread(n_voters, d, rng):
    """Return members of Finite Aggregation: as many units as voters, each of which reaches d of them."""
    offsets = rng.choice(n_voters, size=d, replace=False)
    members = np.zeros((n_voters, n_voters), dtype=int)
    for unit in range(n_voters):
        members[unit, (unit + offsets) % n_voters] = 1
    return members
