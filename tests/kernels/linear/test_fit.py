"""Linear models: agreement with others, honest gaps, and what must not matter."""

from __future__ import annotations

import contextlib
import warnings

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from toadstone.core.errors import InvalidArgument
from toadstone.kernels.linear.fit import LinearSolver, fit_linear
from toadstone.kernels.losses import HINGE, LOGISTIC, MARGIN_LOSSES, SQUARED_HINGE, MarginLoss, smooth_hinge

BIASES = ("regularized", "free", "none")
LOSSES = (HINGE, smooth_hinge(0.1), SQUARED_HINGE, LOGISTIC)


def problem(seed: int, n: int = 60, d: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * (rng.random((n, d)) < 0.7) + 0.3
    y = np.where(X @ rng.normal(size=d) + 0.7 * rng.normal(size=n) > 0, 1.0, -1.0)
    y[:2] = 1.0, -1.0
    return X, y


def objective(X, y, theta, *, loss: MarginLoss, ridge: float, bias: str, weights=None) -> float:
    costs = np.full(len(y), 1 / len(y)) if weights is None else weights / weights.sum()
    penalized = theta[:-1] if bias == "free" else theta
    return float(costs @ loss.value(y * (X @ theta[:-1] + theta[-1])) + ridge / 2 * penalized @ penalized)


def optimum(X, y, *, loss: MarginLoss, ridge: float, bias: str, weights=None) -> float:
    costs = np.full(len(y), 1 / len(y)) if weights is None else weights / weights.sum()
    w, b = cp.Variable(X.shape[1]), cp.Variable()
    margins = cp.multiply(y, X @ w + (0 if bias == "none" else b))
    if loss.temperature > 0:
        values = loss.temperature * cp.logistic((loss.shift - margins) / loss.temperature)
    else:
        values = cp.pos(1 - margins) if loss.curvature == 0 else cp.square(cp.pos(1 - margins))
    penalty = cp.sum_squares(w) + (cp.square(b) if bias == "regularized" else 0)
    solved = cp.Problem(cp.Minimize(costs @ values + ridge / 2 * penalty))
    for tolerance in (1e-10, 1e-8):
        with warnings.catch_warnings(), contextlib.suppress(cp.SolverError):
            warnings.filterwarnings("ignore", message="Solution may be inaccurate")
            solved.solve(solver=cp.CLARABEL, tol_gap_abs=tolerance, tol_gap_rel=tolerance, tol_feas=tolerance)
        if solved.status == cp.OPTIMAL:
            return float(solved.value)
    return np.nan


@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
@pytest.mark.parametrize("ridge", [1.0, 0.05])
def test_the_optimum_agrees_with_a_generic_solver(loss, bias, ridge):
    X, y = problem(2)
    fit = fit_linear(X, y, loss=loss, ridge=ridge, bias=bias, tolerance=1e-8)
    best = optimum(X, y, loss=loss, ridge=ridge, bias=bias)
    assert fit.objective == pytest.approx(best, rel=1e-6)
    assert fit.objective == pytest.approx(objective(X, y, fit.theta, loss=loss, ridge=ridge, bias=bias), rel=1e-12)
    assert fit.gap <= 1e-8 * fit.objective
    assert (fit.theta[-1] == 0) == (bias == "none")


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(LOSSES),
    st.sampled_from(BIASES),
    st.sampled_from([1.0, 0.1, 1e-3]),
    st.sampled_from([0.1, 1.0, 10.0]),
    st.sampled_from([0.0, 3.0, 100.0]),
    st.sampled_from([5, 50, 2000]),
)
@settings(deadline=None, max_examples=120)
def test_the_reported_gap_is_never_smaller_than_the_true_one(seed, loss, bias, ridge, scale, offset, sweeps):
    # Uncentred data keeps a free bias far from its optimum for long.
    rng = np.random.default_rng(seed)
    n, d = rng.integers(2, 20), rng.integers(1, 6)
    X = scale * rng.normal(size=(n, d)) + offset
    y = np.where(rng.random(n) < 0.5, 1.0, -1.0)
    y[:2] = 1.0, -1.0
    weights = None if rng.random() < 0.5 else rng.random(n) + 1e-3
    fit = LinearSolver(loss, ridge, bias, tolerance=1e-3, max_sweeps=sweeps).fit(X, y, weights=weights)
    best = optimum(X, y, loss=loss, ridge=ridge, bias=bias, weights=weights)
    assume(np.isfinite(best))
    assert fit.gap >= fit.objective - best - 1e-7 * max(1.0, best)


