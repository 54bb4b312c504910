"""Columns that give the label away by themselves."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.kernels.checks.telling_columns import telling_columns


def columns(X, y, column_of=None):
    return [one.column for one in telling_columns(X, y, np.arange(X.shape[1]) if column_of is None else column_of)]


def labelled(n=300, classes=2, seed=0):
    rng = np.random.default_rng(seed)
    return rng, rng.integers(0, classes, n)


def test_a_number_a_flag_and_bands_that_tell_the_label():
    rng, y = labelled(600)
    bands = rng.integers(0, 9, 600) * 2.0 + y
    X = np.column_stack([rng.normal(size=600), y + rng.random(600), y, bands])
    assert columns(X, y) == [1, 2, 3]


def test_a_category_tells_by_its_features_together():
    rng, y = labelled(300, classes=3)
    one_hot = np.eye(6)[2 * y + rng.integers(0, 2, 300)]
    X = np.column_stack([rng.normal(size=300), one_hot])
    assert columns(X, y, np.r_[0, np.ones(6, dtype=int)]) == [1]
    assert columns(X, y) == []


def test_one_wrong_row_of_a_hundred_is_allowed_and_three_are_not():
    y = np.repeat([0, 1], 100)
    for wrong, expected in ((1, [0]), (3, [])):
        column = y.astype(float)
        column[:wrong] = 1.0
        column[100 : 100 + wrong] = 0.0
        assert columns(column[:, None], y) == expected
    assert telling_columns(y[:, None].astype(float), y, np.arange(1))[0].accuracy == 1.0


def test_a_rare_label_counts_as_much_as_a_frequent_one():
    y = np.r_[np.zeros(990, dtype=int), np.ones(10, dtype=int)]
    assert columns(np.zeros((1000, 1)), y) == []


def test_words_that_tell_and_words_that_do_not():
    rng, y = labelled(200)
    X = csr_array(np.column_stack([rng.random(200) < 0.3, y, rng.random(200) < 0.5]).astype(float))
    assert columns(X, y) == [1]


@pytest.mark.parametrize("n", [5, 40, 300, 2000])
def test_noise_is_silent(n):
    rng, y = labelled(n)
    assert columns(rng.normal(size=(n, 30)), y) == []
    assert columns(rng.integers(0, n, (n, 30)).astype(float), y) == []
