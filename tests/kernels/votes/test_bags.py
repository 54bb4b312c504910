"""Hash bagging against every attack on small cases."""

from __future__ import annotations

import numpy as np
import pytest
from vote_attacks import all_votes, plurality

from toadstone.core.errors import InvalidData
from toadstone.kernels.votes.bags import certify_bags
from toadstone.kernels.votes.units import certify_votes

VOTERS, CLASSES = 6, 3
EVERY = all_votes(VOTERS, CLASSES)
ELECTED = plurality(EVERY, CLASSES)


def brute_force(votes, rounds):
    different, winner = votes != EVERY, plurality(votes[None], CLASSES)[0]
    # A row reaches one voter of every round, so the round with the most changes tells how many rows it takes.
    rows = np.max([different[:, rounds == g].sum(axis=1) for g in np.unique(rounds)], axis=0)
    return int(winner), int(rows[winner != ELECTED].min()) - 1


@pytest.mark.parametrize("rounds", [[0] * 6, [0, 0, 0, 1, 1, 1], [0, 1, 2, 0, 1, 2], [0, 0, 0, 0, 1, 1]])
def test_counts_are_exact(rounds):
    votes = np.random.default_rng(len(set(rounds))).integers(-1, CLASSES, size=(60, VOTERS))
    found = certify_bags(votes, rounds, n_classes=CLASSES)
    expected = [brute_force(row, np.array(rounds)) for row in votes]
    assert list(zip(found.winner.tolist(), found.count.tolist(), strict=True)) == expected


def test_voters_for_the_rival_close_nothing():
    # Two rows close 1 + 1 in the first round, of which they win the only voter, and 2 + 2 in the other: six of seven.
    assert certify_bags([[1, 1, 1] + [0] * 9], [0] * 4 + [1] * 8, n_classes=2).count[0] == 2


def test_one_round_is_partition_aggregation_and_more_are_at_least_the_published_count():
    rng = np.random.default_rng(5)
    # Rounds that do not agree on the winner are where the published count is too low.
    rounds = np.arange(40) % 4
    votes = (rng.random((50, 40)) < rng.random((50, 4))[:, rounds]).astype(int)
    apart = certify_votes(votes, n_classes=2)
    np.testing.assert_array_equal(certify_bags(votes, np.zeros(40, dtype=int), n_classes=2).count, apart.count)
    four = certify_bags(votes, rounds, n_classes=2)
    ones = votes.sum(axis=1)
    gap = np.where(four.winner == 1, ones - (40 - ones) - 1, 40 - 2 * ones)
    assert (four.count >= gap // 8).all()
    assert (four.count > gap // 8).any()


@pytest.mark.parametrize("rounds", [[0], [0, -1], [0.0, 1.0]])
def test_rounds_that_do_not_fit_are_refused(rounds):
    with pytest.raises(InvalidData, match=r"^rounds: expected"):
        certify_bags([[0, 1]], rounds, n_classes=2)
