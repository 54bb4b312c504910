"""Ridge against scikit-learn, its derivatives against differences, changes of targets against retraining."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.linear_model import Ridge

from toadstone.kernels.regression import ridge as module
from toadstone.kernels.regression.ridge import fit_ridge, row_gradient
from toadstone.kernels.regression.target_shift import most_harmful_targets


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3)) + np.array([1.0, 0.0, -2.0])
    return X, X @ [1.0, -2.0, 0.5] + rng.normal(size=40)


@pytest.mark.parametrize("penalty", [1e-3, 0.1, 3.0])
def test_the_model_is_that_of_scikit_learn(rows, penalty):
    X, y = rows
    ours, theirs = fit_ridge(X, y, penalty), Ridge(alpha=penalty * len(y)).fit(X, y)
    np.testing.assert_allclose(ours.weights, theirs.coef_, atol=1e-10)
    assert ours.bias == pytest.approx(theirs.intercept_)


def test_sparse_rows_and_many_columns_give_the_same_model(rows, monkeypatch):
    X, y = rows
    plain = fit_ridge(X, y, 0.1)
    np.testing.assert_allclose(fit_ridge(csr_array(X), y, 0.1).weights, plain.weights, atol=1e-10)
    monkeypatch.setattr(module, "_MOST_COLUMNS", 1)
    np.testing.assert_allclose(fit_ridge(csr_array(X), y, 0.1).weights, plain.weights, atol=1e-8)


def test_repeated_columns_have_a_model(rows):
    X, y = rows
    found = fit_ridge(np.column_stack([X, X]), y, 0.0)
    np.testing.assert_allclose(found.predict(np.column_stack([X, X])), fit_ridge(X, y, 0.0).predict(X), atol=1e-6)


def test_the_gradient_is_that_of_retraining(rows):
    X, y = rows
    probe = X[:10] + 1, y[:10] - 3

    def error(X, y):
        model = fit_ridge(X, y, 0.2)
        return float(model.squared_residuals(*probe).mean())

    value, gradient = row_gradient(X, y, 0.2, probe, slice(37, 40))
    assert value == pytest.approx(error(X, y))
    step = 1e-5
    for row in range(3):
        up, down = y.copy(), y.copy()
        up[37 + row] += step
        down[37 + row] -= step
        assert gradient.targets[row] == pytest.approx((error(X, up) - error(X, down)) / (2 * step), abs=1e-6)
        for column in range(3):
            up, down = X.copy(), X.copy()
            up[37 + row, column] += step
            down[37 + row, column] -= step
            difference = (error(up, y) - error(down, y)) / (2 * step)
            assert gradient.features[row, column] == pytest.approx(difference, abs=1e-6)


def test_the_most_harmful_change_is_the_best_of_all(rows):
    X, y = rows
    ends = float(y.min()), float(y.max())

    def error(row, end):
        changed = y.copy()
        changed[row] = end
        return float(fit_ridge(X, changed, 0.2).squared_residuals(X, y).mean())

    (row,), (end,) = most_harmful_targets(X, y, 0.2, ends, 1)
    assert error(row, end) == pytest.approx(max(error(i, e) for i in range(len(y)) for e in ends))


def test_no_target_is_chosen_twice_and_the_error_grows(rows):
    X, y = rows
    chosen, targets = most_harmful_targets(X, y, 0.2, (float(y.min()), float(y.max())), 15)
    assert len(set(chosen.tolist())) == 15
    errors = []
    for count in range(16):
        changed = y.copy()
        changed[chosen[:count]] = targets[:count]
        errors.append(fit_ridge(X, changed, 0.2).squared_residuals(X, y).mean())
    assert np.all(np.diff(errors) > 0)
