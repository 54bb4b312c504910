"""Laws of certificates: no attack exceeds them, and they move the right way."""

from __future__ import annotations

import itertools
import warnings
from dataclasses import dataclass, replace

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.core.certificate import Certificate, NormBall, Ridge, Setting
from toadstone.core.dataset import Dataset
from toadstone.datasets.split import Split
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import MARGIN_LOSSES, MarginLoss, margin_loss
from toadstone.kernels.sets.sets import ConvexSet
from toadstone.pipeline.certify import CertifyPlan, build_feasible_set, certify_split

SLACK = 1e-9
TOLERANCE = 1e-5
RIDGE = Ridge(0.1)


@dataclass(frozen=True)
class Threat:
    """A small training set with a certificate."""

    split: Split
    certificate: Certificate
    feasible_set: ConvexSet

    @property
    def loss(self) -> MarginLoss:
        return margin_loss(self.certificate.setting.loss)


def rows(seed: int, *, integer: bool, n: int = 24, d: int = 3) -> Split:
    rng = np.random.default_rng(seed)
    y = np.where(rng.random(n) < rng.choice([0.2, 0.5]), 1, -1)
    y[:6] = [1, -1, 1, -1, 1, -1]
    shift = np.outer(y > 0, rng.random(d) < 0.7)
    X = rng.poisson(0.7 + shift).astype(float) if integer else rng.normal(size=(n, d)) + 1.5 * shift
    if integer:
        # Counts from nought to more than one in every column: the integer domain lies within the box.
        X[0], X[1] = 0.0, 2.0
    data = Dataset(X, y)
    return Split("law", data, data, "none", "published test split")


def threaten(
    split: Split,
    fraction: float,
    *,
    domain: str = "real",
    quantile: float = 0.8,
    loss: str = "hinge",
    hypothesis: NormBall | Ridge = RIDGE,
    tolerance: float = TOLERANCE,
) -> Threat:
    made = certify_split(
        split,
        [fraction],
        CertifyPlan(quantile=quantile, hypothesis=hypothesis, domain=domain, loss=loss, tolerance=tolerance),
    )
    return Threat(split, made.certificates[0], made.feasible_set)


