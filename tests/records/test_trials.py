"""Shares of trials, and means over seeds with their intervals."""

from __future__ import annotations

import pytest
from scipy.stats import t as student

from toadstone.core.dataset import Dataset, Trusted, demand_trusted
from toadstone.core.errors import InvalidArgument
from toadstone.records.trials import Estimate, Trial


def test_the_interval_is_students():
    values = [0.31, 0.42, 0.37, 0.5]
    estimate = Estimate.of(values)
    mean = sum(values) / 4
    spread = (sum((value - mean) ** 2 for value in values) / 3 / 4) ** 0.5
    low, high = student.interval(0.95, 3, loc=mean, scale=spread)
    assert (estimate.mean, estimate.low, estimate.high, estimate.n) == (
        pytest.approx(mean),
        pytest.approx(low),
        pytest.approx(high),
        4,
    )


def test_shares_stay_shares_and_one_seed_has_no_interval():
    wide = Estimate.of([0.0, 1.0])
    assert (wide.low, wide.high) == (0.0, 1.0)
    assert Estimate.of([-0.4, 0.4], lowest=-1.0).low == -1.0
    assert Estimate.of([1.0]) == Estimate(1.0, None, None, 1)


def test_shares_of_a_trial():
    trial = Trial("a", "d", "own", 0, 20, 180, flagged_poison=5, flagged_clean=9, test_rows=50, wrong_rows=10)
    assert (trial.caught_share, trial.false_alarm_share, trial.test_error, trial.success) == (0.25, 0.05, 0.2, None)
    goal = Trial("a", "d", "", 0, 20, 180, test_rows=50, goal_rows=40, goal_reached=30)
    assert (goal.caught_share, goal.false_alarm_share, goal.success) == (None, None, 0.75)
    nothing_to_reach = Trial("a", "d", "", 0, test_rows=50, goal_rows=0, goal_reached=0)
    assert nothing_to_reach.success is None
    skipped = Trial("a", "d", "", 0, skipped="not for these rows")
    assert (skipped.test_error, skipped.caught_share) == (None, None)


def test_rows_are_trusted_only_if_somebody_says_why():
    rows = Dataset([[0.0], [1.0]], ["ham", "spam"])
    declared = Trusted(rows, because="read by two of us")
    assert demand_trusted(declared) is declared
    with pytest.raises(InvalidArgument, match="`because`: expected why these rows can be trusted, got nothing"):
        Trusted(rows, because=" ")
    with pytest.raises(InvalidArgument, match=r"`trusted`: expected rows declared clean, .* got Dataset, which may"):
        demand_trusted(rows)
