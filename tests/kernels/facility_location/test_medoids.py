"""Medoids: against plain greedy, against the best of all sets, and what is promised of them."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.kernels.facility_location import ball_tree as covering
from toadstone.kernels.facility_location.medoids import (
    given_medoids,
    greedy_medoids,
    lazy_medoids,
    partitioned_medoids,
    sampled_medoids,
)

seeds = st.integers(0, 2**32 - 1)


def residuals(seed: int, n: int = 60, classes: int = 4) -> np.ndarray:
    """Softmax less one-hot of the first class, some rows several times."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, classes)) * rng.uniform(0.5, 4)
    logits[:, 0] += 2
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    chances[:, 0] -= 1
    return chances[rng.integers(n, size=n)]


def all_distances(rows: np.ndarray) -> np.ndarray:
    """Of all pairs, rounded to the unit that the kernel counts in."""
    squares = np.zeros((len(rows), len(rows)))
    for column in rows.T:
        squares += (column[:, None] - column) ** 2
    unit = covering.longest(rows) / covering.FULL
    return np.floor(np.sqrt(squares) / unit + 0.5) * unit


def plain_greedy(rows: np.ndarray, count: int) -> tuple[list[int], list[float]]:
    """Every gain anew for every choice."""
    distances, reach = all_distances(rows), covering.longest(rows)
    nearest, picks, gains = np.full(len(rows), reach), [], []
    for _ in range(count):
        gain = np.maximum(nearest[:, None] - distances, 0).sum(axis=0)
        gain[picks] = -1
        picks.append(int(gain.argmax()))
        gains.append(float(gain.max()))
        nearest = np.minimum(nearest, distances[:, picks[-1]])
    return picks, gains


@pytest.fixture(autouse=True)
def small_groups(monkeypatch):
    """Groups so small that pruning happens with few rows."""
    monkeypatch.setattr(covering, "_LEAF", 4)


@given(seeds, st.integers(1, 60))
@settings(max_examples=10)
def test_the_choice_is_that_of_plain_greedy(seed, count):
    rows = residuals(seed)
    picks, gains = plain_greedy(rows, count)
    for choose in (greedy_medoids, lazy_medoids):
        found = choose(rows, count)
        assert found.rows.tolist() == picks
        np.testing.assert_array_equal(found.gains, gains)


def test_the_same_for_groups_of_the_usual_size(monkeypatch):
    monkeypatch.undo()
    rows = residuals(3, n=1200)
    picks, gains = plain_greedy(rows, 60)
    for found in (greedy_medoids(rows, 60), lazy_medoids(rows, 60)):
        assert found.rows.tolist() == picks
        np.testing.assert_array_equal(found.gains, gains)


@given(seeds, st.sampled_from([1e-5, 1e-9, 1e-13]))
@settings(max_examples=15)
def test_rows_that_differ_little_far_from_the_origin(seed, spread):
    rows = 7.0 + spread * residuals(seed, n=130)
    picks, gains = plain_greedy(rows, 3)
    found = greedy_medoids(rows, 3)
    assert found.rows.tolist() == picks
    np.testing.assert_array_equal(found.gains, gains)


@given(seeds, st.integers(1, 9))
@settings(max_examples=15)
def test_near_the_best_of_all_sets(seed, count):
    rows = residuals(seed, n=9)
    distances, reach = all_distances(rows), covering.longest(rows)
    best = max(
        (reach - distances[:, list(chosen)].min(axis=1)).sum() for chosen in itertools.combinations(range(9), count)
    )
    found = greedy_medoids(rows, count)
    assert (1 - 1 / math.e) * best <= found.objective <= best + 1e-9
    assert partitioned_medoids(rows, count, rng=np.random.default_rng(seed), part=4).objective <= best + 1e-9


@given(seeds, st.integers(1, 60))
@settings(max_examples=15)
def test_what_is_returned_fits_together(seed, count):
    rows, rng = residuals(seed), np.random.default_rng(seed)
    distances = all_distances(rows)
    for found in (
        greedy_medoids(rows, count),
        sampled_medoids(rows, count, rng=rng),
        partitioned_medoids(rows, count, rng=rng, part=17),
        given_medoids(rows, rng.permutation(len(rows))[:count]),
    ):
        assert len(set(found.rows.tolist())) == count == len(found.rows)
        to_medoids = distances[:, found.rows]
        owners = to_medoids.argmin(axis=1)
        owners[found.rows] = np.arange(count)
        np.testing.assert_array_equal(found.owners, owners)
        np.testing.assert_allclose(found.distances, to_medoids.min(axis=1), atol=1e-15)
        ranked = np.sort(np.column_stack([to_medoids, np.full(len(rows), np.inf)]), axis=1)
        np.testing.assert_allclose(found.second, ranked[:, 1], atol=1e-15)
        assert found.sizes.sum() == len(rows)
        assert np.all(found.sizes >= 1)
        assert found.gains.sum() == pytest.approx(found.objective, rel=1e-12)
        alone = [row for row in found.rows if (owners == owners[row]).sum() == 1]
        assert found.isolated.tolist() == sorted(alone)