def retrained(threat: Threat, X, y, masses) -> float:
    """The defender's optimum on clean rows and weighted poison, for each clean row, by another solver."""
    clean, hypothesis = threat.split.train, threat.certificate.setting.hypothesis
    everything, signs = np.vstack([clean.X, X]), np.append(clean.signs, y)
    weights = np.append(np.full(len(clean), 1 / len(clean)), masses)
    if isinstance(hypothesis, Ridge):
        fit = fit_linear(
            everything, signs, loss=threat.loss, ridge=hypothesis.strength, weights=weights, tolerance=1e-9
        )
        return weights.sum() * (fit.objective - fit.gap)
    theta = cp.Variable(everything.shape[1] + 1)
    margins = cp.multiply(signs, everything @ theta[:-1] + theta[-1])
    losses = {
        "hinge": cp.pos(1 - margins),
        "squared_hinge": cp.square(cp.pos(1 - margins)),
        "logistic": cp.logistic(-margins),
    }[threat.loss.name]
    problem = cp.Problem(cp.Minimize(weights @ losses), [cp.norm(theta) <= np.sqrt(hypothesis.squared_radius)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        problem.solve(solver=cp.CLARABEL)
    return float(problem.value) * (1 - 1e-6) - 1e-7


def some_attacks(threat: Threat, rng: np.random.Generator, count: int = 6):
    """Feasible points, labels and masses: random, extreme, flipped, and the certificate's own."""
    feasible, clean = threat.feasible_set, threat.split.train
    fraction, d = threat.certificate.budget.fraction, clean.n_features
    for _ in range(count):
        k = int(rng.integers(1, 4))
        y = np.where(rng.random(k) < 0.5, 1, -1)
        kind = rng.integers(3)
        X = feasible.project(5 * rng.normal(size=(k, d)), y)
        if kind == 1:
            X = np.stack([feasible.maximize(rng.normal(size=d), label).point for label in y.tolist()])
        if kind == 2:
            chosen = rng.integers(len(clean), size=k)
            y = -clean.y[chosen]
            X = feasible.project(clean.X[chosen], y)
        yield X, y, fraction * rng.choice([0.5, 1.0]) * rng.dirichlet(np.ones(k))
    witness = threat.certificate.witness
    yield witness.points, witness.signs, witness.masses


def total_loss(threat: Threat, theta, X, y, masses) -> float:
    """What one model pays for clean rows and weighted poison."""
    clean, hypothesis = threat.split.train, threat.certificate.setting.hypothesis
    paid = threat.loss.value(clean.signs * (clean.X @ theta[:-1] + theta[-1])).mean()
    paid += masses @ threat.loss.value(y * (X @ theta[:-1] + theta[-1]))
    if isinstance(hypothesis, Ridge):
        paid += hypothesis.strength / 2 * (1 + masses.sum()) * theta @ theta
    return float(paid)


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["real", "box", "integer"]),
    st.sampled_from(sorted(MARGIN_LOSSES)),
    st.sampled_from([1e-3, 0.05, 0.3, 0.49]),
    st.floats(-2, 0.5),
)
@settings(deadline=None, max_examples=50)
def test_no_feasible_attack_makes_a_ridge_pay_more_than_the_bound(seed, domain, loss, fraction, exponent):
    split = rows(seed, integer=domain == "integer")
    threat = threaten(split, fraction, domain=domain, loss=loss, hypothesis=Ridge(10.0**exponent), tolerance=1e-3)
    for X, y, masses in some_attacks(threat, np.random.default_rng(seed)):
        assert retrained(threat, X, y, masses) <= threat.certificate.bound + SLACK


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["real", "box", "integer"]),
    st.sampled_from(["hinge", "squared_hinge", "logistic"]),
    st.sampled_from([0.05, 0.49]),
    st.floats(-2, 1.5),
)
@settings(deadline=None, max_examples=12)
def test_no_feasible_attack_makes_a_norm_ball_pay_more_than_the_bound(seed, domain, loss, fraction, exponent):
    split = rows(seed, integer=domain == "integer")
    threat = threaten(split, fraction, domain=domain, loss=loss, hypothesis=NormBall(10.0**exponent), tolerance=1e-3)
    for X, y, masses in some_attacks(threat, np.random.default_rng(seed), count=2):
        assert retrained(threat, X, y, masses) <= threat.certificate.bound + SLACK


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(sorted(MARGIN_LOSSES)),
    st.sampled_from([NormBall(0.5), NormBall(50.0), Ridge(0.05)]),
)
@settings(deadline=None, max_examples=25)
def test_no_model_pays_less_for_the_witness_than_the_attack_value(seed, loss, hypothesis):
    rng = np.random.default_rng(seed)
    threat = threaten(rows(seed, integer=False), 0.2, loss=loss, hypothesis=hypothesis, tolerance=1e-3)
    certificate, witness = threat.certificate, threat.certificate.witness
    attack = witness.points, witness.signs, witness.masses
    assert certificate.attack_value <= certificate.bound
    assert certificate.attack_value <= total_loss(threat, certificate.theta, *attack) + SLACK
    for scale in (0.0, 1e-4, 1e-2, 1.0):
        theta = certificate.theta + scale * rng.normal(size=4)
        if isinstance(hypothesis, NormBall):
            theta *= min(1.0, np.sqrt(hypothesis.squared_radius / (theta @ theta)))
        assert certificate.attack_value <= total_loss(threat, theta, *attack) + SLACK


@given(st.integers(0, 2**32 - 1), st.sampled_from([NormBall(2.0), Ridge(0.1)]))
@settings(deadline=None, max_examples=15)
def test_more_poison_and_wider_filters_never_lower_the_optimum(seed, hypothesis):
    split = rows(seed, integer=False)
    for name, values in (("quantile", (0.5, 0.75, 0.95)), ("fraction", (0.0, 0.02, 0.4))):
        found = []
        for value in values:
            options = {"quantile": 0.75, "fraction": 0.1} | {name: value}
            fraction = options.pop("fraction")
            found.append(threaten(split, fraction, hypothesis=hypothesis, **options).certificate)
        for less, more in itertools.combinations(found, 2):
            assert less.attack_value <= more.bound + SLACK


