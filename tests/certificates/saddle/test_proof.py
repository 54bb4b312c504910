"""What a model and an attack prove, against exact arithmetic and against retraining."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from toadstone.certificates.saddle.proof import prove_attack, prove_bound
from toadstone.core.certificate import NormBall, Ridge, Witness
from toadstone.core.feasible import Region
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import HINGE, LOGISTIC, MARGIN_LOSSES, SQUARED_HINGE, smooth_hinge
from toadstone.kernels.minimax.problem import Problem

LOSSES = (HINGE, SQUARED_HINGE, LOGISTIC, smooth_hinge(0.1))


def box(lower: np.ndarray, upper: np.ndarray) -> Region:
    d = len(lower)
    return Region(lower, upper, np.zeros(d), np.inf, np.empty((0, d)), np.empty(0), np.empty(0))


@st.composite
def rows_and_models(draw):
    """A box for poison, clean rows and a model, of sizes far apart and with margins close to one."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, d = rng.integers(1, 7), rng.integers(1, 6)
    scale, steepness = (10.0 ** draw(st.integers(-8, 8)) for _ in range(2))
    X, signs = scale * rng.normal(size=(n, d)), np.where(rng.random(n) < 0.5, 1.0, -1.0)
    theta = steepness * rng.normal(size=d + 1)
    lower = X[0] if draw(st.booleans()) else scale * rng.normal(size=d)
    upper = lower + scale * 10.0 ** rng.integers(-12, 1) * rng.random(d) * draw(st.booleans())
    if draw(st.booleans()):
        theta[-1] = signs[0] * (1 + 10.0 ** -rng.integers(1, 17)) - X[0] @ theta[:-1]
    hypothesis = NormBall(1e40) if draw(st.booleans()) else Ridge(10.0 ** rng.uniform(-6, 3))
    problem = Problem(X, signs, (box(lower, upper), box(lower, upper)), HINGE, hypothesis)
    return problem, theta, float(rng.random() / 2)


def exactly(problem: Problem, theta: np.ndarray, fraction: float) -> Fraction:
    """The bound in rational arithmetic; the worst row of a box is a corner."""
    weights = [Fraction(w) for w in theta.tolist()]

    def loss(sign: int, row) -> Fraction:
        score = sum((w * Fraction(x) for w, x in zip(weights[:-1], row, strict=True)), weights[-1])
        return max(Fraction(0), 1 - sign * score)

    clean = [loss(int(sign), row) for sign, row in zip(problem.signs, problem.X.tolist(), strict=True)]
    worst = []
    for sign, region in zip((-1, 1), problem.regions, strict=True):
        corner = np.where(sign * theta[:-1] > 0, region.lower, region.upper)
        worst.append(loss(sign, corner.tolist()))
    total = sum(clean) / len(clean) + Fraction(fraction) * max(worst)
    if isinstance(problem.hypothesis, Ridge):
        square = sum(weight * weight for weight in weights)
        total += Fraction(problem.hypothesis.strength) / 2 * (1 + Fraction(fraction)) * square
    return total


@given(rows_and_models())
@settings(deadline=None, max_examples=300)
def test_rounding_never_lowers_a_bound(case):
    problem, theta, fraction = case
    bound = prove_bound(problem, theta, np.zeros((2, 1))).bound(fraction)
    exact = exactly(problem, theta, fraction)
    assert Fraction(bound) >= exact
    magnitude = 1 + np.abs(problem.X).max() * np.abs(theta[:-1]).sum() + abs(theta[-1])
    if isinstance(problem.hypothesis, Ridge):
        magnitude += problem.hypothesis.strength * theta @ theta
    # The allowance is that of some thirty roundings, not more: a generous one would hide a loose proof.
    assert bound - float(exact) <= 2e-14 * magnitude


