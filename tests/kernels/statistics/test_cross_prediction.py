"""Columns predicted from the others, against regressions done one by one."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.linear_model import Ridge

from toadstone.kernels.statistics import cross_prediction
from toadstone.kernels.statistics.cross_prediction import cross_predict


def correlated(n=60, d=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + 3


def by_hand(X, rows, ridge):
    """Unexplained shares by scikit-learn's regressions of one column after another."""
    mean, d = X.mean(axis=0), X.shape[1]
    penalty = ridge * X.var(axis=0).mean() * len(X)
    errors = np.zeros(len(rows))
    for column in range(d):
        others = np.delete(np.arange(d), column)
        model = Ridge(alpha=penalty, fit_intercept=False).fit((X - mean)[:, others], (X - mean)[:, column])
        errors += np.abs((rows - mean)[:, column] - model.predict((rows - mean)[:, others]))
    return errors / np.abs(rows - mean).sum(axis=1)


@pytest.mark.parametrize("form", [np.asarray, csr_array])
def test_agrees_with_one_regression_a_column(form):
    X, new = correlated(), correlated(n=9, seed=1)
    learned = cross_predict(form(X), ridge=0.03, most_columns=5)
    np.testing.assert_allclose(learned.unexplained(form(new), seen=False), by_hand(X, new, 0.03))


def test_a_row_that_was_seen_is_judged_as_if_it_had_not_been():
    X = correlated()
    fitted = cross_predict(X, ridge=0.03, most_columns=5)
    found = fitted.unexplained(X, seen=True)
    plain = fitted.unexplained(X, seen=False)
    without = []
    for row in range(60):
        # The diagonal of the inverse, the mean and the penalty stay those of all rows.
        away = X - fitted.mean
        rest = np.delete(away, row, axis=0)
        inverse = np.linalg.inv(rest.T @ rest / 60 + 0.03 * X.var(axis=0).mean() * np.eye(5))
        without.append(np.sum(np.abs(inverse @ away[row]) / np.diag(fitted.inverse)) / np.abs(away[row]).sum())
    np.testing.assert_allclose(found, without)
    assert (found > plain).all()


def test_blocks_and_the_most_varied_columns(monkeypatch):
    X = np.hstack([correlated(), 0.01 * correlated(seed=2)])[:, [5, 0, 1, 6, 2, 3, 7, 4, 8, 9]]
    some = cross_predict(X, ridge=0.03, most_columns=5)
    np.testing.assert_array_equal(some.columns, [1, 2, 4, 5, 7])
    whole = cross_predict(X[:, some.columns], ridge=0.03, most_columns=9)
    np.testing.assert_allclose(some.unexplained(X, seen=False), whole.unexplained(X[:, some.columns], seen=False))
    monkeypatch.setattr(cross_prediction, "_ROWS_AT_ONCE", 7)
    again = cross_predict(csr_array(X), ridge=0.03, most_columns=5)
    np.testing.assert_allclose(again.unexplained(csr_array(X), seen=False), some.unexplained(X, seen=False))


@pytest.mark.parametrize("form", [np.asarray, csr_array])
def test_columns_are_chosen_by_their_variance_and_not_by_their_size(form):
    spread = np.array([0.0, 2.0, 0.5, 1.0, 0.1])
    X = np.array([100.0, -50.0, 3.0, 0.0, -70.0]) + np.outer([-1.0, 1.0, -1.0, 1.0], spread)
    np.testing.assert_array_equal(cross_predict(form(X), ridge=0.03, most_columns=2).columns, [1, 3])


def test_units_are_irrelevant():
    X = correlated()
    small, large = (cross_predict(unit * X, ridge=0.03, most_columns=5) for unit in (1e-3, 1e3))
    np.testing.assert_allclose(small.unexplained(1e-3 * X, seen=True), large.unexplained(1e3 * X, seen=True))


def test_the_mean_itself_leaves_nothing_unexplained():
    learned = cross_predict(np.array([[0.0, 0.0], [2.0, 2.0]]), ridge=0.03, most_columns=5)
    np.testing.assert_array_equal(learned.unexplained(np.array([[1.0, 1.0]]), seen=False), [0.0])


def test_nothing_varies():
    learned = cross_predict(np.full((6, 3), 0.1), ridge=0.03, most_columns=9)
    assert np.ptp(learned.unexplained(np.full((6, 3), 0.1), seen=True)) == 0
    assert np.isfinite(learned.unexplained(np.eye(3), seen=False)).all()
