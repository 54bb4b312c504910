"""Random rounding: means kept, steps of one at most, products held fixed, repeatable."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.kernels.sets.rounding import repeat_counts, round_independently, round_systematically

finite = st.floats(-50, 50, allow_nan=False)


def some_point(seed: int, d: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.gamma(1.0, 2.0, d), rng.normal(size=d)


@given(st.lists(st.tuples(finite, finite), min_size=1, max_size=30), st.integers(1, 9), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_each_coordinate_is_its_floor_or_its_ceiling(pairs, draws, seed):
    point, order = np.array(pairs).T
    rounded = round_systematically(point, order, draws, np.random.default_rng(seed))
    assert rounded.shape == (draws, len(point))
    assert np.all((rounded == np.floor(point)) | (rounded == np.ceil(point)))


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=20), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_whole_numbers_stay(values, seed):
    point = np.array(values, dtype=float)
    rounded = round_systematically(point, np.arange(len(point)) * 1.0, 3, np.random.default_rng(seed))
    np.testing.assert_array_equal(rounded, np.repeat(point[None, :], 3, axis=0))


@given(st.lists(finite, min_size=1, max_size=20), st.integers(1, 8), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_draws_of_one_call_balance_each_other(values, draws, seed):
    # With stratified offsets a coordinate goes up in the floor or the ceiling of its share of the draws.
    point = np.array(values)
    ups = (round_systematically(point, point, draws, np.random.default_rng(seed)) > point).sum(axis=0)
    share = draws * (point - np.floor(point))
    assert np.all(np.abs(ups - share) < 1 + 1e-9)


@pytest.mark.parametrize("draws", [1, 7])
def test_the_mean_is_kept(draws):
    point, order = some_point(0)
    rng = np.random.default_rng(1)
    calls = 6000 // draws
    first = np.array([round_systematically(point, order, draws, rng)[0] for _ in range(calls)])
    part = point - np.floor(point)
    error = (first.mean(axis=0) - point) / np.sqrt(part * (1 - part) / calls)
    # Forty errors in units of their deviation: a biased coordinate would stand out.
    assert np.abs(error).max() < 4.5
    assert np.sqrt(np.mean(error**2)) < 1.5


def test_every_draw_is_like_every_other():
    point, order = np.full(1, 0.3), np.zeros(1)
    rng = np.random.default_rng(2)
    ups = np.mean([round_systematically(point, order, 4, rng).ravel() for _ in range(4000)], axis=0)
    np.testing.assert_allclose(ups, 0.3, atol=0.03)


@pytest.mark.parametrize("seed", range(5))
def test_the_product_with_the_order_hardly_varies(seed):
    point, order = some_point(seed, d=400)
    rng = np.random.default_rng(seed)
    systematic = round_systematically(point, order, 64, rng) @ order
    independent = (np.floor(point) + (rng.random((64, 400)) < point - np.floor(point))) @ order
    assert np.ptp(systematic) < 2 * np.ptp(order)
    assert systematic.std() < 0.25 * independent.std()
    assert abs(systematic.mean() - point @ order) < 3 * systematic.std()


@pytest.mark.parametrize("seed", range(3))
def test_the_total_changes_by_less_than_one(seed):
    point, order = some_point(seed)
    totals = round_systematically(point, order, 20, np.random.default_rng(seed)).sum(axis=1)
    assert np.all(np.abs(totals - point.sum()) < 1)


def test_the_same_seed_gives_the_same_bytes():
    point, order = some_point(3)
    one, two, other = (round_systematically(point, order, 8, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert one.tobytes() == two.tobytes()
    assert one.tobytes() != other.tobytes()


def test_the_point_itself_is_left_alone():
    point, order = some_point(4)
    before = point.copy()
    round_systematically(point, order, 2, np.random.default_rng(0))
    np.testing.assert_array_equal(point, before)


class TestIndependently:
    def test_each_coordinate_is_its_floor_or_its_ceiling_with_the_point_as_mean(self):
        point, _ = some_point(5)
        rounded = round_independently(point, 4000, np.random.default_rng(0))
        assert np.all((rounded == np.floor(point)) | (rounded == np.ceil(point)))
        part = point - np.floor(point)
        error = (rounded.mean(axis=0) - point) / np.sqrt(part * (1 - part) / 4000)
        assert np.abs(error).max() < 4.5

    def test_rows_and_coordinates_do_not_depend_on_each_other(self):
        rounded = round_independently(np.full(2, 0.5), 4000, np.random.default_rng(1))
        assert abs(np.corrcoef(rounded.T)[0, 1]) < 0.06
        assert abs(np.corrcoef(rounded[:-1, 0], rounded[1:, 0])[0, 1]) < 0.06

    def test_the_same_seed_gives_the_same_bytes(self):
        point, _ = some_point(6)
        one, two, other = (round_independently(point, 3, np.random.default_rng(seed)) for seed in (5, 5, 6))
        assert one.tobytes() == two.tobytes()
        assert one.tobytes() != other.tobytes()


@given(st.integers(0, 200), st.integers(1, 9))
@settings(deadline=None)
def test_copies_are_whole_groups_and_a_rest(count, repeats):
    copies = repeat_counts(count, repeats)
    assert copies.sum() == count
    assert len(copies) == -(-count // repeats)
    assert np.all(copies[:-1] == repeats)
    assert np.all(copies > 0)