@pytest.mark.parametrize("loss", list(MARGIN_LOSSES))
@pytest.mark.parametrize("domain", ["real", "box", "integer"])
@pytest.mark.parametrize("hypothesis", [NormBall(1.0), Ridge(0.05)], ids=str)
def test_any_model_and_multipliers_bound_every_feasible_row(bench, loss, domain, hypothesis):
    made = bench(loss=loss, domain=domain, hypothesis=hypothesis)
    problem, rng = made.problem, np.random.default_rng(0)
    for _ in range(5):
        theta = rng.normal(size=5) / 3
        multipliers = np.column_stack([rng.random(2), rng.normal(size=(2, 1))])
        proof = prove_bound(problem, theta, multipliers)
        inside = made.feasible_set.project(3 * rng.normal(size=(20, 4)), np.repeat(made.data.classes, 10))
        margins = np.repeat([-1.0, 1.0], 10) * (inside @ theta[:-1] + theta[-1])
        assert proof.poison_loss >= problem.loss.value(margins).max() - 1e-9
        scores = problem.signs * (problem.X @ theta[:-1] + theta[-1])
        assert proof.clean_loss == pytest.approx(problem.loss.value(scores).mean(), rel=1e-12)
        penalty = hypothesis.strength / 2 * theta @ theta if isinstance(hypothesis, Ridge) else 0.0
        expected = proof.clean_loss + 0.3 * proof.poison_loss + 1.3 * penalty
        assert expected <= proof.bound(0.3) <= expected * (1 + 1e-10) + 1e-12


def test_dense_and_sparse_rows_prove_the_same(bench):
    problem = bench().problem
    theta, multipliers = np.arange(5.0), np.ones((2, 2))
    dense = prove_bound(problem, theta, multipliers)
    sparse = prove_bound(replace(problem, X=csr_array(problem.X)), theta, multipliers)
    assert dense.bound(0.2) == pytest.approx(sparse.bound(0.2), rel=1e-12)


@given(st.integers(0, 2**32 - 1), st.sampled_from(LOSSES), st.floats(-2, 1))
@settings(deadline=None, max_examples=60)
def test_an_attack_proves_no_more_than_retraining_shows(seed, loss, exponent):
    # Any duals within their bounds: unequal shares of the masses among them.
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(2, 20)), int(rng.integers(1, 5))
    X, signs = rng.normal(size=(n, d)), np.where(rng.random(n) < 0.5, 1.0, -1.0)
    signs[:2] = 1.0, -1.0
    ridge, fraction = 10.0**exponent, float(rng.random() / 2)
    masses = fraction * rng.dirichlet([1.0, 1.0])
    steepest = min(loss.cap, 2.0)
    witness = Witness(
        rng.normal(size=(2, d)), np.array([-1.0, 1.0]), masses,
        steepest * rng.random(n), steepest * masses * rng.random(2),
    )  # fmt: skip
    problem = Problem(X, signs, (box(*[np.zeros(d)] * 2),) * 2, loss, Ridge(ridge))
    rows, labels = np.vstack([X, witness.points]), np.append(signs, witness.signs)
    weights = np.append(np.ones(n), n * masses)
    fit = fit_linear(rows, labels, loss=loss, ridge=ridge, weights=weights, tolerance=1e-9)
    assert prove_attack(problem, witness, fraction) <= (1 + fraction) * fit.objective * (1 + 1e-9)