@pytest.mark.parametrize("seed", range(6))
def test_a_free_bias_still_far_from_its_optimum_widens_the_gap(seed):
    rng = np.random.default_rng(seed)
    deviation = rng.normal(size=20)
    y = np.where(deviation + 0.5 * rng.normal(size=20) > 0, 1.0, -1.0)
    X = 10 + deviation[:, None]
    fit = LinearSolver(LOGISTIC, 0.1, "free", max_sweeps=50).fit(X, y)
    centred = fit_linear(X - 10, y, loss=LOGISTIC, ridge=0.1, bias="free", tolerance=1e-9)
    assert fit.gap >= fit.objective - centred.objective


@pytest.mark.parametrize("loss", [HINGE, SQUARED_HINGE], ids=lambda loss: loss.name)
@pytest.mark.parametrize("bias", ["regularized", "none"])
def test_support_vector_machines_agree_with_liblinear(loss, bias):
    X, y = problem(8, n=200)
    ridge = 0.02
    other = LinearSVC(
        loss=loss.name, C=1 / (len(y) * ridge), fit_intercept=bias != "none", tol=1e-9, max_iter=200_000, dual=True
    ).fit(X, y)
    theirs = np.append(other.coef_[0], other.intercept_ if bias != "none" else 0.0)
    fit = fit_linear(X, y, loss=loss, ridge=ridge, bias=bias, tolerance=1e-9)
    assert fit.objective <= objective(X, y, theirs, loss=loss, ridge=ridge, bias=bias) * (1 + 1e-9)
    np.testing.assert_allclose(fit.theta, theirs, atol=2e-4)


@pytest.mark.parametrize("bias", ["free", "none"])
def test_logistic_regression_agrees_with_scikit_learn(bias):
    X, y = problem(9, n=200)
    ridge = 0.02
    other = LogisticRegression(C=1 / (len(y) * ridge), fit_intercept=bias != "none", tol=1e-10, max_iter=5000).fit(X, y)
    theirs = np.append(other.coef_[0], other.intercept_)
    fit = fit_linear(X, y, loss=LOGISTIC, ridge=ridge, bias=bias, tolerance=1e-9)
    assert fit.objective <= objective(X, y, theirs, loss=LOGISTIC, ridge=ridge, bias=bias) * (1 + 1e-9)
    np.testing.assert_allclose(fit.theta, theirs, atol=1e-4)


@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
class TestWhatMustNotMatter:
    def test_whole_weights_are_repeated_rows(self, loss, bias):
        X, y = problem(4, n=25)
        counts = np.random.default_rng(0).integers(0, 4, 25)
        counts[:2] = 1
        weighted = fit_linear(X, y, loss=loss, ridge=0.1, bias=bias, weights=counts * 1.0, tolerance=1e-10)
        repeated = fit_linear(
            np.repeat(X, counts, axis=0), np.repeat(y, counts), loss=loss, ridge=0.1, bias=bias, tolerance=1e-10
        )
        np.testing.assert_allclose(weighted.theta, repeated.theta, atol=1e-4)
        assert weighted.objective == pytest.approx(repeated.objective, rel=1e-9)

    def test_the_order_of_rows(self, loss, bias):
        X, y = problem(5)
        order = np.random.default_rng(1).permutation(len(y))
        one = fit_linear(X, y, loss=loss, ridge=0.1, bias=bias, tolerance=1e-10)
        other = fit_linear(X[order], y[order], loss=loss, ridge=0.1, bias=bias, tolerance=1e-10)
        np.testing.assert_allclose(one.theta, other.theta, atol=1e-4)

    def test_the_start(self, loss, bias):
        X, y = problem(6)
        cold = fit_linear(X, y, loss=loss, ridge=0.1, bias=bias, tolerance=1e-9)
        warm = fit_linear(X, y, loss=loss, ridge=0.1, bias=bias, tolerance=1e-9, duals=cold.duals)
        wild = fit_linear(X, y, loss=loss, ridge=0.1, bias=bias, tolerance=1e-9, duals=np.full(len(y), 0.9))
        assert warm.objective == pytest.approx(cold.objective, rel=1e-8)
        assert wild.objective == pytest.approx(cold.objective, rel=1e-8)
        if bias != "free":
            assert warm.sweeps == 0

    def test_dense_or_sparse_rows(self, loss, bias):
        X, y = problem(7)
        dense = fit_linear(X, y, loss=loss, ridge=0.1, bias=bias)
        sparse = fit_linear(csr_array(X), y, loss=loss, ridge=0.1, bias=bias)
        np.testing.assert_array_equal(dense.theta, sparse.theta)

    def test_a_second_run_with_the_same_seed(self, loss, bias):
        X, y = problem(10)
        one, two = (LinearSolver(loss, 0.1, bias, seed=3).fit(X, y) for _ in range(2))
        np.testing.assert_array_equal(one.theta, two.theta)
        np.testing.assert_array_equal(one.duals, two.duals)


