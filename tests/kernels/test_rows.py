"""The row vocabulary means the same for dense and sparse rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array, issparse

from toadstone.kernels.rows import (
    class_masks,
    column_extremes,
    count_distinct,
    fitting_domain,
    mean,
    squared_distances,
    stack,
)


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    return rng.integers(-2, 4, (30, 7)) * (rng.random((30, 7)) < 0.5) * 1.0


@pytest.mark.parametrize("as_rows", [np.asarray, csr_array])
def test_distances_means_and_extremes(rows, as_rows):
    X, centre = as_rows(rows), np.arange(7) / 3
    chosen = np.arange(30) % 2 == 0
    np.testing.assert_allclose(squared_distances(X, centre), ((rows - centre) ** 2).sum(axis=1))
    np.testing.assert_allclose(mean(X, chosen), rows[chosen].mean(axis=0), atol=1e-12)
    lowest, highest = column_extremes(X)
    np.testing.assert_array_equal(lowest, rows.min(axis=0))
    np.testing.assert_array_equal(highest, rows.max(axis=0))


def test_distances_are_never_negative():
    points = np.random.default_rng(1).normal(size=(200, 40)) * 1e6
    assert all(squared_distances(csr_array(point[None, :]), point)[0] >= 0 for point in points)


def test_extremes_count_the_zeros_that_are_not_stored():
    lowest, highest = column_extremes(csr_array([[3.0, -1.0], [0.0, 0.0]]))
    assert lowest.tolist() == [0.0, -1.0]
    assert highest.tolist() == [3.0, 0.0]


def test_stacking_keeps_rows_sparse_if_one_block_is(rows):
    mixed = stack([csr_array(rows), rows[:2]])
    assert issparse(mixed)
    assert mixed.format == "csr"
    np.testing.assert_array_equal(mixed.toarray(), np.vstack([rows, rows[:2]]))
    np.testing.assert_array_equal(stack([rows, rows]), np.vstack([rows, rows]))


def test_class_masks_come_in_sorted_order():
    masks = class_masks(np.array(["b", "a", "b"]))
    assert list(masks) == ["a", "b"]
    assert masks["b"].tolist() == [True, False, True]


@pytest.mark.parametrize("as_rows", [np.asarray, csr_array])
@pytest.mark.parametrize(
    ("values", "domain"),
    [
        ([[0, 3], [1, 0]], "integer"),
        ([[0, 1], [1, 0]], "box"),
        ([[0, 0.5], [1, 0]], "box"),
        ([[0, 2.5], [1, 0]], "real"),
        ([[0, -1], [1, 5]], "real"),
    ],
)
def test_the_domain_that_values_suggest(values, domain, as_rows):
    assert fitting_domain(as_rows(np.array(values, dtype=float))) == domain


@pytest.mark.parametrize("as_rows", [np.asarray, csr_array])
def test_equal_rows_count_once(rows, as_rows):
    assert count_distinct(as_rows(np.repeat(rows[:5], [1, 2, 3, 1, 4], axis=0))) == 5
    assert count_distinct(as_rows(rows[:0])) == 0


def test_stored_zeros_and_the_order_of_entries_do_not_make_a_row_another():
    scattered = csr_array((np.array([2.0, 1.0, 0.0, 1.0, 2.0]), np.array([1, 0, 2, 0, 1]), np.array([0, 3, 5])), (2, 3))
    assert count_distinct(scattered) == 1
