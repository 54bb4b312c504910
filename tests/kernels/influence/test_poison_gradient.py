"""Influence of poison on a retrained model: against retraining, and by three exact routes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from toadstone.core.errors import InvalidArgument
from toadstone.kernels.influence import ridge_path as poisoned_training
from toadstone.kernels.influence.inverse_hessian import (
    ConjugateGradients,
    DenseCholesky,
    RowProducts,
    Woodbury,
    invert_hessian,
)
from toadstone.kernels.influence.poison_gradient import ProbeLoss, influence
from toadstone.kernels.influence.ridge_path import PoisonedTraining
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import HINGE, LOGISTIC, SQUARED_HINGE, SigmoidLoss, smooth_hinge

SMOOTH = [smooth_hinge(0.1), LOGISTIC]


def rows(seed: int, n: int = 40, d: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.where(rng.random(n) < 0.5, 1.0, -1.0)
    X = rng.normal(size=(n, d)) * (rng.random((n, d)) < 0.7) + 0.6 * y[:, None] * (np.arange(d) < 2)
    return X, y


def poison(seed: int, d: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed + 100)
    return rng.normal(size=(2, d)), np.array([-1.0, 1.0]), np.array([3.0, 5.0])


@pytest.mark.parametrize("raised", [None, SigmoidLoss(0.4)], ids=["same", "sigmoid"])
@pytest.mark.parametrize("loss", SMOOTH, ids=lambda loss: loss.name)
@pytest.mark.parametrize("d", [5, 60], ids=["dense", "woodbury"])
def test_influence_is_the_derivative_through_retraining(loss, d, raised):
    X, y = rows(0, d=d)
    points, signs, copies = poison(0, d)
    probe_X, probe_y = rows(1, n=30, d=d)
    probe = ProbeLoss(probe_X, probe_y, np.full(30, 1 / 30), raised or loss)
    training = PoisonedTraining(X, y, loss=loss, ridge=0.05)

    def value(moved):
        return probe.value(training.fit(moved, signs, copies, tolerance=0.0).theta)

    rng, h = np.random.default_rng(2), 1e-4
    found = influence(training.fit(points, signs, copies, tolerance=0.0), probe)
    shares = copies / (len(y) + copies.sum())
    for _ in range(3):
        way = rng.normal(size=points.shape)
        # Richardson's rule: what is left is of fourth order in h.
        coarse = (value(points + 2 * h * way) - value(points - 2 * h * way)) / (4 * h)
        fine = (value(points + h * way) - value(points - h * way)) / (2 * h)
        expected = float(np.sum(shares[:, None] * found * way))
        assert (4 * fine - coarse) / 3 == pytest.approx(expected, rel=1e-8)


def test_a_falling_target_loss_is_a_rising_probe_loss():
    X, y = rows(0)
    plain = ProbeLoss(X, y, np.full(40, 1 / 40), LOGISTIC)
    theta = np.arange(6.0)
    wanted = ProbeLoss(X, y, np.full(40, -1 / 40), LOGISTIC)
    assert wanted.value(theta) == -plain.value(theta)
    np.testing.assert_array_equal(wanted.gradient(theta), -plain.gradient(theta))


@pytest.mark.parametrize("loss", [*SMOOTH, smooth_hinge()], ids=["soft", "logistic", "published"])
@pytest.mark.parametrize("ridge", [0.5, 0.01])
@pytest.mark.parametrize("as_rows", [np.asarray, csr_array], ids=["dense", "sparse"])
class TestTraining:
    def test_agrees_with_coordinate_descent(self, loss, ridge, as_rows):
        X, y = rows(3)
        points, signs, copies = poison(3)
        fit = PoisonedTraining(as_rows(X), y, loss=loss, ridge=ridge).fit(points, signs, copies, tolerance=1e-12)
        other = fit_linear(
            np.vstack([X, np.repeat(points, copies.astype(int), axis=0)]),
            np.concatenate([y, np.repeat(signs, copies.astype(int))]),
            loss=loss,
            ridge=ridge,
            tolerance=1e-10,
        )
        assert fit.objective == pytest.approx(other.objective, rel=1e-9)
        np.testing.assert_allclose(fit.theta, other.theta, atol=1e-4)

    def test_the_gap_is_closed_and_honest(self, loss, ridge, as_rows):
        X, y = rows(4)
        points, signs, copies = poison(4)
        training = PoisonedTraining(as_rows(X), y, loss=loss, ridge=ridge)
        best = training.fit(points, signs, copies, tolerance=0.0)
        loose = training.fit(points, signs, copies, tolerance=0.3)
        assert best.gap <= 1e-12 * best.objective
        assert loose.gap >= loose.objective - best.objective - 1e-12
        np.testing.assert_allclose(
            best.theta, best.problem.combine(-loss.derivative(best.margins)), atol=1e-6 / loss.temperature**0.5
        )

    def test_a_warm_start_changes_nothing(self, loss, ridge, as_rows):
        X, y = rows(5)
        points, signs, copies = poison(5)
        training = PoisonedTraining(as_rows(X), y, loss=loss, ridge=ridge)
        cold = training.fit(points, signs, copies, tolerance=1e-12)
        near = training.fit(points + 0.3, signs, copies, tolerance=1e-12)
        warm = training.fit(points, signs, copies, start=near.duals, tolerance=1e-12)
        assert warm.objective == pytest.approx(cold.objective, rel=1e-11)


def test_the_published_temperature_takes_few_steps(monkeypatch):
    X, y = rows(6, n=300, d=100)
    points, signs, copies = poison(6, 100)
    steps = []
    newton = poisoned_training._Problem.improve
    monkeypatch.setattr(poisoned_training._Problem, "improve", lambda self, fit: steps.append(0) or newton(self, fit))
    training = PoisonedTraining(X, y, loss=smooth_hinge(), ridge=0.05)
    fit = training.fit(points, signs, copies, tolerance=1e-10)
    assert fit.gap <= 1e-10 * fit.objective
    assert len(steps) <= 12


@pytest.mark.parametrize("loss", [HINGE, SQUARED_HINGE], ids=lambda loss: loss.name)
def test_losses_without_curvature_are_refused(loss):
    X, y = rows(0)
    with pytest.raises(InvalidArgument, match="`loss`: expected smooth_hinge or logistic"):
        PoisonedTraining(X, y, loss=loss, ridge=0.1)


@pytest.mark.parametrize("ridge", [0.0, -1.0, np.nan, np.inf])
def test_a_ridge_that_is_not_positive_is_refused(ridge):
    X, y = rows(0)
    with pytest.raises(InvalidArgument, match="`ridge`: expected a positive number"):
        PoisonedTraining(X, y, loss=LOGISTIC, ridge=ridge)
    with pytest.raises(InvalidArgument, match="`ridge`: expected a positive number"):
        invert_hessian(X, y**2, ridge)


@given(st.integers(0, 2**16), st.integers(0, 12), st.integers(1, 12), st.sampled_from([1e-3, 0.1, 10.0]))
@settings(deadline=None, max_examples=25)
def test_all_routes_solve_the_same_system(seed, s, d, ridge):
    rng = np.random.default_rng(seed)
    X, weights, vector = rng.normal(size=(s, d)), rng.random(s), rng.normal(size=d + 1)
    table = np.column_stack([X, np.ones(s)])
    expected = np.linalg.solve(ridge * np.eye(d + 1) + table.T @ (weights[:, None] * table), vector)
    for form in (np.asarray, csr_array) if s else (np.asarray,):
        for route in (Woodbury, DenseCholesky, ConjugateGradients, invert_hessian):
            found = route(form(X), weights, ridge).solve(vector)
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9 / ridge)


@pytest.mark.parametrize(
    ("shape", "route"), [((5, 9), Woodbury), ((9, 5), DenseCholesky), ((1001, 1001), ConjugateGradients)]
)
def test_the_cheapest_route_is_taken(shape, route):
    assert type(invert_hessian(csr_array(shape), np.ones(shape[0]), 1.0)) is route


@pytest.mark.parametrize("largest", [5000, 4])
def test_products_of_rows_are_remembered(monkeypatch, largest):
    monkeypatch.setattr("toadstone.kernels.influence.inverse_hessian.LARGEST_TABLE", largest)
    X = np.random.default_rng(0).normal(size=(9, 4))
    remembered = RowProducts(csr_array(X))
    for chosen in ([0, 3], [3, 4, 1], [8, 0], [2, 5, 7], [0, 3]):
        np.testing.assert_allclose(remembered.among(np.array(chosen)), X[chosen] @ X[chosen].T)


def test_dense_and_sparse_rows_agree():
    X, y = rows(7)
    points, signs, copies = poison(7)
    probe = ProbeLoss(X, y, np.full(40, 1 / 40), LOGISTIC)
    found = [
        influence(PoisonedTraining(form(X), y, loss=LOGISTIC, ridge=0.1).fit(points, signs, copies), probe)
        for form in (np.asarray, csr_array)
    ]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-6)
