"""Run-off elections by ranks: ties inside voters, absent voters, and agreement with majorities of two classes."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.kernels.votes.elections import ABSENT, certify_rankings, check_election, first_votes, ranked
from toadstone.kernels.votes.grouped import GroupParts, Periods
from toadstone.kernels.votes.run_off import certify_run_off
from toadstone.kernels.votes.schemes import DisjointParts, FiniteAggregation, HashBagging


def scores(seed, n_classes, queries=20, voters=8):
    # Whole numbers tie often.
    return np.random.default_rng(seed).integers(0, 3, (queries, voters, n_classes)).astype(float)


def as_ranks(found):
    return np.stack([ranked(found[:, voter]) for voter in range(found.shape[1])], axis=1)


@pytest.mark.parametrize("n_classes", [2, 3, pytest.param(5, marks=pytest.mark.slow)])
def test_ranks_elect_as_scores_do(n_classes):
    found = scores(n_classes, n_classes)
    by_scores, by_ranks = certify_run_off(found), certify_rankings(as_ranks(found), DisjointParts(8))
    np.testing.assert_array_equal(by_ranks.winner, by_scores.winner)
    np.testing.assert_array_equal(by_ranks.count, by_scores.count)


@pytest.mark.parametrize("scheme", [DisjointParts(8), FiniteAggregation(4, 2), GroupParts()], ids=lambda one: one.name)
def test_two_classes_are_a_majority(scheme):
    ranks = as_ranks(scores(0, 2))
    ranks[:5, 3] = ABSENT
    votes = first_votes(ranks)
    assert (votes[:5, 3] == -1).all()
    run_off, majority = certify_rankings(ranks, scheme), scheme.certify(votes, 2)
    np.testing.assert_array_equal(run_off.winner, majority.winner)
    np.testing.assert_array_equal(run_off.count, majority.count)


def test_a_run_off_withstands_more_where_votes_are_split():
    # The voter of the first class would rather have the second than the third.
    ranks = np.array([[[2, 1, 0]] + [[1, 0, 2]] * 4 + [[1, 2, 0]] * 5], dtype=np.uint8)
    scheme = DisjointParts(10)
    assert scheme.certify(first_votes(ranks), 3).count.tolist() == [0]
    assert certify_rankings(ranks, scheme).count.tolist() == [1]


@pytest.mark.parametrize(
    "ranks",
    [
        np.zeros((2, 3), np.uint8),
        np.zeros((2, 3, 2), np.uint8),
        np.full((1, 1, 2), 1.0),
        np.array([[[0, 2]]]),
        np.array([[[0, ABSENT]]]),
    ],
)
def test_what_ranks_nothing_is_refused(ranks):
    with pytest.raises(InvalidData, match="rankings: expected"):
        certify_rankings(ranks, DisjointParts(1))


def test_other_schemes_have_no_run_off():
    for scheme in (HashBagging(3), Periods()):
        check_election("majority", scheme)
        with pytest.raises(InvalidArgument, match="`election`: expected majority for the scheme of"):
            check_election("run-off", scheme)
    with pytest.raises(InvalidArgument, match="`election`: expected one of majority, run-off"):
        check_election("lottery", DisjointParts(3))
    with pytest.raises(InvalidData, match="at most 255 classes"):
        ranked(np.zeros((1, 256)))
