"""Regions as data: shapes and contradictions."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.core.certificate import NormBall, Ridge
from toadstone.core.errors import EmptyFeasibleSet, InvalidArgument
from toadstone.core.feasible import Region, ball, slab


def region(**changes):
    fields = {
        "lower": np.zeros(2),
        "upper": np.ones(2),
        "centre": np.zeros(2),
        "radius": 1.0,
        "bands": np.ones((1, 2)),
        "low": np.zeros(1),
        "high": np.ones(1),
    }
    return Region(**{**fields, **changes})


def test_balls_and_slabs_have_no_other_limits():
    round_one, flat = ball(np.ones(3), 2.0), slab(np.ones(3), -1.0, 4.0)
    assert round_one.n_features == flat.n_features == 3
    assert np.all(round_one.upper == np.inf)
    assert round_one.bands.shape == (0, 3)
    assert flat.radius == np.inf
    assert (flat.low.tolist(), flat.high.tolist()) == ([-1.0], [4.0])


@pytest.mark.parametrize(
    "wrong",
    [
        {"lower": np.zeros(3)},
        {"upper": np.ones(1)},
        {"bands": np.ones((2, 2))},
        {"bands": np.ones((1, 3))},
        {"high": np.ones(2)},
    ],
)
def test_shapes_that_disagree_are_refused(wrong):
    with pytest.raises(InvalidArgument, match="`region`: expected arrays for 2 features"):
        region(**wrong)


@pytest.mark.parametrize("radius", [-1.0, np.nan])
def test_a_radius_that_is_no_length_is_refused(radius):
    with pytest.raises(InvalidArgument, match="`radius`: expected a number that is not negative"):
        region(radius=radius)


@pytest.mark.parametrize("part", ["lower", "upper", "centre", "bands", "low", "high"])
def test_limits_that_are_no_numbers_are_refused(part):
    shape = {"bands": (1, 2), "low": 1, "high": 1}.get(part, 2)
    with pytest.raises(InvalidArgument, match="`region`: expected numbers, got NaN"):
        region(**{part: np.full(shape, np.nan)})


@pytest.mark.parametrize("crossed", [{"lower": np.array([0.0, 2.0])}, {"low": np.array([1.5])}])
def test_limits_that_cross_leave_nothing(crossed):
    with pytest.raises(EmptyFeasibleSet, match="a lower bound lies above its upper bound"):
        region(**crossed)


@pytest.mark.parametrize("value", [0.0, -2.0, np.nan, np.inf])
def test_hypotheses_need_a_positive_size(value):
    with pytest.raises(InvalidArgument, match="`norm_squared`: expected a positive number"):
        NormBall(value)
    with pytest.raises(InvalidArgument, match="`ridge`: expected a positive number"):
        Ridge(value)
