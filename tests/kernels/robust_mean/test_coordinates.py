"""Medians, trimmed means and means near the median against plain sorting, and their ranges against every attack."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.core.errors import InvalidArgument
from toadstone.kernels.robust_mean.coordinates import (
    coordinate_median,
    coordinate_median_range,
    mean_near_median,
    trimmed_mean,
    trimmed_mean_range,
)
from toadstone.kernels.robust_mean.network import comparators
from toadstone.kernels.robust_mean.rows import Rows

FAR = 1e6


def near(values, keep):
    """The nearest to the median; of two values equally near, the smaller first."""
    values = np.sort(values)
    return values[np.argsort(np.abs(values - np.median(values)), kind="stable")[:keep]].mean()


def sort_with(network, values):
    values = values.copy()
    for low, high in network:
        pair = np.sort(values[[low, high]], axis=0)
        values[low], values[high] = pair
    return values


@pytest.mark.parametrize("n", [1, 2, 3, 6, 9, 12])
def test_the_network_sorts_all_zeros_and_ones(n):
    # By the zero-one principle it then sorts anything.
    every = np.array(list(itertools.product((0, 1), repeat=n))).T
    for first, last in {(0, n), ((n - 1) // 2, n // 2 + 1), (n // 3, n - n // 3)}:
        found = sort_with(comparators(n, first, last), every)
        np.testing.assert_array_equal(found[first:last], np.sort(every, axis=0)[first:last])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 17, 100, 129])
def test_against_plain_sorting(n, dtype):
    rng = np.random.default_rng(n)
    rows = rng.normal(size=(n, 131)).astype(dtype)
    # Values in common, and both signs of zero.
    rows[:, 5], rows[:, 6] = rng.integers(0, 3, size=n), np.where(rng.random(n) < 0.5, 0.0, -0.0)
    exact = rows.astype(np.float64)
    np.testing.assert_array_equal(coordinate_median(Rows(rows)), np.median(exact, axis=0))
    for trim in {0, (n - 1) // 4, (n - 1) // 2}:
        expected = np.sort(exact, axis=0)[trim : n - trim].mean(axis=0)
        np.testing.assert_allclose(trimmed_mean(Rows(rows), trim), expected, rtol=0, atol=1e-15)
    for keep in {1, (n + 1) // 2, n}:
        expected = [near(column, keep) for column in exact.T]
        np.testing.assert_allclose(mean_near_median(Rows(rows), keep), expected, rtol=0, atol=1e-14)


def test_a_thousand_rows():
    rows = np.random.default_rng(0).normal(size=(1000, 20)).astype(np.float32)
    np.testing.assert_array_equal(coordinate_median(Rows(rows)), np.median(rows.astype(float), axis=0))
    expected = np.sort(rows.astype(float), axis=0)[100:900].mean(axis=0)
    np.testing.assert_allclose(trimmed_mean(Rows(rows), 100), expected, atol=1e-15)


def test_mixtures_are_sorted_in_double_precision():
    rng = np.random.default_rng(1)
    rows, mix = rng.normal(size=(8, 100)).astype(np.float32), rng.random(size=(5, 8))
    exact = mix @ rows.astype(np.float64)
    np.testing.assert_allclose(coordinate_median(Rows(rows).mixed(mix)), np.median(exact, axis=0), atol=1e-14)
    np.testing.assert_allclose(
        trimmed_mean(Rows(rows).mixed(mix), 1), np.sort(exact, axis=0)[1:-1].mean(axis=0), atol=1e-14
    )


@pytest.mark.parametrize("value", [1e30, -1e30])
def test_huge_rows_leave_no_trace(value):
    rows = np.random.default_rng(2).normal(size=(9, 100)).astype(np.float32)
    # The trimmed values are the same as if the two rows were merely larger than the others.
    large, merely = rows.copy(), rows.copy()
    large[:2], merely[:2] = value, np.sign(value) * 100
    np.testing.assert_array_equal(trimmed_mean(Rows(large), 2), trimmed_mean(Rows(merely), 2))
    np.testing.assert_array_equal(coordinate_median(Rows(large)), coordinate_median(Rows(merely)))
    np.testing.assert_array_equal(mean_near_median(Rows(large), 7), mean_near_median(Rows(merely), 7))


small = st.integers(0, 2**32 - 1)


@settings(max_examples=40, deadline=None)
@given(small, st.integers(3, 7))
def test_no_choice_of_rows_leaves_the_ranges_and_the_ends_are_reached(seed, n):
    rng = np.random.default_rng(seed)
    values = rng.integers(-4, 5, size=(n, 1)).astype(float)
    malicious = int(rng.integers(0, (n - 1) // 2 + 1))
    trim = int(rng.integers(malicious, (n - 1) // 2 + 1))
    found = []
    for chosen in itertools.combinations(range(n), malicious):
        for sent in itertools.product((-FAR, 0.5, FAR), repeat=malicious):
            attacked = values.copy()
            attacked[list(chosen), 0] = sent
            found.append((np.sort(attacked[:, 0])[trim : n - trim].mean(), np.median(attacked)))
    means, medians = np.array(found).T
    low, high = trimmed_mean_range(Rows(values), trim, malicious)
    np.testing.assert_allclose([low[0], high[0]], [means.min(), means.max()], atol=1e-12)
    low, high = coordinate_median_range(Rows(values), malicious)
    np.testing.assert_allclose([low[0], high[0]], [medians.min(), medians.max()], atol=1e-12)


def test_the_mean_itself_moves_as_theory_says():
    values = np.arange(10.0)[:, None]
    assert trimmed_mean_range(Rows(values), 3, 2)[0] == np.arange(1, 5).mean()
    assert trimmed_mean_range(Rows(values), 3, 2)[1] == np.arange(5, 9).mean()
    assert trimmed_mean_range(Rows(values), 3, 0)[0] == trimmed_mean(Rows(values), 3)


def test_counts_out_of_range():
    rows = Rows(np.zeros((4, 2)))
    for call in (
        lambda: trimmed_mean(rows, 2),
        lambda: trimmed_mean(rows, -1),
        lambda: mean_near_median(rows, 0),
        lambda: mean_near_median(rows, 5),
        lambda: trimmed_mean_range(rows, 1, 2),
        lambda: coordinate_median_range(rows, 2),
    ):
        with pytest.raises(InvalidArgument, match=r"`(trim|keep|malicious)`: expected"):
            call()
