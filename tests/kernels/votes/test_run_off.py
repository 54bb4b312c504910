"""Run-off elections against every attack on small cases, ties included."""

from __future__ import annotations

import numpy as np
import pytest
from vote_attacks import all_rankings, changed_voters, cover_sizes, exact_count, run_off, spread

from toadstone.core.errors import InvalidData
from toadstone.kernels.votes.run_off import certify_run_off
from toadstone.kernels.votes.units import certify_votes

VOTERS, CLASSES = 5, 3
EVERY = all_rankings(VOTERS, CLASSES)
ELECTED = run_off(EVERY)


def cases(seed, n=60, classes=CLASSES, *, rank=2):
    """Scores of which most voters of a query put one class first, or second: else no count would be above zero."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 4, size=(n, VOTERS, classes))
    liked = np.arange(n), slice(None), rng.integers(0, classes, n)
    scores[liked] = np.where(rng.random((n, VOTERS)) < 0.8, rank, scores[liked])
    return rng, scores


def as_ranking(scores):
    """Return the order that a voter's scores mean, equal ones for the first class."""
    ranks = np.empty(scores.shape)
    for voter, row in enumerate(scores):
        ranks[voter, sorted(range(len(row)), key=lambda c: (row[c], -c))] = np.arange(len(row))
    return ranks


def brute_force(scores, members):
    ranking = as_ranking(scores)
    winner = int(run_off(ranking[None])[0])
    return winner, exact_count(ELECTED, winner, changed_voters(EVERY, ranking), cover_sizes(members))


@pytest.mark.parametrize(("d", "rank"), [(1, 5), (2, 5), (1, 2), (2, 2)])
def test_counts_are_never_too_high(d, rank):
    rng, scores = cases(d, n=40, rank=rank)
    members = spread(VOTERS, d, rng)
    found = certify_run_off(scores, members=members)
    expected = [brute_force(table, members) for table in scores]
    np.testing.assert_array_equal(found.winner, [winner for winner, _ in expected])
    exact = np.array([count for _, count in expected])
    assert (found.count <= exact).all()
    assert (found.count == exact).mean() > 0.9
    assert found.count.max() >= 1 or rank == 2


def test_two_classes_are_a_plain_vote():
    _, scores = cases(3, classes=2)
    found, plain = certify_run_off(scores), certify_votes(scores.argmax(axis=2), n_classes=2)
    np.testing.assert_array_equal(found.winner, plain.winner)
    np.testing.assert_array_equal(found.count, plain.count)


def test_a_class_that_would_win_the_second_round_has_to_reach_it():
    # Class 2 ties with class 0 between the two of them, but has one vote where class 1 has four.
    scores = [[[2, 0, 1]] * 5 + [[0, 2, 1]] * 4 + [[1, 0, 2]]]
    found = certify_run_off(scores)
    assert (found.winner[0], found.count[0], found.rival[0]) == (0, 1, 1)


def test_a_winner_of_every_pair_may_miss_the_second_round():
    # Class 0 beats each of the others by six to three; a single voter of its own takes it out.
    scores = [[[2, 1, 0]] * 3 + [[1, 2, 0]] * 3 + [[1, 0, 2]] * 3]
    found = certify_run_off(scores)
    assert (found.winner[0], found.count[0]) == (0, 0)
    # One voter more: each of the others needs one voter to pass it, but not the same one.
    scores = [[[2, 1, 0]] * 5 + [[1, 2, 0]] * 4 + [[1, 0, 2]] * 4]
    found = certify_run_off(scores)
    assert (found.winner[0], found.count[0]) == (0, 1)


def test_equal_scores_count_for_the_first_class():
    # Class 0 and 1 meet; two of the four voters score them alike.
    scores = [[[1, 1, 0], [1, 1, 0], [0, 2, 1], [2, 0, 1]]]
    found = certify_run_off(scores)
    assert (found.winner[0], found.count[0]) == (0, 1)


def test_a_tie_in_the_second_round_is_won_by_the_first_class():
    # Class 1 leads the first round; in the second, two voters prefer it and two prefer class 0.
    scores = [[[0, 2, 1], [1, 2, 0], [2, 0, 1], [1, 0, 2]]]
    found = certify_run_off(scores)
    assert (found.winner[0], found.count[0], found.rival[0]) == (0, 0, 1)


@pytest.mark.parametrize(
    "dtype", [np.int64, *(pytest.param(kind, marks=pytest.mark.slow) for kind in (np.uint8, np.float32))]
)
def test_ranks_and_scores_of_any_type_elect_alike(dtype):
    _, scores = cases(4)
    found, other = certify_run_off(scores.astype(float)), certify_run_off(scores.astype(dtype))
    np.testing.assert_array_equal(found.count, other.count)
    np.testing.assert_array_equal(found.winner, other.winner)


def test_a_voter_without_scores_does_not_vote_until_it_is_made_to():
    scores = np.array([[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [np.nan, np.nan]]])
    found = certify_run_off(scores)
    plain = certify_votes([[0, 0, 1, -1]], n_classes=2)
    assert (found.winner[0], found.count[0]) == (plain.winner[0], plain.count[0])
    three = np.array([[[2.0, 1.0, 0.0]] * 2 + [[np.nan] * 3] * 3])
    assert certify_run_off(three).count[0] == 1


def test_a_single_class_is_safe():
    found = certify_run_off(np.zeros((2, 3, 1)))
    assert found.count.tolist() == [3, 3]
    assert found.rival.tolist() == [-1, -1]


def test_the_order_of_voters_and_queries_does_not_matter():
    rng, scores = cases(5)
    members = spread(VOTERS, 2, rng)
    queries, voters = rng.permutation(len(scores)), rng.permutation(VOTERS)
    found = certify_run_off(scores, members=members)
    other = certify_run_off(scores[queries][:, voters], members=members[:, voters])
    np.testing.assert_array_equal(other.count, found.count[queries])


@pytest.mark.parametrize("scores", [np.zeros((2, 3)), np.zeros((2, 0, 3)), np.full((1, 1, 2), "a")])
def test_scores_of_another_shape_are_refused(scores):
    with pytest.raises(InvalidData, match=r"^scores: expected numbers of shape"):
        certify_run_off(scores)
