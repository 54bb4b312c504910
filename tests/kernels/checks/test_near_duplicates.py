"""Equal rows, rows equal in all columns but one, and what chance makes equal."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.kernels.checks import near_duplicates as room
from toadstone.kernels.checks.near_duplicates import near_duplicates


def found(X):
    groups = near_duplicates(X)
    return [rows.tolist() for rows in groups.equal], [rows.tolist() for rows in groups.near]


def numbers(n=80, d=6, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


@pytest.mark.parametrize("store", [np.asarray, csr_array])
def test_planted_copies_are_found_in_any_storage(store):
    X = numbers()
    X[[7, 20]] = X[3]
    X[40] = X[11]
    X[40, 5] = 0.25
    X[41] = X[11]
    X[41, 5] = 0.0
    # Two columns apart, and therefore no near-duplicate.
    X[60] = X[50]
    X[60, :2] += 1.0
    assert found(store(X)) == ([[3, 7, 20]], [[11, 40, 41]])


def test_a_copy_belongs_to_the_group_of_its_near_duplicate():
    X = numbers()
    X[5] = X[4]
    X[6] = X[4]
    X[6, 0] = 9.0
    assert found(X) == ([[4, 5]], [[4, 5, 6]])


def test_groups_follow_their_rows_through_a_shuffle():
    X = numbers()
    X[9] = X[2]
    X[30] = X[31]
    X[30, 1] = 4.0
    order = np.random.default_rng(1).permutation(len(X))
    equal, near, _ = near_duplicates(X[order])
    assert [sorted(order[rows].tolist()) for rows in equal] == [[2, 9]]
    assert [sorted(order[rows].tolist()) for rows in near] == [[30, 31]]


def test_what_chance_makes_equal_is_silent():
    rng = np.random.default_rng(0)
    # Categories repeat themselves, and so do rounded numbers in few columns.
    assert found(rng.integers(0, 4, (900, 8)).astype(float)) == ([], [])
    assert found(np.round(rng.normal(size=(900, 2)), 1)) == ([], [])
    words = csr_array((rng.random((500, 300)) < 0.01).astype(float))
    assert found(words) == ([], [])
    assert found(numbers(900, 3)) == ([], [])


def test_common_values_do_not_count_as_evidence():
    X = np.column_stack([numbers(400, 3), np.zeros((400, 20))])
    X[1, 3:] = X[0, 3:]
    assert found(X) == ([], [])


def test_rows_too_wide_to_compare_are_searched_for_equal_ones_alone(monkeypatch):
    monkeypatch.setattr(room, "MOST_ENTRIES", 10)
    X = numbers()
    X[7] = X[3]
    X[9] = X[8]
    X[9, 0] = 5.0
    assert found(X) == ([[3, 7]], [])


@pytest.mark.parametrize("X", [np.zeros((0, 3)), np.zeros((1, 3)), np.zeros((30, 3)), np.ones((30, 3))])
def test_rows_without_values_of_their_own(X):
    assert found(X) == ([], [])
