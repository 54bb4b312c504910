"""What a model of several classes and an attack prove, against exact arithmetic and against retraining."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from toadstone.certificates.multiclass.proof import prove_multiclass_attack, prove_multiclass_bound
from toadstone.core.certificate import PairWitness, Ridge
from toadstone.core.feasible import Region
from toadstone.kernels.linear.crammer_singer import fit_crammer_singer
from toadstone.kernels.minimax.problem import MulticlassProblem


def box(lower: np.ndarray, upper: np.ndarray) -> Region:
    d = len(lower)
    return Region(lower, upper, np.zeros(d), np.inf, np.empty((0, d)), np.empty(0), np.empty(0))


@st.composite
def rows_and_models(draw):
    """Boxes for poison, clean rows and a model, of sizes far apart and with leads close to one."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, d, k = rng.integers(1, 6), rng.integers(1, 5), rng.integers(2, 5)
    scale, steepness = (10.0 ** draw(st.integers(-8, 8)) for _ in range(2))
    X, classes = scale * rng.normal(size=(n, d)), rng.integers(k, size=n)
    theta = steepness * rng.normal(size=(k, d + 1))
    theta[:, -1] *= draw(st.booleans())
    if draw(st.booleans()):
        X[0] *= draw(st.sampled_from([0.0, 1e-12]))
    if draw(st.booleans()):
        other, own = (classes[0] + 1) % k, classes[0]
        lead = 1 - 10.0 ** -rng.integers(1, 17)
        theta[own, -1] = theta[other, -1] + lead + X[0] @ (theta[other, :-1] - theta[own, :-1])
    # Poison of another size than the clean rows, so that none of the allowances hides that another is too small.
    size = scale * draw(st.sampled_from([1e-12, 1.0]))
    lower = size * rng.normal(size=(k, d))
    upper = lower + size * 10.0 ** rng.integers(-12, 1) * rng.random((k, d))
    regions = tuple(box(low, high) for low, high in zip(lower, upper, strict=True))
    problem = MulticlassProblem(X, classes, regions, Ridge(10.0 ** rng.uniform(-6, 3)))
    return problem, theta, float(rng.random() / 2)


def exactly(problem: MulticlassProblem, theta: np.ndarray, fraction: float) -> Fraction:
    """The bound in rational arithmetic; the worst row of a box is a corner."""
    weights = [[Fraction(entry) for entry in row] for row in theta.tolist()]

    def excess(label: int, rival: int) -> list[Fraction]:
        return [one - other for one, other in zip(weights[rival], weights[label], strict=True)]

    def loss(label: int, row) -> Fraction:
        leads = (excess(label, rival) for rival in range(len(weights)) if rival != label)
        return max(0, *(1 + lead[-1] + sum(a * Fraction(x) for a, x in zip(lead, row, strict=False)) for lead in leads))

    clean = [loss(int(label), row) for label, row in zip(problem.classes, problem.X.tolist(), strict=True)]
    worst = Fraction(0)
    for label, rival in permutations(range(len(weights)), 2):
        region, lead = problem.regions[label], excess(label, rival)
        corner = [high if a > 0 else low for a, low, high in zip(lead, region.lower, region.upper, strict=False)]
        worst = max(worst, 1 + lead[-1] + sum(a * Fraction(x) for a, x in zip(lead, corner, strict=False)))
    square = sum(entry * entry for row in weights for entry in row)
    penalty = Fraction(problem.hypothesis.strength) / 2 * square
    return sum(clean) / len(clean) + penalty + Fraction(fraction) * (worst + penalty)


@given(rows_and_models())
@settings(deadline=None, max_examples=150)
def test_rounding_never_lowers_a_bound(case):
    problem, theta, fraction = case
    k = problem.n_classes
    bound = prove_multiclass_bound(problem, theta, np.zeros((k, k, 1))).bound(fraction)
    exact = exactly(problem, theta, fraction)
    assert Fraction(bound) >= exact
    reach = max(np.abs(problem.X).max(), *(np.abs([part.lower, part.upper]).max() for part in problem.regions))
    magnitude = 1 + (reach + 1) * np.abs(theta).sum() + problem.hypothesis.strength * np.sum(theta**2)
    # The allowance is that of some dozen roundings, not more: a generous one would hide a loose proof.
    assert bound - float(exact) <= 3e-14 * magnitude


@pytest.mark.parametrize("domain", ["real", "box", "integer"])
def test_any_model_and_multipliers_bound_every_feasible_row(several, domain):
    made = several(domain=domain)
    problem, rng = made.problem, np.random.default_rng(0)
    for _ in range(5):
        theta = rng.normal(size=(3, 5)) / 3
        multipliers = np.concatenate([rng.random((3, 3, 1)), rng.normal(size=(3, 3, 1))], axis=2)
        proof = prove_multiclass_bound(problem, theta, multipliers)
        inside = made.feasible_set.project(3 * rng.normal(size=(30, 4)), np.repeat(made.data.classes, 10))
        scores, labels = inside @ theta[:, :-1].T + theta[:, -1], np.repeat(np.arange(3), 10)
        rivals = scores + (labels[:, None] != np.arange(3))
        assert proof.poison_loss >= (rivals.max(axis=1) - scores[np.arange(30), labels]).max() - 1e-9


