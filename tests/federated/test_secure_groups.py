"""Groups for secure aggregation: the largest that a rule allows, against counting them out."""

import itertools

import numpy as np
import pytest

from toadstone.core.errors import InvalidArgument, InvalidInput
from toadstone.federated import Bucketing, Chain, Krum, MultiKrum, TrimmedMean, aggregate
from toadstone.federated.secure_groups import plan_groups

PLANNED = [(20, 1, 6, 2), (50, 2, 10, 4), (100, 5, 9, 4), (100, 10, 4, 2), (1000, 10, 47, 23)]


@pytest.mark.parametrize(("clients", "malicious", "by_median", "by_bulyan"), PLANNED)
def test_known_sizes(clients, malicious, by_median, by_bulyan):
    assert plan_groups(clients, malicious, rule="median").size == by_median
    assert plan_groups(clients, malicious, rule="bulyan").size == by_bulyan


@pytest.mark.parametrize(("rule", "times", "more"), [("median", 2, 1), ("krum", 2, 3), ("bulyan", 4, 3)])
def test_no_larger_group_would_do(rule, times, more):
    for clients, malicious in itertools.product(range(8, 60), range(3)):
        needed = times * malicious + more
        if needed > clients:
            continue
        allowed = [size for size in range(1, clients + 1) if clients // size >= needed]
        assert plan_groups(clients, malicious, rule=rule).size == max(allowed)


def test_every_group_keeps_the_floor_and_no_client_is_left_out():
    plan = plan_groups(50, 3)
    groups = plan.draw([f"client-{at}" for at in range(53)], round=4)
    assert len(groups) == plan.groups
    assert min(map(len, groups)) >= plan.size
    assert sorted(itertools.chain.from_iterable(groups)) == list(range(53))


def test_malicious_clients_spoil_at_most_as_many_groups():
    plan = plan_groups(60, 4)
    for round in range(50):
        spoiled = sum(bool(np.isin(group, [3, 9, 17, 40]).any()) for group in plan.draw(range(60), round=round))
        assert 1 <= spoiled <= 4


def test_groups_are_drawn_anew_in_each_round_and_alike_for_a_seed():
    plan = plan_groups(20, 2)
    first, again, later = (plan.draw(range(20), round=at, seed=1) for at in (1, 1, 2))
    assert all(map(np.array_equal, first, again))
    assert not all(map(np.array_equal, first, later))


def test_a_floor_that_is_too_high_says_what_it_allows():
    expected = "at most 9 for median with 5 malicious of 100 clients, got 20, which allows 2 malicious ones"
    with pytest.raises(InvalidArgument, match=expected):
        plan_groups(100, 5, privacy_floor=20)


def test_too_few_clients_for_any_group_say_so():
    for clients, malicious, rule, sentence in [
        (8, 5, "median", "`malicious`: expected at most 3 for median with 8 clients, got 5"),
        (5, 3, "median", "`malicious`: expected at most 2 for median with 5 clients, got 3"),
        (9, 1, "mean", "`malicious`: expected 0 for mean with 9 clients, which withstands none, got 1"),
        (30, 12, "minimum-diameter", "`malicious`: expected at most 7 for minimum-diameter with 30 clients, got 12"),
        (2, 0, "krum", "`clients`: expected enough for krum without a malicious one (n >= 2f + 3), got 2"),
    ]:
        with pytest.raises(InvalidArgument) as refused:
            plan_groups(clients, malicious, rule=rule)
        assert str(refused.value) == sentence


RULES = ["bucketing+median", "bucketing+krum", "nnm+bucketing+trimmed-mean", "bucketing+nnm+bulyan", "arc+krum"]
BY_OBJECT = [
    Chain((Bucketing(size=3),), TrimmedMean(trim=4)),
    Krum(neighbours=14),
    MultiKrum(keep=15),
    MultiKrum(neighbours=12),
]


@pytest.mark.parametrize("rule", [*RULES, *BY_OBJECT], ids=str)
@pytest.mark.parametrize("clients", [60, 97, 100])
def test_the_rule_runs_on_as_many_rows_as_groups_and_on_no_fewer_groups(rule, clients):
    plan = plan_groups(clients, 3, rule=rule)
    rows = np.random.default_rng(0).normal(size=(plan.groups, 4))
    assert aggregate(rows, rule, malicious=3).shape == (4,)
    with pytest.raises(InvalidInput):
        aggregate(rows[: clients // (plan.size + 1)], rule, malicious=3)


def test_a_plan_behind_buckets_says_that_they_are_counted():
    assert str(plan_groups(100, 5, rule="bucketing+median")).endswith("(n >= 2f + 1 after bucketing)")


def test_a_round_is_a_number_from_zero():
    with pytest.raises(InvalidArgument, match="`round`: expected a whole number from 0, got -1"):
        plan_groups(20, 1).draw(range(20), round=-1)


def test_fewer_clients_than_planned_for_are_refused():
    with pytest.raises(InvalidArgument, match="the 50 of the plan, got 49"):
        plan_groups(50, 3).draw(range(49), round=1)
