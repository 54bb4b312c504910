"""Schemes: each row to its voters, evenly, by its content or group alone."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.core.errors import InvalidArgument
from toadstone.kernels.votes.schemes import SCHEMES, DisjointParts, FiniteAggregation, GroupParts, HashBagging

CONTENTS = [bytes([value, 7]) for value in range(200)]


def test_finite_aggregation_deals_each_row_to_the_voters_of_its_bucket():
    scheme = FiniteAggregation(5, 3)
    members, dealt = scheme.members().toarray(), scheme.deal(CONTENTS, None)
    assert (members.sum(axis=0) == 3).all()
    assert (members.sum(axis=1) == 3).all()
    reached = np.stack([np.isin(np.arange(200), rows) for rows in dealt.rows], axis=1)
    # Each row reaches exactly the voters of one bucket, and equal columns of buckets do not exist.
    assert {tuple(row) for row in reached.astype(int).tolist()} <= {tuple(row) for row in members.astype(int).tolist()}


@pytest.mark.parametrize(("n_parts", "spread"), [(5, 4), (50, 16)])
def test_buckets_share_one_voter_at_most(n_parts, spread):
    members = FiniteAggregation(n_parts, spread).members()
    shared = (members @ members.T).toarray()
    np.fill_diagonal(shared, 0)
    assert shared.max() == 1


def test_where_buckets_have_to_share_more_the_spread_is_kept():
    members = FiniteAggregation(1, 4).members()
    assert members.toarray().tolist() == np.ones((4, 4)).tolist()


def test_rounds_are_dealt_independently():
    one, other = np.split(np.array([len(rows) for rows in HashBagging(4, 2).deal(CONTENTS, None).rows]), 2)
    assert one.sum() == other.sum() == 200
    first, second = (set(rows.tolist()) for rows in HashBagging(4, 2).deal(CONTENTS, None).rows[::4])
    assert first != second


def test_one_round_and_a_spread_of_one_are_disjoint_parts():
    parts = [rows.tolist() for rows in DisjointParts(4).deal(CONTENTS, None).rows]
    assert [rows.tolist() for rows in HashBagging(4, 1).deal(CONTENTS, None).rows] == parts
    assert [rows.tolist() for rows in FiniteAggregation(4, 1).deal(CONTENTS, None).rows] == parts


def test_numbers_and_texts_of_one_value_are_one_group():
    rows = GroupParts().deal([b""] * 5, [1, 1.0, "1", np.int64(1), 2]).rows
    assert [group.tolist() for group in rows] == [[0, 1, 2, 3], [4]]


@pytest.mark.parametrize("scheme", [DisjointParts(3, "k"), FiniteAggregation(3, 2), HashBagging(3, 2), GroupParts(3)])
def test_settings_rebuild_a_scheme(scheme):
    given = scheme.settings()
    assert SCHEMES[given.pop("scheme")](**given) == scheme


@pytest.mark.parametrize(
    "make",
    [
        lambda: DisjointParts(0),
        lambda: FiniteAggregation(3, 0),
        lambda: HashBagging(3, 1.5),
        lambda: GroupParts(-1),
        lambda: DisjointParts(3, "k" * 65),
    ],
)
def test_schemes_that_cannot_be_are_refused(make):
    with pytest.raises(InvalidArgument):
        make()


def test_which_counts_are_exact():
    exact = [
        DisjointParts(3),
        FiniteAggregation(3, 1),
        FiniteAggregation(3, 2),
        HashBagging(3),
        GroupParts(),
        GroupParts(2),
    ]
    assert [scheme.exact for scheme in exact] == [True, True, False, True, True, False]