@given(seeds)
@settings(max_examples=15)
def test_gains_shrink(seed):
    gains = greedy_medoids(residuals(seed), 30).gains
    assert np.all(np.diff(gains) <= 0)
    assert np.all(gains >= 0)


@given(seeds)
@settings(max_examples=15)
def test_the_order_of_rows_decides_only_between_equal_gains(seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(50, 3))
    shuffled = rng.permutation(50)
    before, after = greedy_medoids(rows, 20), greedy_medoids(rows[shuffled], 20)
    # Two rows that have only each other gain the same, and the first of them wins; what comes after may then differ.
    same = np.cumprod(shuffled[after.rows] == before.rows).sum()
    np.testing.assert_array_equal(after.gains[: same + 1], before.gains[: same + 1])
    assert same > 2
    if same == 20:
        np.testing.assert_array_equal(np.sort(shuffled[after.isolated]), before.isolated)


class TestKnownAnswers:
    def test_an_outlier_is_alone_and_two_coincident_ones_are_not(self):
        rows = np.concatenate([np.linspace(0, 0.01, 20)[:, None], [[5.0], [9.0], [9.0]]])
        found = greedy_medoids(rows, 4)
        assert found.isolated.tolist() == [20]
        assert 21 in found.rows
        assert 22 not in found.rows
        assert found.second[20] == pytest.approx(4.0)

    def test_a_medoid_belongs_to_itself_though_another_coincides(self):
        found = greedy_medoids(np.zeros((3, 2)), 3)
        assert found.rows.tolist() == [0, 1, 2]
        assert found.sizes.tolist() == [1, 1, 1]
        assert found.second.tolist() == [0, 0, 0]

    def test_one_medoid_has_no_second(self):
        found = greedy_medoids(np.array([[0.0], [1.0], [3.0]]), 1)
        assert found.rows.tolist() == [1]
        assert np.all(np.isinf(found.second))

    def test_equal_first_gains_go_to_the_lowest_row(self, monkeypatch):
        # Each row a group, in the order of their places: bounds are exact, and the higher row comes first.
        monkeypatch.setattr(covering, "_LEAF", 1)
        assert greedy_medoids(np.array([[1.0], [0.0]]), 1).rows.tolist() == [0]
        assert lazy_medoids(np.array([[1.0], [0.0]]), 1).rows.tolist() == [0]

    def test_a_difference_survives_a_large_offset(self):
        # Products of rows as long as these lose all digits of a distance of a millionth.
        rows = 1e3 + 1e-6 * np.array([[0.0], [1.0], [2.0], [9.0]])
        found = greedy_medoids(rows, 2)
        assert found.isolated.tolist() == [3]
        assert found.distances[0] == pytest.approx(1e-6, rel=1e-6)


class TestSampled:
    def test_all_candidates_are_plain_greedy(self):
        rows = residuals(8)
        found = sampled_medoids(rows, 7, rng=np.random.default_rng(0), failure=1e-12)
        assert found.rows.tolist() == plain_greedy(rows, 7)[0]

    def test_near_greedy_and_repeatable(self):
        rows = residuals(9, n=400)
        found, again = (sampled_medoids(rows, 40, rng=np.random.default_rng(5)) for _ in range(2))
        np.testing.assert_array_equal(found.rows, again.rows)
        assert found.objective >= (1 - 1 / math.e - 0.01) * greedy_medoids(rows, 40).objective
        other = sampled_medoids(rows, 40, rng=np.random.default_rng(6))
        assert found.rows.tolist() != other.rows.tolist()


class TestPartitioned:
    def test_a_single_part_is_greedy(self):
        rows = residuals(10)
        found = partitioned_medoids(rows, 9, rng=np.random.default_rng(0), part=60)
        np.testing.assert_array_equal(found.rows, greedy_medoids(rows, 9).rows)

    def test_near_greedy(self):
        rows = residuals(11, n=600)
        found = partitioned_medoids(rows, 60, rng=np.random.default_rng(0), part=100)
        assert found.objective >= 0.98 * greedy_medoids(rows, 60).objective

    def test_fewer_medoids_than_parts(self):
        found = partitioned_medoids(residuals(12), 2, rng=np.random.default_rng(0), part=5)
        assert len(found.rows) == 2


class TestRefusals:
    @pytest.mark.parametrize("rows", [np.zeros(3), np.empty((0, 2)), np.array([[0.0], [np.nan]])])
    def test_rows(self, rows):
        with pytest.raises(InvalidData, match="rows: expected a finite matrix with at least one row"):
            greedy_medoids(rows, 1)

    @pytest.mark.parametrize("count", [0, 4])
    def test_count(self, count):
        with pytest.raises(InvalidArgument, match="`count`: expected a whole number from 1 to 3, got"):
            lazy_medoids(np.zeros((3, 1)), count)

    def test_options(self):
        rng = np.random.default_rng(0)
        with pytest.raises(InvalidArgument, match=r"`failure`: expected a number in \(0, 1\), got 0"):
            sampled_medoids(np.zeros((3, 1)), 1, rng=rng, failure=0)
        with pytest.raises(InvalidArgument, match="`part`: expected a whole number from 1, got 0"):
            partitioned_medoids(np.zeros((3, 1)), 1, rng=rng, part=0)