@given(st.integers(0, 2**32 - 1), st.integers(-6, 6), st.floats(-4, 2))
@settings(deadline=None, max_examples=200)
def test_rounding_never_raises_what_an_attack_proves(seed, scale, exponent):
    """Against the hinge's dual value under a ridge in rational arithmetic."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(1, 40)), int(rng.integers(1, 6))
    X, points = 10.0**scale * rng.normal(size=(n, d)), 10.0**scale * rng.normal(size=(2, d))
    signs, masses = np.where(rng.random(n) < 0.5, 1.0, -1.0), 0.3 * rng.dirichlet([1.0, 1.0])
    witness = Witness(points, np.array([-1.0, 1.0]), masses, rng.random(n), masses * rng.random(2))
    ridge = 10.0**exponent
    problem = Problem(X, signs, (box(*[np.zeros(d)] * 2),) * 2, HINGE, Ridge(ridge))
    gain = sum(map(Fraction, witness.clean_duals.tolist())) / n + sum(map(Fraction, witness.poison_duals.tolist()))
    pull = []
    for column in range(d + 1):
        rows, poison = (np.append(part, np.ones((len(part), 1)), axis=1)[:, column] for part in (X, points))
        clean = sum(Fraction(s * a) * Fraction(x) for s, a, x in zip(signs, witness.clean_duals, rows, strict=True))
        negative, positive = (Fraction(a) * Fraction(x) for a, x in zip(witness.poison_duals, poison, strict=True))
        pull.append(clean / n + positive - negative)
    cost = sum(entry * entry for entry in pull) / (2 * Fraction(ridge) * Fraction(1.3))
    value = prove_attack(problem, witness, 0.3)
    assert Fraction(value) <= gain - cost
    assert float(gain - cost) - value <= 2e-14 * (np.sqrt(n) + 1) * float(gain + cost)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
def test_the_duals_of_a_fit_prove_what_it_reaches(loss):
    rng = np.random.default_rng(1)
    n, fraction = 30, 0.2
    X, signs = rng.normal(size=(n, 3)), np.where(np.arange(n) % 2 == 0, 1.0, -1.0)
    points, masses = rng.normal(size=(2, 3)), fraction * np.array([0.3, 0.7])
    weights = np.append(np.ones(n), n * masses)
    rows, labels = np.vstack([X, points]), np.append(signs, [-1.0, 1.0])
    fit = fit_linear(rows, labels, loss=loss, ridge=0.1, weights=weights, tolerance=1e-10)
    witness = Witness(points, np.array([-1.0, 1.0]), masses, fit.duals[:n], fit.duals[n:] * masses)
    problem = Problem(X, signs, (box(*[np.zeros(3)] * 2),) * 2, loss, Ridge(0.1))
    assert prove_attack(problem, witness, fraction) == pytest.approx((1 + fraction) * fit.objective, rel=1e-8)


@pytest.mark.parametrize(
    ("hypothesis", "cost"),
    # The dual of a ball of radius 1/2 takes half the norm; that of a ridge its square over twice the penalty.
    [(NormBall(0.25), 0.5 * np.sqrt(0.625)), (Ridge(1.0), 0.625 / (2 * 1.5))],
    ids=str,
)
@pytest.mark.parametrize("points", [[[-1.0]], [[-1.0], [5.0]]], ids=["one point", "and one without mass"])
def test_an_attack_by_hand(hypothesis, cost, points):
    k = len(points)
    masses, duals = np.array([0.5, 0.0])[:k], np.array([0.25, 0.0])[:k]
    witness = Witness(np.array(points), np.array([-1.0, 1.0])[:k], masses, np.array([0.5]), duals)
    problem = Problem(np.array([[1.0]]), np.array([1.0]), (box(*[np.zeros(1)] * 2),) * 2, HINGE, hypothesis)
    # Gain 0.5 + 0.25, pull (0.5 + 0.25, 0.5 - 0.25), whose squares sum to 0.625.
    assert prove_attack(problem, witness, 0.5) == pytest.approx(0.75 - cost, rel=1e-12)


def test_without_poison_the_witness_points_are_ignored():
    X, signs = np.array([[1.0], [-1.0]]), np.array([1.0, -1.0])
    witness = Witness(np.full((2, 1), 9.0), np.array([-1.0, 1.0]), np.zeros(2), np.full(2, 0.5), np.zeros(2))
    problem = Problem(X, signs, (box(*[np.zeros(1)] * 2),) * 2, HINGE, Ridge(1.0))
    # Pull 0.5 along the one feature: 0.5 - 0.5**2 / 2.
    assert prove_attack(problem, witness, 0.0) == pytest.approx(0.375, abs=1e-12)


def test_a_known_bound_by_hand():
    # Clean rows at -1 and +1, poison anywhere in [-2, 2], theta = (1, 0): margins 1, worst poison margin -2.
    X, signs = np.array([[-1.0], [1.0]]), np.array([-1.0, 1.0])
    regions = (box(np.array([-2.0]), np.array([2.0])),) * 2
    proof = prove_bound(Problem(X, signs, regions, HINGE, Ridge(0.5)), np.array([1.0, 0.0]), np.zeros((2, 1)))
    assert (proof.clean_loss, proof.poison_loss, proof.penalty) == pytest.approx((0.0, 3.0, 0.25), rel=1e-12)
    assert proof.bound(0.1) == pytest.approx(0.25 + 0.1 * 3.25, rel=1e-12)
