"""One model a class, and margins as differences of scores."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning

from toadstone.kernels.linear.fit import LinearSolver, fit_linear
from toadstone.kernels.linear.one_vs_rest import fit_one_vs_rest
from toadstone.kernels.losses import HINGE


def test_each_class_is_fitted_against_the_rest():
    X, y = load_iris(return_X_y=True)
    fit = fit_one_vs_rest(X, y, LinearSolver(HINGE, 0.1))
    alone = fit_linear(X, np.where(y == 2, 1.0, -1.0), loss=HINGE, ridge=0.1)
    np.testing.assert_array_equal(fit.thetas[2], alone.theta)
    np.testing.assert_allclose(fit.scores(X)[:, 2], X @ alone.theta[:-1] + alone.theta[-1])


def test_two_classes_need_one_model_and_differ_by_a_margin():
    X, y = load_iris(return_X_y=True)
    X, y = X[y < 2], y[y < 2]
    fit = fit_one_vs_rest(X, y, LinearSolver(HINGE, 0.1))
    assert fit.thetas.shape == (1, 5)
    scores = fit.scores(X)
    np.testing.assert_allclose(scores[:, 1] - scores[:, 0], X @ fit.thetas[0, :-1] + fit.thetas[0, -1])


@pytest.mark.parametrize("n_classes", [2, 3])
def test_rivalries_are_differences_of_scores(n_classes):
    X, y = load_iris(return_X_y=True)
    X, y = X[y < n_classes], y[y < n_classes]
    fit = fit_one_vs_rest(X, y, LinearSolver(HINGE, 0.1))
    scores = fit.scores(X)
    for code in range(n_classes):
        linear = X @ fit.rivalries(code)[:, :-1].T + fit.rivalries(code)[:, -1]
        np.testing.assert_allclose(linear, scores[:, [code]] - np.delete(scores, code, axis=1), atol=1e-12)


def test_a_start_saves_the_work():
    X, y = load_iris(return_X_y=True)
    first = fit_one_vs_rest(X, y, LinearSolver(HINGE, 0.1, tolerance=1e-8))
    again = fit_one_vs_rest(X, y, LinearSolver(HINGE, 0.1, tolerance=1e-7), start=first)
    np.testing.assert_array_equal(again.duals, first.duals)


def test_a_gap_left_open_warns():
    X = 1e4 * np.random.default_rng(0).standard_normal((30, 2))
    with pytest.warns(ConvergenceWarning, match="duality gap"):
        fit_one_vs_rest(X, np.arange(30) % 2, LinearSolver(HINGE, 1e-6, tolerance=1e-15))
