"""Neighbours in an order of values: against distances by hand, and whatever the order and storage of the rows."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.kernels.neighbours.search import nearest_labels, votes_within


def grid_rows(n=200, d=3, seed=0):
    """Rows of few values, with many duplicates and equal distances."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 3, (n, d)).astype(float), rng.integers(0, 3, n), rng.integers(0, 3, (20, d)).astype(float)


def test_neighbours_are_those_of_a_sort_by_distance():
    rng = np.random.default_rng(0)
    X, codes, queries = rng.normal(size=(300, 7)), rng.integers(0, 4, 300), rng.normal(size=(9, 7))
    found = nearest_labels(X, codes, queries, width=50)
    for query, labels in zip(queries, found, strict=True):
        order = np.argsort(((X - query) ** 2).sum(axis=1))
        assert labels.tolist() == codes[order[:50]].tolist()


def test_ties_are_decided_by_values_and_not_by_the_order_of_rows():
    X, codes, queries = grid_rows()
    found = nearest_labels(X, codes, queries, width=60)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(X))
        np.testing.assert_array_equal(nearest_labels(X[order], codes[order], queries, width=60), found)


def test_large_offsets_do_not_blur_which_rows_are_near():
    # Products of rows cancel here: of 1e16 + small differences nothing would be left.
    X = 1e8 + np.arange(10.0)[:, None] * 0.25
    found = nearest_labels(X, np.arange(10), np.array([[1e8 + 1.0]]), width=3)
    assert found[0, 0] == 4
    assert set(found[0, 1:]) == {3, 5}


@pytest.mark.parametrize("columns", [3, 70_000])
def test_storage_does_not_matter(columns):
    rng = np.random.default_rng(1)
    dense = np.zeros((125, columns))
    dense[:, :3] = rng.integers(0, 3, (125, 3))
    codes, queries = rng.integers(0, 2, 125), dense[:10]
    found = nearest_labels(dense, codes, queries, width=40)
    votes = votes_within(dense, codes, queries, radius=1.0, n_classes=2)
    for stored, asked in ((csr_array(dense), queries), (dense, csr_array(queries))):
        np.testing.assert_array_equal(nearest_labels(stored, codes, asked, width=40), found)
        np.testing.assert_array_equal(votes_within(stored, codes, asked, radius=1.0, n_classes=2), votes)


def test_rows_at_the_radius_vote():
    X, codes, queries = grid_rows()
    votes = votes_within(X, codes, queries, radius=1.0, n_classes=3)
    for query, counted in zip(queries, votes, strict=True):
        inside = ((X - query) ** 2).sum(axis=1) <= 1.0
        assert counted.tolist() == np.bincount(codes[inside], minlength=3).tolist()


def test_what_does_not_fit_is_refused():
    X, codes, queries = grid_rows()
    with pytest.raises(InvalidArgument, match="width"):
        nearest_labels(X, codes, queries, width=201)
    with pytest.raises(InvalidData, match="3 columns"):
        nearest_labels(X, codes, queries[:, :2], width=2)
    with pytest.raises(InvalidArgument, match="radius"):
        votes_within(X, codes, queries, radius=0.0, n_classes=3)
