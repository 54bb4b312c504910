"""Windows: which columns a group shares, which rows fit them, and that sparse rows are treated alike."""

import numpy as np
import pytest
from scipy.sparse import csc_array

from toadstone.kernels.verdict.windows import (
    Window,
    are_words,
    by_columns,
    deviations,
    present_window,
    shared_window,
    signs_of,
)


@pytest.fixture
def rows():
    X = np.random.default_rng(0).normal(size=(50, 4))
    X[:10, 2] = 6.0
    X[:8, 0] = -5.0
    return X


def test_columns_in_which_four_of_five_agree_are_shared(rows):
    window = shared_window(rows, np.arange(10), np.full(4, 0.1))
    assert window.columns.tolist() == [0, 2]
    assert (window.lows.tolist(), window.highs.tolist()) == ([-5.1, 5.9], [-4.9, 6.1])


def test_columns_in_which_all_must_agree_are_fewer(rows):
    assert shared_window(rows, np.arange(10), np.full(4, 0.1), 0.95).columns.tolist() == [2]


def test_a_value_that_the_others_have_as_well_is_not_shared(rows):
    rows[10:30, 2] = 6.0
    assert shared_window(rows, np.arange(10), np.full(4, 0.1)).columns.tolist() == [0]


def test_all_of_few_ranges_and_most_of_many_have_to_fit():
    few = Window(np.arange(4), np.zeros(4), np.ones(4))
    many = Window(np.arange(10), np.zeros(10), np.ones(10))
    inside = np.full((2, 10), 0.5)
    inside[0, :1], inside[1, :3] = 2.0, 2.0
    assert few.fits(inside).tolist() == [False, False]
    assert many.fits(inside).tolist() == [True, False]
    assert many.fits(inside, 0.6).tolist() == [True, True]


def test_sparse_rows_share_what_dense_rows_share():
    X = (np.random.default_rng(0).random((60, 30)) < 0.1).astype(float)
    X[:12, [3, 7]] = 1.0
    dense, sparse = (shared_window(by_columns(M), np.arange(12), np.zeros(30)) for M in (X, csc_array(X)))
    assert dense.columns.tolist() == sparse.columns.tolist() == [3, 7]
    assert sparse.fits(csc_array(X)).tolist() == dense.fits(X).tolist()
    assert deviations(csc_array(X)) == pytest.approx(X.std(axis=0))


@pytest.mark.parametrize("form", [np.asarray, csc_array])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_entries_of_one_sign_are_shared_whatever_their_size(form, sign):
    rng = np.random.default_rng(0)
    X = np.where(rng.random((100, 5)) < 0.1, sign * rng.random((100, 5)), 0.0)
    X[:10, 3] = sign * rng.uniform(0.1, 9, 10)
    X[10:, 3] = 0.0
    X[50, 3] = -sign
    window = present_window(signs_of(form(X)), np.arange(10))
    assert window.columns.tolist() == [3]
    assert np.flatnonzero(window.fits(form(X))).tolist() == list(range(10))
    assert shared_window(form(X), np.arange(10), np.zeros(5)).columns.tolist() == []


def test_words_fill_less_than_an_eighth():
    assert are_words(np.eye(9))
    assert not are_words(np.eye(8))


@pytest.mark.parametrize("form", [np.asarray, csc_array])
def test_a_range_that_most_of_some_rows_have_is_not_rare_among_them(form, rows):
    rows[30:45, 2] = 6.0
    window = Window(np.array([0, 2]), np.array([-5.0, 6.0]), np.array([-5.0, 6.0]))
    assert window.rare_among(form(rows), np.arange(30, 50)).columns.tolist() == [0]
    assert window.rare_among(form(rows), np.arange(10, 50)).columns.tolist() == [0, 2]
    assert window.rare_among(form(rows), np.arange(0)).columns.tolist() == [0, 2]
