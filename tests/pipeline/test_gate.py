"""Thresholds: only what is proved passes."""

import math

import pytest

from toadstone.core.errors import InvalidArgument
from toadstone.pipeline.gate import (
    GateOutcome,
    check_limit,
    judge_bound,
    judge_cost,
    judge_drop,
    judge_error,
    judge_share,
)
from toadstone.records.defence import AccuracyChange


@pytest.mark.parametrize(
    ("bound", "attack", "limit", "conclusive", "verdict"),
    [
        (0.3, 0.3, 0.3, True, GateOutcome.KEPT),
        (0.3, 0.1, 0.3, False, GateOutcome.KEPT),
        (0.31, 0.1, 0.3, False, GateOutcome.UNDECIDED),
        (0.31, 0.3, 0.3, False, GateOutcome.UNDECIDED),
        (0.32, 0.31, 0.3, False, GateOutcome.EXCEEDED),
        (0.31, 0.1, 0.3, True, GateOutcome.EXCEEDED),
        (math.nan, 0.1, 0.3, True, GateOutcome.EXCEEDED),
        (0.1, 0.1, math.nan, True, GateOutcome.EXCEEDED),
    ],
)
def test_bounds(bound, attack, limit, conclusive, verdict):
    assert judge_bound(bound, attack, limit, conclusive=conclusive) is verdict


@pytest.mark.parametrize(
    ("low", "high", "limit", "conclusive", "verdict"),
    [
        (0.01, 0.1, 0.1, True, GateOutcome.KEPT),
        (0.01, 0.1, 0.1, False, GateOutcome.UNDECIDED),
        (0.01, 0.11, 0.1, True, GateOutcome.UNDECIDED),
        (0.1, 0.2, 0.1, True, GateOutcome.UNDECIDED),
        (0.11, 0.2, 0.1, True, GateOutcome.EXCEEDED),
        (0.11, 0.2, 0.1, False, GateOutcome.EXCEEDED),
        (math.nan, math.nan, 0.1, True, GateOutcome.EXCEEDED),
    ],
)
def test_errors(low, high, limit, conclusive, verdict):
    assert judge_error((low, high), limit, conclusive=conclusive) is verdict


@pytest.mark.parametrize(
    ("low", "high", "limit", "verdict"),
    [
        (-0.02, 0.03, 0.03, GateOutcome.KEPT),
        (-0.02, 0.031, 0.03, GateOutcome.UNDECIDED),
        (0.03, 0.09, 0.03, GateOutcome.UNDECIDED),
        (0.031, 0.09, 0.03, GateOutcome.EXCEEDED),
    ],
)
def test_drops(low, high, limit, verdict):
    change = AccuracyChange(100, 0.9, 0.8, 0.95, 0.88, 0.8, 0.93, 0.02, low, high)
    assert judge_drop(change, limit) is verdict


@pytest.mark.parametrize(
    ("certified", "attack", "limit", "verdict"),
    [
        (12, 30, 12, GateOutcome.KEPT),
        (12, None, 12, GateOutcome.KEPT),
        (12, 30, 13, GateOutcome.UNDECIDED),
        # An attack with as many rows as the limit does not show that fewer suffice.
        (12, 30, 30, GateOutcome.UNDECIDED),
        (12, 30, 31, GateOutcome.EXCEEDED),
        (12, None, 13, GateOutcome.UNDECIDED),
        (0, 0, 1, GateOutcome.EXCEEDED),
    ],
)
def test_costs(certified, attack, limit, verdict):
    assert judge_cost(certified, attack, limit) is verdict


def test_what_nobody_could_judge_is_undecided():
    assert judge_drop(None, 1.0) is GateOutcome.UNDECIDED


def test_shares():
    assert [judge_share(share, 0.1) for share in (0.1, 0.1001, math.nan)] == [
        GateOutcome.KEPT,
        GateOutcome.EXCEEDED,
        GateOutcome.EXCEEDED,
    ]


@pytest.mark.parametrize("limit", [None, 0, 0.5, 1])
def test_limits_that_make_sense(limit):
    check_limit("limit", limit, most=1.0)
    check_limit("limit", limit)
    check_limit("limit", 1e6)


@pytest.mark.parametrize(
    ("limit", "most"), [(math.nan, 1), (math.inf, math.inf), (-1e-9, math.inf), (1.01, 1), (-1, 1)]
)
def test_limits_that_do_not(limit, most):
    with pytest.raises(InvalidArgument, match="`limit`: expected a"):
        check_limit("limit", limit, most=most)
