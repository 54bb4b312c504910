"""Schemes: each row to its voters, evenly, by its content or group alone."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.kernels.votes.grouped import GroupParts, Periods
from toadstone.kernels.votes.schemes import DisjointParts, FiniteAggregation, HashBagging

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


def test_periods_are_dealt_to_the_models_that_look_back_on_them():
    dealt = Periods(span=3).deal([b""] * 6, [4, 1, 2, 6, 6, 3.0])
    # The fifth period has no rows, and a model all the same.
    assert [rows.tolist() for rows in dealt.rows] == [[1, 2, 5], [0, 2, 5], [0, 5], [0, 3, 4]]
    assert dealt.seeds == [3, 4, 5, 6]
    assert Periods(span=3).n_units(6, [4, 1, 2, 6, 6, 3]) == 6


def test_periods_count_what_their_threat_is():
    votes = [[0, 0, 0, 0, 0, 1, 1]]
    early = Periods(threat="earliness", period="weeks")
    assert (early.certify(votes, 2).count[0], Periods().certify(votes, 2).count[0]) == (3, 1)
    assert (early.unit, Periods(period="weeks").unit) == ("most recent weeks", "successive weeks")


@pytest.mark.parametrize("periods", [["May"], [1.5], [True], [None], [float("nan")], [2**60], [float("inf")]])
def test_periods_that_are_no_whole_numbers_are_refused(periods):
    with pytest.raises(InvalidData, match="groups: expected periods as whole numbers that count up with time"):
        Periods().deal([b""], periods)


def test_periods_that_do_not_fit_are_refused():
    with pytest.raises(InvalidArgument, match="`span`: expected at most the 2 periods of the rows, got 3"):
        Periods(span=3).deal([b""] * 2, [4, 5])
    with pytest.raises(InvalidArgument, match="expected at most 1,000,000 voters"):
        Periods().deal([b""] * 2, [0, 2**40])
    with pytest.raises(InvalidArgument, match="threat"):
        Periods(threat="sometimes")


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
        Periods(),
    ]
    assert [scheme.exact for scheme in exact] == [True, True, False, True, True, False, True]
