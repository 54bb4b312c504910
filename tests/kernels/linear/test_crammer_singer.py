"""The exact multi-class hinge: against liblinear, a modelling language and the binary solver."""

from __future__ import annotations

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale
from sklearn.svm import LinearSVC

from toadstone.core.errors import InvalidArgument
from toadstone.kernels.linear.crammer_singer import CrammerSingerSolver, fit_crammer_singer
from toadstone.kernels.linear.crammer_singer_descent import onto_simplex
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import HINGE, crammer_singer


def iris():
    X, y = load_iris(return_X_y=True)
    return scale(X), y


def rows(seed: int, n: int = 30, d: int = 4, k: int = 3):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, k, n)
    return rng.normal(size=(n, d)) + 0.7 * np.eye(k, d)[codes], codes


def objective(theta, X, codes, ridge, weights=None):
    losses = crammer_singer(X @ theta[:, :-1].T + theta[:, -1], codes)[0]
    return np.average(losses, weights=weights) + 0.5 * ridge * np.sum(theta**2)


def optimum(X, codes, k, ridge, weights):
    """The least value, by a generic solver."""
    theta = cp.Variable((k, X.shape[1] + 1))
    scores = np.column_stack([X, np.ones(len(X))]) @ theta.T
    right = cp.sum(cp.multiply(scores, np.eye(k)[codes]), axis=1)
    losses = cp.max(scores + (1 - np.eye(k)[codes]), axis=1) - right
    loss = cp.sum(cp.multiply(weights / weights.sum(), losses))
    problem = cp.Problem(cp.Minimize(loss + 0.5 * ridge * cp.sum_squares(theta)))
    return problem.solve(solver=cp.CLARABEL)


@given(arrays(float, st.integers(1, 6), elements=st.floats(-5, 5)))
def test_the_nearest_point_of_the_simplex(point):
    nearest = point.copy()
    onto_simplex(nearest)
    assert nearest.min() >= 0
    assert nearest.sum() == pytest.approx(1)
    # No corner lies in the direction that is left over.
    assert (point - nearest) @ nearest >= (point - nearest).max() - 1e-9


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("ridge", [1e-2, 1.0])
def test_agreement_with_a_generic_solver(seed, ridge):
    X, codes = rows(seed)
    weights = np.random.default_rng(seed).integers(0, 3, len(X)).astype(float)
    fit = fit_crammer_singer(X, codes, 3, ridge=ridge, weights=weights, tolerance=1e-8)
    assert fit.objective == pytest.approx(optimum(X, codes, 3, ridge, weights), rel=1e-6)
    assert fit.objective == pytest.approx(objective(fit.theta, X, codes, ridge, weights))


def test_agreement_with_liblinear():
    X, codes = iris()
    ours = fit_crammer_singer(X, codes, 3, ridge=0.05, tolerance=1e-10).theta
    theirs = LinearSVC(multi_class="crammer_singer", C=1 / (0.05 * len(X)), tol=1e-9, max_iter=1_000_000)
    theirs.fit(X, codes)
    np.testing.assert_allclose(ours, np.column_stack([theirs.coef_, theirs.intercept_]), atol=1e-4)


@settings(max_examples=20)
@given(st.integers(0, 1000), st.floats(1e-2, 1.0), st.sampled_from([0.3, 1e-2, 1e-4]))
def test_the_gap_bounds_the_distance_from_the_optimum(seed, ridge, tolerance):
    X, codes = rows(seed)
    rough = fit_crammer_singer(X, codes, 3, ridge=ridge, tolerance=tolerance)
    fine = fit_crammer_singer(X, codes, 3, ridge=ridge, tolerance=1e-9)
    assert -1e-9 * fine.objective <= rough.objective - fine.objective + fine.gap
    assert rough.objective - fine.objective <= rough.gap + 1e-12
    assert rough.gap <= tolerance * rough.objective


