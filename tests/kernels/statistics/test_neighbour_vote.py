"""The vote of neighbours, against a count by hand."""

import numpy as np
import pytest

from toadstone.kernels.statistics.neighbour_vote import NO_VOTE, count_votes, lost_votes


def test_votes_and_margins_are_those_of_a_count_by_hand():
    rng = np.random.default_rng(0)
    labels = rng.integers(-1, 4, (60, 9))
    votes = count_votes(labels, 4)
    margins = lost_votes(votes)
    for row in range(60):
        counts = [labels[row].tolist().count(code) for code in range(4)]
        assert votes[row].tolist() == counts
        for code in range(4):
            assert margins[row, code] == max(counts[:code] + counts[code + 1 :]) - counts[code]


def test_a_tie_is_lost_by_nobody():
    assert lost_votes(np.array([[2, 2, 1]])).tolist() == [[0, 0, 1]]


@pytest.mark.parametrize("votes", [np.array([[3], [0]]), np.array([[1.0], [0.0]])])
def test_without_a_rival_a_label_wins_by_all_its_votes(votes):
    np.testing.assert_array_equal(lost_votes(votes), -votes)


def test_neighbours_without_a_vote_count_for_nobody():
    assert count_votes(np.full((2, 5), NO_VOTE), 3).tolist() == [[0, 0, 0], [0, 0, 0]]