def test_dense_and_sparse_rows_prove_the_same(several):
    problem = several().problem
    theta, multipliers = np.arange(15.0).reshape(3, 5), np.ones((3, 3, 2))
    dense = prove_multiclass_bound(problem, theta, multipliers)
    sparse = prove_multiclass_bound(replace(problem, X=csr_array(problem.X)), theta, multipliers)
    assert dense.bound(0.2) == pytest.approx(sparse.bound(0.2), rel=1e-12)


@given(st.integers(0, 2**32 - 1), st.floats(-2, 1))
@settings(deadline=None, max_examples=40)
def test_an_attack_proves_no_more_than_retraining_shows(seed, exponent):
    # Any duals within their bounds, and weights on any rows.
    rng = np.random.default_rng(seed)
    n, d, k, p = int(rng.integers(2, 20)), int(rng.integers(1, 5)), 3, 4
    X, classes = rng.normal(size=(n, d)), rng.integers(k, size=n)
    labels = rng.integers(k, size=p)
    rivals = (labels + rng.integers(1, k, size=p)) % k
    fraction, ridge = float(rng.random() / 2), 10.0**exponent
    masses = fraction * rng.dirichlet(np.ones(p))
    duals = rng.dirichlet(np.ones(k), size=n)
    duals[np.arange(n), classes] = 0.0
    witness = PairWitness(rng.normal(size=(p, d)), labels, rivals, masses, duals, masses * rng.random(p))
    problem = MulticlassProblem(X, classes, (box(*[np.zeros(d)] * 2),) * k, Ridge(ridge))
    rows, codes = np.vstack([X, witness.points]), np.append(classes, labels)
    fit = fit_crammer_singer(rows, codes, k, ridge=ridge, weights=np.append(np.ones(n), n * masses), tolerance=1e-9)
    assert prove_multiclass_attack(problem, witness, fraction) <= (1 + fraction) * fit.objective * (1 + 1e-9)


def test_an_attack_by_hand():
    # One clean row (1) of class 0 and one poison row (-2) of class 1; duals 1/2 and 1/4, fraction 1/2, ridge 1.
    witness = PairWitness(
        np.array([[-2.0]]), np.array([1]), np.array([0]), np.array([0.5]), np.array([[0.0, 0.5]]), np.array([0.25])
    )
    problem = MulticlassProblem(np.array([[1.0]]), np.array([0]), (box(*[np.zeros(1)] * 2),) * 2, Ridge(1.0))
    # Pull of class 0: 0.5 (1, 1) - 0.25 (-2, 1) = (1, 0.25), of class 1 the opposite; squares sum to 2.125.
    assert prove_multiclass_attack(problem, witness, 0.5) == pytest.approx(0.75 - 2.125 / 3, rel=1e-12)


def test_sums_of_duals_above_one_prove_no_more_than_if_they_were_scaled():
    problem = MulticlassProblem(np.array([[1.0]]), np.array([0]), (box(*[np.zeros(1)] * 2),) * 2, Ridge(1.0))
    nothing = np.empty(0)
    none = (np.empty((0, 1)), nothing.astype(int), nothing.astype(int), nothing)
    one, over = (PairWitness(*none, np.array([[0.0, dual]]), nothing) for dual in (1.0, 1 + 1e-6))
    assert prove_multiclass_attack(problem, over, 0.0) == pytest.approx(prove_multiclass_attack(problem, one, 0.0))


def test_a_known_bound_by_hand():
    # Scores x, 0 and -x of three classes; clean rows 2, 0 and -2; poison anywhere in [-3, 3].
    theta = np.array([[1.0, 0.0], [0.0, 0.0], [-1.0, 0.0]])
    X, regions = np.array([[2.0], [0.0], [-2.0]]), (box(np.array([-3.0]), np.array([3.0])),) * 3
    proof = prove_multiclass_bound(MulticlassProblem(X, np.arange(3), regions, Ridge(0.5)), theta, np.zeros((3, 3, 1)))
    # The row 0 of the middle class has loss 1; a row -3 of the first class loses 1 + 2 * 3 against the last.
    assert (proof.clean_loss, proof.poison_loss, proof.penalty) == pytest.approx((1 / 3, 7.0, 0.5), rel=1e-12)
    assert proof.bound(0.1) == pytest.approx(1 / 3 + 0.5 + 0.1 * 7.5, rel=1e-12)
