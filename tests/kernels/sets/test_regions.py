"""Known answers of projection and maximization: closed forms and degenerate regions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toadstone.core.errors import EmptyFeasibleSet, InvalidArgument
from toadstone.core.feasible import Region, ball, slab
from toadstone.kernels.sets import regions
from toadstone.kernels.sets.membership import extent, violations
from toadstone.kernels.sets.regions import maximize, project, support_bound

UNLIMITED = np.inf


def region(centre, radius, *, lower=-UNLIMITED, upper=UNLIMITED, bands=(), integer=False):
    """A region from plain numbers; each band is (normal, low, high)."""
    centre = np.asarray(centre, dtype=float)
    d = len(centre)
    normals = np.array([band[0] for band in bands], dtype=float).reshape(len(bands), d)
    low, high = (np.array([band[side] for band in bands], dtype=float) for side in (1, 2))
    return Region(np.full(d, lower), np.full(d, upper), centre, float(radius), normals, low, high, integer)


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.mark.parametrize("half_width", [0.01, 0.5, 100.0])
def test_maximum_over_a_ball_and_one_slab_in_closed_form(rng, half_width):
    for _ in range(20):
        d = int(rng.integers(2, 40))
        centre, c, v = rng.normal(size=(3, d))
        v /= np.linalg.norm(v)
        radius = float(rng.random() + 0.5)
        limit = half_width * radius
        along = radius * (v @ c) / np.linalg.norm(c)
        expected = radius * float(np.linalg.norm(c))
        if abs(along) > limit:
            across = c - (v @ c) * v
            expected = abs(v @ c) * limit + np.sqrt(radius**2 - limit**2) * float(np.linalg.norm(across))
        offset = v @ centre
        found = maximize(region(centre, radius, bands=[(v, offset - limit, offset + limit)]), c)
        assert found.value - c @ centre == pytest.approx(expected, rel=1e-9)
        assert found.bound - c @ centre == pytest.approx(expected, rel=1e-9)


def test_projection_on_a_ball_and_one_slab_in_closed_form(rng):
    for _ in range(60):
        d = int(rng.integers(2, 40))
        centre, q, v = rng.normal(size=(3, d))
        v /= np.linalg.norm(v)
        radius, limit = rng.random(2) * 2 + 0.01
        limit = min(limit, radius)
        along, across = v @ (q - centre), (q - centre) - (v @ (q - centre)) * v
        clipped, scaled = np.clip(along, -limit, limit), (q - centre) * min(1.0, radius / np.linalg.norm(q - centre))
        if np.hypot(clipped, np.linalg.norm(across)) <= radius:
            expected = clipped * v + across
        elif abs(v @ scaled) <= limit:
            expected = scaled
        else:
            side = np.sign(along) * limit
            expected = side * v + np.sqrt(radius**2 - side**2) * across / np.linalg.norm(across)
        offset = v @ centre
        nearest, _ = project(region(centre, radius, bands=[(v, offset - limit, offset + limit)]), q)
        np.testing.assert_allclose(nearest - centre, expected, atol=1e-8)


def test_maximum_over_a_ball_and_a_box_by_sorting(rng):
    # With the radius's multiplier nu, x = clip(centre + c / 2nu): bisect on nu.
    for _ in range(20):
        d = int(rng.integers(1, 30))
        centre, c = rng.normal(size=(2, d))
        lower, upper = centre - rng.random(d), centre + rng.random(d)
        radius = float(rng.random() * np.sqrt(d) / 2)
        small, large = 1e-9, 1e9
        for _ in range(200):
            nu = np.sqrt(small * large)
            x = np.clip(centre + c / (2 * nu), lower, upper)
            small, large = (nu, large) if np.sum((x - centre) ** 2) > radius**2 else (small, nu)
        boxed = Region(lower, upper, centre, radius, np.empty((0, d)), np.empty(0), np.empty(0))
        assert maximize(boxed, c).value == pytest.approx(c @ x, rel=1e-8)


def test_no_direction_gives_any_feasible_point():
    beside = region([3.0, 4.0], 1.0, upper=3.5)
    found = maximize(beside, np.zeros(2))
    assert (found.value, found.bound) == (0.0, 0.0)
    assert violations(beside, found.point[None, :]).max() <= 1e-8


def test_a_direction_along_a_band_stops_at_its_limit():
    v = np.array([3.0, 4.0])
    found = maximize(region([0.0, 0.0], 10.0, bands=[(v, -2.0, 5.0)]), 7 * v)
    assert found.value == pytest.approx(35.0, abs=1e-7)
    assert found.bound == pytest.approx(35.0, abs=1e-7)
    assert maximize(region([0.0, 0.0], 10.0, bands=[(v, -2.0, 5.0)]), -v).value == pytest.approx(2.0, abs=1e-7)


def test_a_slab_wider_than_the_ball_changes_nothing():
    c = np.array([1.0, 2.0, -2.0])
    wide = region([1.0, 0.0, 0.0], 2.0, bands=[([1, 0, 0], -50.0, 50.0)])
    assert maximize(wide, c).value == pytest.approx(maximize(ball(wide.centre, 2.0), c).value, rel=1e-9)


def test_a_slab_without_width_is_a_plane():
    flat = region([0.0, 0.0], 5.0, bands=[([1, 0], 3.0, 3.0)])
    np.testing.assert_allclose(maximize(flat, np.array([1.0, 1.0])).point, [3.0, 4.0], atol=1e-7)
    np.testing.assert_allclose(project(flat, np.array([-9.0, 1.0]))[0], [3.0, 1.0], atol=1e-7)


def test_a_centre_on_its_bounds():
    corner = region([0.0, 0.0], 1.0, lower=0.0)
    np.testing.assert_allclose(maximize(corner, np.array([-1.0, 1.0])).point, [0.0, 1.0], atol=1e-7)
    np.testing.assert_allclose(project(corner, np.array([-3.0, -4.0]))[0], [0.0, 0.0], atol=1e-12)


def test_no_radius_leaves_the_centre_alone():
    point = region([0.5, -2.0, 700.0], 0.0)
    np.testing.assert_allclose(project(point, np.zeros(3))[0], point.centre, atol=1e-6 * 700)
    found = maximize(point, np.array([1.0, 1.0, 0.0]))
    assert found.value == pytest.approx(-1.5, abs=1e-3)
    assert found.bound == pytest.approx(-1.5, abs=1e-3)


def test_a_box_of_one_point():
    fixed = Region(np.ones(2), np.ones(2), np.zeros(2), 2.0, np.ones((1, 2)), np.array([2.0]), np.array([2.0]))
    np.testing.assert_array_equal(project(fixed, np.array([5.0, -5.0]))[0], np.ones(2))
    found = maximize(fixed, np.array([1.0, -3.0]))
    assert (found.value, found.bound) == (pytest.approx(-2.0), pytest.approx(-2.0, abs=1e-7))


@pytest.mark.parametrize("factor", [1.0, -2.0, 1.0 + 1e-5])
def test_bands_that_repeat_or_nearly_repeat(rng, factor):
    v, w = rng.normal(size=(2, 6))
    # Not quite a multiple: a turn of 1e-5 is as near to parallel as real bands come.
    other = factor * v + (1e-5 * w if factor not in (1.0, -2.0) else 0.0)
    twice = region(np.zeros(6), 2.0, bands=[(v, -0.5, 0.5), (other, -0.7, 0.4)])
    q = 10 * v + rng.normal(size=6)
    nearest, _ = project(twice, q)
    assert violations(twice, nearest[None, :]).max() <= 1e-8
    limit = 0.4 if factor == 1.0 else 0.35 if factor == -2.0 else None
    if limit is not None:
        once = region(np.zeros(6), 2.0, bands=[(v, -0.5 if factor == 1 else -0.2, limit)])
        np.testing.assert_allclose(nearest, project(once, q)[0], atol=1e-6)
    found = maximize(twice, q)
    assert found.bound - found.value <= 1e-7 * abs(found.value)


def test_an_unlimited_region_has_an_infinite_bound_but_a_feasible_point():
    half = slab(np.array([1.0, 0.0]), -UNLIMITED, 2.0)
    assert maximize(half, np.array([0.0, 1.0])).bound == UNLIMITED
    bounded = maximize(half, np.array([3.0, 0.0]))
    assert (bounded.value, bounded.bound) == (pytest.approx(6.0), pytest.approx(6.0))
    assert violations(half, bounded.point[None, :]).max() <= 1e-8


@pytest.mark.parametrize("nu", [0.0, 1e-300, 1e-200])
@pytest.mark.parametrize("integer", [False, True])
def test_multipliers_that_prove_nothing_give_an_infinite_bound(nu, integer):
    assert support_bound(region([0.3, 0.6], 1.0, integer=integer), np.ones(2), np.array([nu])) == UNLIMITED


def test_a_bound_needs_finite_limits_where_it_uses_them():
    half = slab(np.array([1.0, 0.0]), -UNLIMITED, 2.0)
    assert support_bound(half, np.array([3.0, 0.0]), np.array([0.0, 3.0])) == pytest.approx(6.0)
    assert support_bound(half, np.array([-3.0, 0.0]), np.array([0.0, -3.0])) == UNLIMITED
    assert support_bound(half, np.array([3.0, 0.0]), np.array([1.0, 3.0])) == UNLIMITED


@pytest.mark.parametrize("multipliers", [[-1e-9, 0.0], [np.nan, 0.0], [0.0, np.inf], [0.0], [0.0, 0.0, 0.0]])
def test_multipliers_outside_their_range_are_refused(multipliers):
    banded = region([0.0], 1.0, bands=[([1.0], -1.0, 1.0)])
    with pytest.raises(InvalidArgument, match="multipliers"):
        support_bound(banded, np.ones(1), np.array(multipliers))


@pytest.mark.parametrize(
    "empty",
    [
        region([0.0, 0.0], 1.0, bands=[([1, 0], 1.001, 2.0)]),
        region([0.0, 0.0], 1.0, lower=0.8),
        region([0.0, 0.0], 9.0, bands=[([1, 1], 0.0, 1.0), ([2, 2], 2.1, 9.0)]),
        region([0.5, 0.5], 0.7, integer=True),
        region([0.0, 0.0], UNLIMITED, bands=[([1, 0], 0.0, 1.0), ([1, 0], 1.5, 2.0)]),
        region([0.0, 0.0], 1.0, bands=[([0, 0], 1.0, 2.0)]),
    ],
)
def test_an_empty_region_is_reported_and_never_hidden(empty):
    with pytest.raises(EmptyFeasibleSet):
        project(empty, np.array([5.0, -3.0]))
    with pytest.raises(EmptyFeasibleSet):
        maximize(empty, np.array([1.0, 2.0]))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(bad):
    with pytest.raises(InvalidArgument, match="`point`: expected finite numbers"):
        project(ball(np.zeros(2), 1.0), np.array([bad, 0.0]))
    with pytest.raises(InvalidArgument, match="`direction`: expected finite numbers"):
        maximize(ball(np.zeros(2), 1.0), np.array([bad, 0.0]))


def test_a_start_changes_the_work_but_not_the_answer(rng):
    centre, c = rng.normal(size=(2, 30))
    banded = region(centre, 2.0, bands=[(rng.normal(size=30), -1.0, 1.0)])
    cold = maximize(banded, c)
    warm = maximize(banded, c, start=cold.multipliers)
    poor = maximize(banded, c, start=np.array([1e6, -1e6]))
    assert warm.value == pytest.approx(cold.value, rel=1e-9)
    assert poor.value == pytest.approx(cold.value, rel=1e-9)


def counts(rng, d):
    """A region like those of word counts: most features stay at zero."""
    centre = rng.random(d) * (rng.random(d) < 0.2)
    normal, inside = rng.normal(size=d), np.round(centre)
    bands = [(normal, normal @ inside - 1, normal @ inside + 2)]
    radius = np.linalg.norm(inside - centre) + 2
    return region(centre, radius, lower=0.0, upper=5.0, bands=bands, integer=True)


@pytest.mark.parametrize("seed", range(5))
def test_many_features_change_the_work_but_not_the_answer(monkeypatch, seed):
    rng = np.random.default_rng(seed)
    many, c = counts(rng, 700), rng.normal(size=700)
    narrowly = maximize(many, c)
    monkeypatch.setattr(regions, "_MANY", 10**9)
    plainly = maximize(many, c)
    assert narrowly.value == pytest.approx(plainly.value, rel=1e-9)
    np.testing.assert_allclose(narrowly.point, plainly.point, atol=1e-6)


def test_features_held_wrongly_are_noticed(monkeypatch, rng):
    many, c = counts(rng, 700), rng.normal(size=700)
    expected = maximize(many, c).value
    right = regions._free_region
    monkeypatch.setattr(
        regions, "_free_region", lambda *given: replace(right(*given), radius=0.9 * right(*given).radius)
    )
    assert maximize(many, c).value == pytest.approx(expected, rel=1e-9)


def test_scaling_the_data_scales_the_answers(rng):
    centre, c, v = rng.normal(size=(3, 12))
    for scale in (1e-6, 1e6):
        plain = region(centre, 1.5, lower=-1.0, bands=[(v, -0.3, 0.4)])
        large = region(scale * centre, scale * 1.5, lower=-scale, bands=[(v, -0.3 * scale, 0.4 * scale)])
        assert extent(large) == pytest.approx(scale * extent(plain))
        assert maximize(large, c).value == pytest.approx(scale * maximize(plain, c).value, rel=1e-8)
        np.testing.assert_allclose(project(large, 9 * scale * c)[0] / scale, project(plain, 9 * c)[0], atol=1e-7)


def test_a_direction_along_a_band_is_bounded_wherever_it_is_rounded():
    normal = np.array([0.6, -0.8, 0.0]) / 3
    region = Region(
        np.full(3, -np.inf), np.full(3, np.inf), np.zeros(3), 2.0, normal[None, :], np.array([-0.1]), np.array([0.2])
    )
    found = maximize(region, normal)
    assert found.bound == pytest.approx(0.2)
    for nudge in (1 - 1e-14, 1 + 1e-15, 1 / 3):
        assert support_bound(region, normal * nudge, found.multipliers * nudge) == pytest.approx(0.2 * nudge)
