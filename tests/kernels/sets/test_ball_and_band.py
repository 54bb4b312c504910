"""Rows projected and farthest points in closed form: what the general method finds, and where it is not asked."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.core.errors import EmptyFeasibleSet, InvalidArgument
from toadstone.core.feasible import ball, slab
from toadstone.kernels.sets.ball_and_band import farthest, is_ball_and_band, project_rows
from toadstone.kernels.sets.membership import violations
from toadstone.kernels.sets.regions import maximize, project, support_bound
from toadstone.kernels.sets.sets import ConvexSet


def region(seed, d=4):
    """A ball with a band that may cut it on either side of its centre."""
    rng = np.random.default_rng(seed)
    centre, normal, radius = rng.normal(size=d), 3 * rng.normal(size=d), rng.uniform(0.5, 3)
    ends = (rng.uniform(-0.95, 0.95) + np.array([0.0, rng.uniform(0, 1)])) * radius * np.linalg.norm(normal)
    ends = ends + normal @ centre if rng.random() < 0.5 else normal @ centre - ends[::-1]
    return dataclasses.replace(ball(centre, radius), bands=normal[None], low=ends[:1], high=ends[1:])


@given(seed=st.integers(0, 2**16))
@settings(max_examples=60)
def test_the_nearest_points_are_those_of_the_general_method(seed):
    where = region(seed)
    rows = where.centre + np.random.default_rng(seed).normal(size=(6, 4)) * 3
    found = project_rows(where, rows)
    assert is_ball_and_band(where)
    assert violations(where, found).max() <= 1e-12
    for row, nearest in zip(rows, found, strict=True):
        assert np.linalg.norm(nearest - row) <= np.linalg.norm(project(where, row)[0] - row) + 1e-7
    assert np.allclose(project_rows(where, found), found, atol=1e-12)


def test_a_ball_alone_and_its_centre():
    where = ball(np.array([1.0, 0.0]), 2.0)
    rows = np.array([[1.0, 0.0], [5.0, 0.0], [1.5, 0.5]])
    assert np.array_equal(project_rows(where, rows), [[1.0, 0.0], [3.0, 0.0], [1.5, 0.5]])


def test_a_row_does_not_depend_on_the_others():
    where, rows = region(3, d=50), np.random.default_rng(3).normal(size=(40, 50)) * 3
    alone = np.stack([project_rows(where, row[None])[0] for row in rows])
    assert np.array_equal(project_rows(where, rows), alone)


def test_sets_use_it_and_refuse_what_they_did():
    where = region(5)
    rows = where.centre + np.random.default_rng(5).normal(size=(3, 4)) * 3
    one = ConvexSet({"spam": where})
    assert np.array_equal(one.project(rows, np.repeat("spam", 3)), project_rows(where, rows))
    with pytest.raises(InvalidArgument):
        one.project(np.full((1, 4), np.nan), np.array(["spam"]))
    beyond = dataclasses.replace(where, low=where.low + 1e3, high=where.high + 1e3)
    with pytest.raises(EmptyFeasibleSet):
        ConvexSet({"spam": beyond}).project(rows, np.repeat("spam", 3))


@pytest.mark.parametrize("change", ["box", "integer", "slab", "two bands", "empty"])
def test_other_regions_are_left_to_the_general_method(change):
    where = region(1)
    others = {
        "box": dataclasses.replace(where, lower=np.full(4, -9.0)),
        "integer": dataclasses.replace(where, integer=True),
        "slab": slab(np.ones(4), 0.0, 1.0),
        "two bands": dataclasses.replace(
            where, bands=np.ones((2, 4)), low=np.repeat(where.low, 2), high=np.repeat(where.high, 2)
        ),
        "empty": dataclasses.replace(where, bands=np.zeros((1, 4)), low=np.ones(1), high=np.ones(1)),
    }
    assert not is_ball_and_band(others[change])


@given(seed=st.integers(0, 2**16), d=st.integers(2, 30))
@settings(max_examples=60, deadline=None)
def test_the_farthest_point_is_proved_by_its_multipliers_and_found_by_the_general_method(seed, d):
    where = region(seed, d)
    direction = np.random.default_rng(seed + 1).normal(size=d) * 10.0 ** (seed % 5 - 2)
    point, multipliers = farthest(where, direction)
    size = np.linalg.norm(direction) * (where.radius + np.linalg.norm(where.centre))
    assert violations(where, point[None]).max() <= 1e-9
    assert direction @ point <= support_bound(where, direction, multipliers) <= direction @ point + 1e-9 * size
    # With a bound of one feature, far off, it is the general method's.
    general = maximize(dataclasses.replace(where, upper=np.append(np.full(d - 1, np.inf), 1e9)), direction)
    assert general.value - 1e-9 * size <= direction @ point <= general.bound + 1e-9 * size
    assert np.array_equal(maximize(where, direction).point, point)


def test_the_farthest_point_of_a_ball_alone():
    point, multipliers = farthest(ball(np.array([1.0, 2.0]), 5.0), np.array([3.0, 4.0]))
    assert np.allclose(point, [4.0, 6.0])
    assert np.allclose(multipliers, [0.5])


def test_a_point_and_the_normal_of_a_band_that_binds_are_left_to_the_general_method():
    where = dataclasses.replace(ball(np.zeros(2), 2.0), bands=np.eye(2)[:1], low=np.array([-1.0]), high=np.array([1.0]))
    assert farthest(where, where.bands[0]) is None
    assert maximize(where, where.bands[0]).value == pytest.approx(1.0)
    assert farthest(ball(np.zeros(2), 0.0), np.ones(2)) is None
