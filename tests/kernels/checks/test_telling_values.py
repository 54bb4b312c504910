"""Which values of a row speak for another label."""

import numpy as np
from scipy.sparse import csr_array

from toadstone.kernels.checks.telling_values import telling_features


def ordered(X, codes, rows, towards, column_of=None, most=9):
    column_of = np.arange(X.shape[1]) if column_of is None else column_of
    rows, towards = np.array(rows), np.array(towards)
    return [list(map(int, one)) for one in telling_features(X, codes, rows, towards, column_of=column_of, most=most)]


def table(seed=0):
    """Label 1 is high in column 1, low in column 3, and alike elsewhere; row 0 is labelled 0 and belongs to 1."""
    rng = np.random.default_rng(seed)
    codes = np.repeat([0, 1], 100)
    X = rng.normal(size=(200, 5))
    X[100:, 1] += 6.0
    X[100:, 3] -= 3.0
    X[0, [1, 3]] = 6.0, -3.0
    return X, codes


def test_the_columns_that_tell_come_first_by_their_part():
    X, codes = table()
    assert ordered(X, codes, [0], [1], most=2) == [[1, 3]]
    # A row that lies where its label does has nothing to tell in these columns.
    assert not {1, 3} & set(ordered(X, codes, [50], [1])[0])


def test_parts_are_those_of_the_discriminant():
    X, codes = table(1)
    means = np.array([X[codes == k].mean(axis=0) for k in (0, 1)])
    within = np.mean((X - means[codes]) ** 2, axis=0)
    parts = (X[0] - means.mean(axis=0)) * (means[1] - means[0]) / within
    expected = [int(j) for j in np.argsort(-parts) if parts[j] > 0]
    assert ordered(X, codes, [0], [1]) == [expected]


def test_scaling_and_shifting_a_column_changes_nothing():
    X, codes = table()
    assert ordered(X * [1, 9, 3, 0.1, 2] + 4.0, codes, [0, 7], [1, 1]) == ordered(X, codes, [0, 7], [1, 1])


def test_a_category_speaks_with_one_voice():
    codes = np.repeat([0, 1], 50)
    level = np.where(codes == 0, 0, 1)
    level[0] = 1
    X = np.column_stack([np.eye(3)[level], np.random.default_rng(0).normal(size=100)])
    assert ordered(X, codes, [0], [1], column_of=np.array([0, 0, 0, 1]))[0][0] in (0, 1)
    assert ordered(X, codes, [0], [1], column_of=np.array([0, 0, 0, 1]))[0].count(0) <= 1


def test_words_of_sparse_rows():
    codes = np.repeat([0, 1], 50)
    words = np.zeros((100, 6))
    words[50:, 2] = 1.0
    words[0, [2, 4]] = 1.0
    words[1:20, 4] = 1.0
    X = csr_array(words)
    assert ordered(X, codes, [0], [1]) == [[2]]