@pytest.mark.parametrize("ridge", [0.02, 0.5])
def test_two_classes_are_the_binary_hinge_at_twice_the_ridge(ridge):
    # The two rows of the best model are opposite, so half the difference's square is penalized.
    X, codes = rows(3, k=2)
    ours = fit_crammer_singer(X, codes, 2, ridge=2 * ridge, tolerance=1e-10)
    binary = fit_linear(X, np.where(codes == 1, 1.0, -1.0), loss=HINGE, ridge=ridge, tolerance=1e-10)
    np.testing.assert_allclose(ours.theta[1] - ours.theta[0], binary.theta, atol=1e-4)
    np.testing.assert_allclose(ours.theta.sum(axis=0), 0.0, atol=1e-12)
    assert ours.objective == pytest.approx(binary.objective)


def test_duals_are_simplices_that_make_the_model():
    X, codes = rows(1)
    fit = fit_crammer_singer(X, codes, 3, ridge=0.1, tolerance=1e-8)
    assert fit.duals.min() >= 0
    np.testing.assert_allclose(fit.duals.sum(axis=1), 1.0)
    pulled = (np.eye(3)[codes] - fit.duals).T @ np.column_stack([X, np.ones(len(X))])
    np.testing.assert_allclose(fit.theta, pulled / (0.1 * len(X)))


def test_a_start_saves_the_work():
    X, codes = iris()
    first = fit_crammer_singer(X, codes, 3, ridge=0.05, tolerance=1e-8)
    again = fit_crammer_singer(X, codes, 3, ridge=0.05, tolerance=1e-7, duals=first.duals)
    assert again.sweeps == 0
    np.testing.assert_allclose(again.theta, first.theta)
    astray = fit_crammer_singer(X, codes, 3, ridge=0.05, tolerance=1e-8, duals=first.duals + 3.0)
    assert astray.objective == pytest.approx(first.objective, rel=1e-7)


def test_a_weight_of_two_is_a_repeated_row_and_of_zero_none():
    X, codes = rows(2)
    weights = np.arange(len(X)) % 3
    repeated = np.repeat(np.arange(len(X)), weights)
    one = fit_crammer_singer(X, codes, 3, ridge=0.1, weights=weights.astype(float), tolerance=1e-9)
    two = fit_crammer_singer(X[repeated], codes[repeated], 3, ridge=0.1, tolerance=1e-9)
    np.testing.assert_allclose(one.theta, two.theta, atol=1e-4)


def test_sparse_and_dense_rows_train_alike():
    X, codes = iris()
    dense, sparse = (fit_crammer_singer(part, codes, 3, ridge=0.1) for part in (X, csr_array(X)))
    np.testing.assert_array_equal(dense.theta, sparse.theta)


def test_a_class_without_rows_gets_the_worst_scores():
    X, codes = rows(0)
    fit = fit_crammer_singer(X, codes, 4, ridge=0.1)
    assert np.all(fit.scores(X).argmax(axis=1) != 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ridge": 0.0}, "`ridge`: expected a positive number"),
        ({"weights": -np.ones(30)}, "`weights`: expected numbers that are not negative"),
        ({"weights": np.zeros(30)}, "`weights`: expected numbers that are not negative"),
        ({"n_classes": 2}, "`classes`: expected indices below 2"),
        ({"duals": np.ones((30, 2))}, "`duals`: expected an array of shape"),
    ],
)
def test_arguments_out_of_range(options, message):
    X, codes = rows(0)
    n_classes = options.pop("n_classes", 3)
    with pytest.raises(InvalidArgument, match=message):
        fit_crammer_singer(X, codes, n_classes, **{"ridge": 0.1, **options})


def test_rivalries_are_differences_of_scores():
    X, codes = iris()
    fit = fit_crammer_singer(csr_array(X), codes, 3, ridge=0.1)
    scores = fit.scores(csr_array(X))
    np.testing.assert_allclose(scores, X @ fit.theta[:, :-1].T + fit.theta[:, -1])
    for code in range(3):
        linear = X @ fit.rivalries(code)[:, :-1].T + fit.rivalries(code)[:, -1]
        np.testing.assert_allclose(linear, scores[:, [code]] - np.delete(scores, code, axis=1), atol=1e-12)


def test_a_gap_left_open_warns():
    X, codes = rows(0)
    with pytest.warns(ConvergenceWarning, match="duality gap"):
        CrammerSingerSolver(1e-6, max_sweeps=5).fit(1e3 * X, codes, 3)
