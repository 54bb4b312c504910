"""The row vocabulary means the same for dense and sparse rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array, issparse

import toadstone.kernels.rows
from toadstone.core.dataset import as_matrix
from toadstone.kernels.rows import (
    canonical_form,
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


@pytest.mark.parametrize(("filled", "sparse"), [(0, True), (12, True), (13, False), (100, False)])
@pytest.mark.parametrize("stored", ["dense", "csr", "backwards", "with zeros"])
def test_the_form_of_rows_depends_on_their_values_alone(monkeypatch, filled, sparse, stored):
    monkeypatch.setattr(toadstone.kernels.rows, "SMALL", 99)
    table = np.zeros(100)
    table[np.random.default_rng(0).permutation(100)[:filled]] = -2.0
    table = table.reshape(10, 10)
    X = table
    if stored == "dense":
        X = np.where(table == 0, -0.0, table)
    elif stored == "csr":
        X = csr_array(table)
    elif stored == "backwards":
        held = csr_array(table[:, ::-1])
        X = csr_array((held.data, 9 - held.indices, held.indptr), shape=table.shape)
    else:
        every = np.arange(100)
        X = csr_array((table.ravel(), every % 10, [*every[::10].tolist(), 100]), shape=table.shape)
    before = X.copy()
    found = canonical_form(as_matrix(X))
    assert issparse(found) == sparse
    if sparse:
        expected = csr_array(table)
        for part in ("data", "indices", "indptr"):
            np.testing.assert_array_equal(getattr(found, part), getattr(expected, part))
    else:
        np.testing.assert_array_equal(found, table)
        assert found.flags.c_contiguous
        assert not np.signbit(found[found == 0]).any()
    # The caller's rows stay as they were.
    for part in ("data", "indices", "indptr") if issparse(X) else ("data",):
        np.testing.assert_array_equal(getattr(X, part), getattr(before, part))


def test_rows_in_their_form_are_not_copied(monkeypatch):
    table = np.ones((10, 10))
    assert canonical_form(table) is table
    monkeypatch.setattr(toadstone.kernels.rows, "SMALL", 0)
    X = csr_array(np.eye(10))
    assert np.shares_memory(canonical_form(X).data, X.data)


def test_a_small_table_is_dense_whatever_its_values():
    assert not issparse(canonical_form(csr_array((4, 5))))
    assert issparse(canonical_form(csr_array((10_000, 10_000))))
