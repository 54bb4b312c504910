"""Rounding to rows that agree: marginals kept, products alike, all inside."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.core.feasible import Region, slab
from toadstone.kernels.sets.balanced_rounding import round_balanced, round_inside
from toadstone.kernels.sets.regions import project
from toadstone.kernels.sets.rounding import round_systematically


@given(st.integers(0, 2**16), st.integers(1, 40), st.integers(1, 30), st.integers(1, 3))
@settings(deadline=None, max_examples=25)
def test_rows_are_roundings_and_their_mean_is_kept(seed, draws, d, k):
    rng = np.random.default_rng(seed)
    point, directions = 3 * rng.random(d), rng.normal(size=(k, d))
    rows = round_balanced(point, directions, draws, rng)
    assert rows.shape == (draws, d)
    assert np.all((rows == np.floor(point)) | (rows == np.ceil(point)))
    if draws >= 8:
        assert np.all(np.abs(rows.mean(axis=0) - point) <= 1 / draws + 1e-9)


@pytest.mark.parametrize("draws", [8, 60])
def test_products_differ_far_less_than_after_systematic_rounding(draws):
    rng = np.random.default_rng(0)
    point, directions = rng.random(400), rng.normal(size=(3, 400))
    balanced = round_balanced(point, directions, draws, rng) @ directions.T
    plain = round_systematically(point, directions[0], draws, rng) @ directions.T
    assert np.all(balanced.std(axis=0)[1:] < 0.2 * plain.std(axis=0)[1:])
    np.testing.assert_allclose(balanced.mean(axis=0), directions @ point, atol=5)


def test_whole_points_stay_as_they_are():
    point = np.array([2.0, 0.0, 5.0])
    rows = round_balanced(point, np.ones((1, 3)), 4, np.random.default_rng(0))
    np.testing.assert_array_equal(rows, np.tile(point, (4, 1)))


@pytest.mark.parametrize("draws", [1, 20])
def test_the_same_seed_gives_the_same_rows(draws):
    rng = np.random.default_rng(1)
    point, directions = rng.random(50), rng.normal(size=(2, 50))
    one, two = (round_balanced(point, directions, draws, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def region(seed: int, d: int = 300) -> Region:
    rng = np.random.default_rng(seed)
    centre, band = 0.3 * rng.random(d), rng.normal(size=(1, d)) / np.sqrt(d)
    offset = float(band[0] @ centre)
    low, high = np.array([offset - 0.3]), np.array([offset + 0.3])
    return Region(np.zeros(d), np.full(d, 9.0), centre, 8.0, band, low, high, integer=True)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("draws", [1, 30])
def test_rows_of_a_point_on_the_boundary_are_inside(seed, draws):
    rng, limits = np.random.default_rng(seed), region(seed)
    point, _ = project(limits, limits.centre + 2 * rng.random(300) * rng.integers(0, 2, 300))
    rows = round_inside(point, limits, rng.normal(size=300), draws, rng)
    assert rows.shape == (draws, 300)
    assert np.all(rows == np.floor(rows))
    assert np.all(np.sum((rows - limits.centre) ** 2, axis=1) <= limits.radius**2 * (1 + 1e-8))
    assert np.all(np.abs(rows @ limits.bands[0] - limits.bands[0] @ limits.centre) <= 0.3 + 1e-8)


def test_a_region_without_whole_points_gives_no_rows():
    d = 4
    narrow = Region(np.zeros(d), np.ones(d), np.full(d, 0.5), 0.1, np.empty((0, d)), np.empty(0), np.empty(0))
    rows = round_inside(np.full(d, 0.5), narrow, np.ones(d), 5, np.random.default_rng(0))
    assert rows.shape == (0, d)


def test_where_no_whole_row_can_be_inside_there_is_none():
    between = slab(np.array([1.0, 0.0, 0.0]), 0.3, 0.7)
    rows = round_inside(np.full(3, 0.5), between, np.ones(3), 4, np.random.default_rng(0))
    assert rows.shape == (0, 3)
