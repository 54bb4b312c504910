"""The minimax training problem of several classes: agreement with a generic solver and with two classes."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product

import cvxpy as cp
import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.certificate import Ridge
from toadstone.core.errors import EmptyFeasibleSet
from toadstone.core.feasible import Region
from toadstone.kernels.linear.crammer_singer import fit_crammer_singer
from toadstone.kernels.losses import HINGE
from toadstone.kernels.minimax.multiclass_saddle import MulticlassSaddle, solve_multiclass_saddle
from toadstone.kernels.minimax.problem import MulticlassProblem, Problem
from toadstone.kernels.minimax.saddle import solve_saddle
from toadstone.kernels.sets.membership import violations
from toadstone.kernels.sets.regions import maximize, project
from toadstone.kernels.sets.sets import fit_domain
from toadstone.sanitizers.slab import SlabSanitizer
from toadstone.sanitizers.sphere import SphereSanitizer

DOMAINS = ("real", "box", "integer")


def case(seed: int, *, domain: str = "real", n: int = 30, d: int = 3, k: int = 3, ridge: float = 0.05):
    """Clean rows of k classes, and where poison of each may lie."""
    rng = np.random.default_rng(seed)
    classes = np.append(np.arange(k), rng.integers(k, size=n - k))
    X = rng.normal(size=(n, d)) + rng.normal(size=(k, d))[classes]
    if domain == "integer":
        X = rng.poisson(rng.gamma(1.0, 1.5, size=(k, d))[classes]).astype(float)
    filters = [kind(contamination=0.3).fit(X, classes) for kind in (SphereSanitizer, SlabSanitizer)]
    both = filters[0].feasible_set_.intersect(filters[1].feasible_set_).within(fit_domain(X, domain))
    return MulticlassProblem(X, classes, tuple(both.region(label) for label in range(k)), Ridge(ridge))


def largest_score(region: Region, direction, held: list):
    """The support function of a region by its dual, for a modelling language."""
    up, down = (cp.Variable(len(region.low), nonneg=True) for _ in range(2))
    rest = direction - region.bands.T @ (up - down)
    total = up @ region.high - down @ region.low
    for limit, side in ((region.upper, 1.0), (region.lower, -1.0)):
        if np.isfinite(limit).all():
            pressed = cp.Variable(len(limit), nonneg=True)
            rest, total = rest - side * pressed, total + side * (pressed @ limit)
    return total + region.centre @ rest + region.radius * cp.norm(rest)


def minimax(problem: MulticlassProblem, fraction: float) -> float:
    """The optimum by a generic solver."""
    (n, d), k = problem.X.shape, problem.n_classes
    W, b, worst = cp.Variable((k, d)), cp.Variable(k), cp.Variable(nonneg=True)
    targets, held = np.eye(k)[problem.classes], []
    scores = problem.X @ W.T + np.ones((n, 1)) @ cp.reshape(b, (1, k), order="C")
    right = cp.sum(cp.multiply(targets, scores), axis=1)
    clean = cp.sum(cp.max(scores + 1 - targets, axis=1) - right) / n
    for label, rival in permutations(range(k), 2):
        region = problem.regions[label]
        held.append(worst >= 1 + b[rival] - b[label] + largest_score(region, W[rival] - W[label], held))
    penalty = problem.hypothesis.strength * (1 + fraction) / 2 * (cp.sum_squares(W) + cp.sum_squares(b))
    return float(cp.Problem(cp.Minimize(clean + fraction * worst + penalty), held).solve(solver=cp.CLARABEL))


def objective(problem: MulticlassProblem, theta: np.ndarray, fraction: float) -> float:
    """The bound of any model, by solving for every pair of classes."""
    scores = problem.X @ theta[:, :-1].T + theta[:, -1]
    leads = scores - scores[np.arange(len(scores)), problem.classes][:, None] + 1
    leads[np.arange(len(scores)), problem.classes] = 0.0
    worst = 0.0
    for label, rival in permutations(range(problem.n_classes), 2):
        excess = theta[rival] - theta[label]
        worst = max(worst, 1 + excess[-1] + maximize(problem.regions[label], excess[:-1]).value)
    penalty = problem.hypothesis.strength * (1 + fraction) / 2 * np.sum(theta**2)
    return float(leads.max(axis=1).mean() + fraction * worst + penalty)


def check_witness(problem: MulticlassProblem, found: MulticlassSaddle, fraction: float) -> None:
    witness = found.witness
    pairs = list(zip(witness.labels.tolist(), witness.rivals.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs) <= problem.n_classes * (problem.n_classes - 1)
    assert witness.masses.sum() == pytest.approx(fraction if pairs else 0.0, rel=1e-12)
    assert (witness.poison_duals <= witness.masses).all()
    assert (witness.clean_duals >= 0).all()
    assert witness.clean_duals.sum(axis=1).max() <= 1 + 1e-12
    for point, (label, rival) in zip(witness.points, pairs, strict=True):
        assert label != rival
        assert violations(problem.regions[label], point[None, :]).max() <= 1e-8


@pytest.mark.parametrize(("domain", "fraction", "seed"), [*product(["real", "box"], [0.01, 0.4], range(2))])
def test_bound_and_value_are_those_of_a_generic_solver(domain, fraction, seed):
    problem = case(seed, domain=domain)
    found = solve_multiclass_saddle(problem, fraction=fraction, tolerance=1e-7)
    best = minimax(problem, fraction)
    assert found.bound == pytest.approx(best, rel=1e-6)
    assert found.value == pytest.approx(best, rel=1e-6)
    assert found.value <= found.bound
    check_witness(problem, found, fraction)


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("rounds", [1, 3, 2000])
def test_both_sides_are_valid_however_early_the_search_stops(domain, rounds):
    problem = case(7, domain=domain, k=4)
    found = solve_multiclass_saddle(problem, fraction=0.2, max_rounds=rounds)
    assert found.bound == pytest.approx(objective(problem, found.theta, 0.2), rel=1e-7)
    rng = np.random.default_rng(0)
    for scale in (0.01, 0.1, 1.0):
        assert found.value <= objective(problem, found.theta + scale * rng.normal(size=found.theta.shape), 0.2)
    check_witness(problem, found, 0.2)


@pytest.mark.parametrize(("seed", "domain"), [*enumerate(DOMAINS)])
def test_no_feasible_attack_trains_a_model_above_the_bound(domain, seed):
    problem, rng = case(seed, domain=domain), np.random.default_rng(seed)
    found = solve_multiclass_saddle(problem, fraction=0.2)
    n, count = len(problem.classes), 6
    for _ in range(5):
        labels = rng.integers(3, size=count)
        rows = [project(problem.regions[label], 5 * rng.normal(size=3))[0] for label in labels]
        X, classes = np.vstack([problem.X, rows]), np.append(problem.classes, labels)
        fit = fit_crammer_singer(X, classes, 3, ridge=problem.hypothesis.strength)
        assert (n + count) / n * (fit.objective - fit.gap) <= found.bound


@pytest.mark.parametrize("fraction", [0.0, 0.1])
@pytest.mark.parametrize("domain", DOMAINS)
def test_two_classes_have_the_value_of_the_hinge_at_half_the_ridge(domain, fraction):
    # The two functions are opposite at the optimum: their margin is that of their difference w, and |w|^2 / 4
    # is half the sum of the two squared norms.
    problem = case(3, domain=domain, k=2, ridge=0.1)
    found = solve_multiclass_saddle(problem, fraction=fraction, tolerance=1e-8)
    signs = np.where(problem.classes == 1, 1.0, -1.0)
    same = Problem(problem.X, signs, (problem.regions[0], problem.regions[1]), HINGE, Ridge(0.05))
    other = solve_saddle(same, fraction=fraction, tolerance=1e-8)
    assert found.bound == pytest.approx(other.bound, rel=1e-7)
    assert found.value == pytest.approx(other.value, rel=1e-7)
    np.testing.assert_allclose(found.theta[1] - found.theta[0], other.theta, atol=1e-3)


def test_without_poison_the_bound_is_the_clean_optimum():
    problem = case(4, k=4)
    found = solve_multiclass_saddle(problem, fraction=0.0, tolerance=1e-8)
    fit = fit_crammer_singer(problem.X, problem.classes, 4, ridge=0.05, tolerance=1e-9)
    assert found.bound == pytest.approx(fit.objective, rel=1e-7)
    assert (len(found.witness.masses), len(found.multipliers)) == (0, 0)


def test_orders_of_rows_and_classes_and_storage_change_nothing_beyond_the_gap():
    problem, rng = case(0, k=4), np.random.default_rng(0)
    found = solve_multiclass_saddle(problem, fraction=0.1, tolerance=1e-6)
    rows, names = rng.permutation(len(problem.classes)), rng.permutation(4)
    regions = tuple(problem.regions[old] for old in np.argsort(names))
    others = [
        replace(problem, X=problem.X[rows], classes=problem.classes[rows]),
        replace(problem, classes=names[problem.classes], regions=regions),
    ]
    for other in others:
        again = solve_multiclass_saddle(other, fraction=0.1, tolerance=1e-6)
        assert again.bound == pytest.approx(found.bound, rel=2e-6)
        assert again.value == pytest.approx(found.value, rel=2e-6)
    sparse = solve_multiclass_saddle(replace(problem, X=csr_array(problem.X)), fraction=0.1, tolerance=1e-6)
    assert (sparse.bound, sparse.value) == (found.bound, found.value)


def test_a_start_from_another_fraction_leads_to_the_same():
    problem = case(5, domain="box")
    alone = solve_multiclass_saddle(problem, fraction=0.2)
    for before in (0.0, 0.02, 0.4):
        start = solve_multiclass_saddle(problem, fraction=before, tolerance=1e-3)
        found = solve_multiclass_saddle(problem, fraction=0.2, start=start)
        assert found.bound == pytest.approx(alone.bound, rel=2e-5)
        assert found.value <= alone.bound
        check_witness(problem, found, 0.2)


def test_the_same_seed_gives_the_same_model():
    one, two, other = (solve_multiclass_saddle(case(6), fraction=0.1, seed=seed) for seed in (1, 1, 2))
    assert one.theta.tobytes() == two.theta.tobytes() != other.theta.tobytes()


def test_a_class_without_a_feasible_point_is_refused():
    problem = case(0)
    far = replace(problem.regions[1], low=problem.regions[1].high + 1e3, high=problem.regions[1].high + 2e3)
    regions = (problem.regions[0], far, problem.regions[2])
    with pytest.raises(EmptyFeasibleSet):
        solve_multiclass_saddle(replace(problem, regions=regions), fraction=0.1)