def test_every_catalogued_loss_can_be_trained():
    X, y = problem(11)
    for loss in MARGIN_LOSSES.values():
        fit = fit_linear(X, y, loss=loss, ridge=0.1)
        assert fit.gap <= 1e-6 * fit.objective


def test_a_row_of_weight_zero_is_no_row():
    X, y = problem(12, n=30)
    kept = np.arange(30) % 3 > 0
    kept[:2] = True
    with_zeros = fit_linear(X, y, loss=HINGE, ridge=0.1, weights=kept * 2.0, tolerance=1e-9)
    without = fit_linear(X[kept], y[kept], loss=HINGE, ridge=0.1, tolerance=1e-9)
    assert with_zeros.objective == pytest.approx(without.objective, rel=1e-8)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("ridge", [1e-4, 1e-2, 1.0])
def test_newtons_method_ends_where_the_sweeps_do(seed, ridge):
    X, y = problem(seed, n=200, d=5)
    by_sweeps = fit_linear(X, y, loss=LOGISTIC, ridge=ridge, tolerance=1e-11, duals=np.zeros(len(y)))
    by_newton = fit_linear(X, y, loss=LOGISTIC, ridge=ridge, tolerance=1e-11)
    assert by_newton.sweeps < by_sweeps.sweeps
    np.testing.assert_allclose(by_newton.theta, by_sweeps.theta, rtol=1e-4, atol=1e-4)
    assert by_newton.gap <= 1e-11 * by_newton.objective


def test_giving_up_early_is_admitted():
    X, y = problem(13, n=300, d=20)
    fit = LinearSolver(LOGISTIC, 1e-4, tolerance=1e-12, max_sweeps=5).fit(X, y, duals=np.zeros(len(y)))
    assert fit.sweeps == 5
    assert fit.gap > 1e-12 * fit.objective


@pytest.mark.parametrize("ridge", [0.0, -1.0, np.nan, np.inf])
def test_a_ridge_that_is_not_positive_is_refused(ridge):
    X, y = problem(1)
    with pytest.raises(InvalidArgument, match="`ridge`: expected a positive number"):
        fit_linear(X, y, loss=HINGE, ridge=ridge)


@pytest.mark.parametrize("weights", [np.zeros(60), -np.ones(60), np.full(60, np.nan), np.full(60, np.inf)])
def test_weights_that_weigh_nothing_are_refused(weights):
    X, y = problem(1)
    with pytest.raises(InvalidArgument, match="`weights`: expected numbers that are not negative"):
        fit_linear(X, y, loss=HINGE, ridge=0.1, weights=weights)


@pytest.mark.parametrize("ridge", [1e-14, 1e-18])
def test_equal_columns_and_hardly_a_penalty_are_no_singular_system(ridge):
    column = np.repeat([1.0, 2.0, -1.0, -3.0], 5)
    signs = np.tile([1.0, -1.0], 10)
    fit = LinearSolver(LOGISTIC, ridge, max_sweeps=50).fit(np.column_stack([column, column, 0 * column]), signs)
    assert np.isfinite(fit.theta).all()
    assert fit.theta[0] == pytest.approx(fit.theta[1])
