"""The vote of neighbours, against a count by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.kernels.statistics.neighbour_vote import NO_VOTE, count_votes, draw_voters, lost_votes, nearest_votes


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


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=6), more=st.integers(0, 60), seed=st.integers(0, 99))
def test_voters_stand_for_all_rows_of_their_class(sizes, more, seed):
    codes = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    most = len(sizes) + more
    rows, weights = draw_voters(codes, most, np.random.default_rng(seed))
    assert len(np.unique(rows)) == len(rows) == min(len(codes), most)
    np.testing.assert_allclose(np.bincount(codes[rows], weights=weights), sizes)
    taken = np.bincount(codes[rows])
    # A class that is not whole has as many voters as any, but for rounding.
    assert all(count == size or count >= taken.max() - 1 for count, size in zip(taken, sizes, strict=True))


def test_the_nearest_votes_add_up_to_those_wanted():
    weights = np.random.default_rng(0).random((50, 9)) * 3
    votes = nearest_votes(weights, 4.0)
    np.testing.assert_allclose(votes.sum(axis=1), np.minimum(weights.sum(axis=1), 4.0))
    counted = votes > 0
    assert (counted[:, :-1] >= counted[:, 1:]).all()
    # Only the last one that counts does so in part.
    part = counted & (votes < weights)
    assert part.sum(axis=1).max() == 1
    cut = part.any(axis=1)
    np.testing.assert_array_equal(part[cut].argmax(axis=1), counted[cut].sum(axis=1) - 1)


def test_weighted_votes_and_lost_votes_are_those_of_counting_one_by_one():
    rng = np.random.default_rng(1)
    labels, weights = rng.integers(-1, 5, (40, 7)), rng.random((40, 7))
    votes = count_votes(labels, 5, weights)
    expected = np.array([[weights[row][labels[row] == code].sum() for code in range(5)] for row in range(40)])
    np.testing.assert_allclose(votes, expected)
    rivals = np.column_stack([np.delete(expected, code, axis=1).max(axis=1) for code in range(5)])
    np.testing.assert_allclose(lost_votes(votes), rivals - expected)
