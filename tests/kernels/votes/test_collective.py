"""Collective bounds against every choice of units on small cases."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from vote_attacks import all_votes, changed_voters, plurality, spread

from toadstone.core.errors import InvalidArgument
from toadstone.kernels.votes.collective import most_changed
from toadstone.kernels.votes.units import certify_votes

VOTERS, CLASSES = 6, 3
EVERY = all_votes(VOTERS, CLASSES)
ELECTED = plurality(EVERY, CLASSES)


def truth(votes, members, units):
    """Return the most queries that one choice of units changes."""
    losing = []
    for row in votes:
        changed = changed_voters(EVERY, row)
        losing.append(np.unique(changed[plurality(row[None], CLASSES)[0] != ELECTED]))
    most = 0
    for chosen in combinations(range(len(members)), units):
        reached = int(members[list(chosen)].max(axis=0, initial=0) @ (1 << np.arange(VOTERS)))
        most = max(most, sum(bool(((masks & ~reached) == 0).any()) for masks in losing))
    return most


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("units", [0, 1, 2, 3])
def test_bounds_lie_between_the_truth_and_the_pointwise_count(d, units):
    rng = np.random.default_rng(10 * d + units)
    members = spread(VOTERS, d, rng)
    gained = 0
    for _ in range(6):
        favoured = rng.integers(0, CLASSES, size=(12, 1))
        votes = np.where(rng.random((12, VOTERS)) < 0.6, favoured, rng.integers(-1, CLASSES, size=(12, VOTERS)))
        bound = most_changed(votes, n_classes=CLASSES, units=units, members=members)
        pointwise = int((certify_votes(votes, n_classes=CLASSES, members=members).count < units).sum())
        assert truth(votes, members, units) <= bound <= pointwise
        gained += pointwise - bound
    # Some queries cannot be changed together.
    assert gained > 0 or (d, units) != (1, 2)


def test_one_query_is_pointwise():
    votes = [[0, 0, 0, 0, 1]]
    assert [most_changed(votes, n_classes=2, units=units) for units in range(4)] == [0, 0, 1, 1]


def test_more_units_than_there_are():
    assert most_changed([[0, 0, 1]], n_classes=2, units=99) == 1


def test_a_negative_number_of_units_is_refused():
    with pytest.raises(InvalidArgument, match="units"):
        most_changed([[0]], n_classes=2, units=-1)
