"""The model that learns while poison arrives: gradients, AdaGrad's steps, what is kept between them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.linear.online_hinge import OnlineHinge
from toadstone.kernels.losses import HINGE

RIDGE, MASS = 0.3, 0.07


def problem(seed: int, *, n: int = 40, d: int = 6):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * (rng.random((n, d)) < 0.6)
    return X, np.where(rng.random(n) < 0.4, 1.0, -1.0), rng.normal(size=d + 1), rng.normal(size=d)


def learner(X, signs, theta, *, step: float = 0.1, accumulator: float = 1.0) -> OnlineHinge:
    return OnlineHinge(X, signs, theta, ridge=RIDGE, step=step, accumulator=accumulator)


def objective(X, signs, theta, point, sign) -> float:
    clean = HINGE.value(signs * (X @ theta[:-1] + theta[-1])).mean()
    poison = HINGE.value(sign * (point @ theta[:-1] + theta[-1]))
    return float(clean + MASS * poison + RIDGE / 2 * theta[:-1] @ theta[:-1])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_gradient_agrees_with_finite_differences(seed, sign):
    X, signs, theta, point = problem(seed)
    found = learner(X, signs, theta).gradient(point, sign, MASS)
    step = 1e-6 * np.eye(len(theta))
    slopes = [
        (objective(X, signs, theta + way, point, sign) - objective(X, signs, theta - way, point, sign)) / 2e-6
        for way in step
    ]
    np.testing.assert_allclose(found, slopes, atol=1e-8)


def test_fitted_poison_teaches_nothing():
    X, signs, theta, _ = problem(0)
    model, far = learner(X, signs, theta), 100 * theta[:-1]
    np.testing.assert_array_equal(model.gradient(far, 1.0, MASS), model.gradient(far, 1.0, 0.0))
    assert np.any(model.gradient(far, -1.0, MASS) != model.gradient(far, -1.0, 0.0))


@given(st.integers(0, 2**16), st.booleans())
@settings(max_examples=20)
def test_what_is_kept_between_steps_is_what_a_new_model_finds(seed, sparse):
    X, signs, theta, _ = problem(seed)
    X = csr_array(X) if sparse else X
    model, rng = learner(X, signs, theta, step=0.5), np.random.default_rng(seed)
    for _ in range(15):
        model.learn(rng.normal(size=6), float(rng.choice([-1, 1])), 0.3)
    fresh = learner(X, signs, model.theta)
    point = rng.normal(size=6)
    np.testing.assert_allclose(model.gradient(point, 1.0, MASS), fresh.gradient(point, 1.0, MASS), atol=1e-12)


def test_steps_are_those_of_adagrad():
    X, signs, theta, point = problem(1)
    model = learner(X, signs, theta, step=0.2, accumulator=0.5)
    expected, squares = theta.copy(), np.full(len(theta), 0.5)
    for sign in (1.0, -1.0, 1.0):
        gradient = learner(X, signs, expected).gradient(point, sign, MASS)
        squares += gradient**2
        expected = expected - 0.2 * gradient / np.sqrt(squares)
        model.learn(point, sign, MASS)
    np.testing.assert_allclose(model.theta, expected, rtol=1e-12)


def test_the_model_given_is_left_alone():
    X, signs, theta, point = problem(2)
    kept = theta.copy()
    learner(X, signs, theta).learn(point, 1.0, MASS)
    np.testing.assert_array_equal(theta, kept)


def test_without_poison_it_approaches_the_clean_optimum():
    X, signs, _, point = problem(3)
    model = learner(X, signs, np.zeros(7), step=0.5)
    values = []
    for _ in range(3000):
        values.append(objective(X, signs, model.theta, point, 1.0) - MASS * _loss(model.theta, point))
        model.learn(point, 1.0, 0.0)
    best = fit_linear(X, signs, loss=HINGE, ridge=RIDGE, bias="free").objective
    assert best - 1e-6 <= min(values) <= best + 5e-3


def _loss(theta, point) -> float:
    return float(HINGE.value(point @ theta[:-1] + theta[-1]))