@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(MARGIN_LOSSES)), st.floats(-2, 0.5))
@settings(deadline=None, max_examples=20)
def test_without_poison_the_bound_is_the_clean_optimum(seed, loss, exponent):
    split = rows(seed, integer=False)
    threat = threaten(split, 0.0, loss=loss, hypothesis=Ridge(10.0**exponent))
    fit = fit_linear(split.train.X, split.train.signs, loss=threat.loss, ridge=10.0**exponent, tolerance=1e-9)
    assert threat.certificate.bound >= fit.objective - fit.gap - SLACK
    assert threat.certificate.bound <= fit.objective * (1 + 2 * TOLERANCE)


@given(st.integers(0, 2**32 - 1), st.sampled_from([NormBall(2.0), Ridge(0.1)]))
@settings(deadline=None, max_examples=15)
def test_a_tighter_domain_never_raises_the_optimum(seed, hypothesis):
    split = rows(seed, integer=True)
    real, box, integer = (
        threaten(split, 0.1, domain=domain, hypothesis=hypothesis).certificate for domain in ("real", "box", "integer")
    )
    assert integer.attack_value <= box.bound + SLACK
    assert box.attack_value <= real.bound + SLACK
    assert integer.bound <= box.bound * (1 + 2 * TOLERANCE)
    assert box.bound <= real.bound * (1 + 2 * TOLERANCE)


@pytest.mark.parametrize("hypothesis", [NormBall(1.0), Ridge(0.1)], ids=str)
@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("seed", range(3))
def test_exhaustive_search_finds_nothing_above_the_bound(seed, copies, hypothesis):
    """Every multiset of whole-number rows that pass the filters, with every label."""
    split = rows(seed, integer=True, n=10, d=2)
    threat = threaten(split, copies / 10, domain="integer", quantile=0.7, hypothesis=hypothesis)
    top = int(split.train.X.max())
    grid = np.array(list(itertools.product(range(top + 1), repeat=2)), dtype=float)
    candidates = [
        (point, label)
        for label in (-1, 1)
        for point in grid[threat.feasible_set.contains(grid, np.full(len(grid), label))]
    ]
    assert len(candidates) > 3
    if isinstance(hypothesis, NormBall) and copies == 2:
        # One convex programme each: a sample of the pairs is enough of them.
        candidates = candidates[:: 1 + len(candidates) // 7]
    worst = 0.0
    for chosen in itertools.combinations_with_replacement(candidates, copies):
        X, y = np.array([point for point, _ in chosen]), np.array([label for _, label in chosen])
        worst = max(worst, retrained(threat, X, y, np.full(copies, 0.1)))
    clean = threaten(split, 0.0, domain="integer", quantile=0.7, hypothesis=hypothesis).certificate
    assert clean.attack_value - 1e-6 < worst <= threat.certificate.bound + SLACK


@pytest.mark.parametrize("hypothesis", [NormBall(1.0), Ridge(0.1)], ids=str)
def test_which_label_comes_first_does_not_matter(hypothesis):
    split = rows(5, integer=False)
    swapped = replace(split, train=Dataset(split.train.X, -split.train.y))
    one, two = (threaten(rows, 0.1, hypothesis=hypothesis).certificate for rows in (split, swapped))
    assert one.bound == pytest.approx(two.bound, rel=2 * TOLERANCE)


def test_sets_only_grow_with_the_quantile():
    train = rows(6, integer=False, n=60).train
    rng = np.random.default_rng(0)
    X, y = 2 * rng.normal(size=(400, 3)), np.where(rng.random(400) < 0.5, 1, -1)
    last = np.zeros(400, dtype=bool)
    for quantile in (0.5, 0.7, 0.9, 0.99):
        setting = Setting(("l2", "slab"), quantile, "real", "hinge", Ridge(0.1))
        inside = build_feasible_set(train, setting).contains(X, y)
        assert np.all(last <= inside)
        last = inside
    assert last.any()
