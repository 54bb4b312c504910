"""Copies are told from rows that chance makes equal."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.kernels.checks.chance_copies import beyond_chance
from toadstone.kernels.checks.near_duplicates import near_duplicates


def counted(X):
    found = near_duplicates(X)
    return sum(map(len, found.equal)), len(found.equal)


def mixed(n, seed=0):
    rng = np.random.default_rng(seed)
    return np.column_stack(
        [
            rng.integers(18, 80, n),
            np.round(np.exp(rng.normal(10.3, 0.5, n))),
            rng.integers(1, 120, n),
            *rng.integers(0, 3, (3, n)),
        ]
    ).astype(float)


@pytest.mark.parametrize("store", [np.asarray, csr_array])
@pytest.mark.parametrize("n", [60, 300])
def test_every_row_of_a_doubled_table_is_counted(n, store):
    rng = np.random.default_rng(1)
    for X in (mixed(n), rng.normal(size=(n, 2))):
        assert counted(store(np.vstack([X, X]))) == (2 * n, n)


def test_twenty_copied_rows_of_four_columns_are_counted():
    X = np.random.default_rng(2).normal(size=(300, 4))
    assert counted(np.vstack([X, X[:20]])) == (40, 20)
    assert counted(np.vstack([mixed(300), mixed(300)[:20]])) == (40, 20)


def test_doubled_categories_are_told_by_the_sizes_of_their_groups():
    X = np.random.default_rng(3).integers(0, 4, (200, 5)).astype(float)
    assert not near_duplicates(X).equal
    assert counted(np.vstack([X, X]))[0] == 400
    assert counted(np.vstack([X, X, X]))[0] == 600


@pytest.mark.parametrize("columns", [1, 2, 3, 4, 5, 6, 8])
@pytest.mark.parametrize("levels", [2, 4, 12])
def test_rows_drawn_independently_are_never_copies(columns, levels):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        # Uneven shares, and columns that depend on each other.
        X = np.floor(levels * rng.random((600, columns)) ** 2)
        X = np.column_stack([X, X.sum(axis=1), X[:, 0] ** 2])
        assert not near_duplicates(X).equal


def test_one_rounded_column_repeats_by_chance():
    X = np.round(np.random.default_rng(4).normal(size=(60, 1)), 3)
    X[1] = X[0]
    assert not near_duplicates(X).equal
    assert near_duplicates(X).repeated >= 2
    assert not beyond_chance(X, [])
