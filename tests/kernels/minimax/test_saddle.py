"""The minimax training problem: agreement with a generic solver, and valid from both sides always."""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import dataclass

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from toadstone.core.certificate import NormBall, Ridge
from toadstone.core.errors import EmptyFeasibleSet
from toadstone.core.feasible import Region
from toadstone.kernels.losses import HINGE, LOGISTIC, SQUARED_HINGE, MarginLoss, smooth_hinge
from toadstone.kernels.minimax.problem import Problem
from toadstone.kernels.minimax.saddle import Saddle, solve_saddle
from toadstone.kernels.sets.membership import violations
from toadstone.kernels.sets.regions import support_bound
from toadstone.kernels.sets.sets import fit_domain
from toadstone.sanitizers.slab import SlabSanitizer
from toadstone.sanitizers.sphere import SphereSanitizer

LOSSES = (HINGE, SQUARED_HINGE, LOGISTIC, smooth_hinge(0.1))
DOMAINS = ("real", "box", "integer")
HYPOTHESES = (NormBall(1.0), Ridge(0.05))
FRACTIONS = (0.0, 1e-9, 1e-6, 0.01, 0.2, 0.49)


@dataclass(frozen=True)
class Case:
    """Clean rows, and where poison of both labels may lie."""

    X: np.ndarray
    signs: np.ndarray
    regions: tuple[Region, Region]

    def solve(self, *, fraction=0.1, hypothesis=Ridge(0.05), loss=HINGE, **options) -> Saddle:  # noqa: B008
        problem = Problem(self.X, self.signs, self.regions, loss, hypothesis)
        return solve_saddle(problem, fraction=fraction, **options)


def case(
    seed: int, *, domain: str = "real", n: int = 30, d: int = 3, apart: float = 1.0, quantile: float = 0.7
) -> Case:
    rng = np.random.default_rng(seed)
    signs = np.where(rng.random(n) < rng.choice([0.5, 0.15]), 1.0, -1.0)
    signs[:2] = 1.0, -1.0
    X = rng.normal(size=(n, d)) + apart * signs[:, None] * rng.normal(size=d) + rng.normal(size=d)
    if domain == "integer":
        X = rng.poisson(1.0 + apart * np.outer(signs > 0, rng.random(d) < 0.6)).astype(float)
    return with_filters(X, signs, domain, quantile)


def with_filters(X: np.ndarray, signs: np.ndarray, domain: str = "real", quantile: float = 0.7) -> Case:
    filters = [kind(contamination=1 - quantile).fit(X, signs) for kind in (SphereSanitizer, SlabSanitizer)]
    both = filters[0].feasible_set_.intersect(filters[1].feasible_set_).within(fit_domain(X, domain))
    return Case(X, signs, (both.region(-1.0), both.region(1.0)))


def loss_expression(loss: MarginLoss, margins):
    if loss.temperature > 0:
        return loss.temperature * cp.logistic((loss.shift - margins) / loss.temperature)
    return cp.pos(1 - margins) if loss.curvature == 0 else cp.square(cp.pos(1 - margins))


def largest_score(region: Region, direction, held: list):
    """The support function of a region by its dual, for a modelling language."""
    rest, total = direction, 0
    up, down = (cp.Variable(len(region.low), nonneg=True) for _ in range(2))
    rest = rest - region.bands.T @ (up - down)
    total = up @ region.high - down @ region.low
    for limit, side in ((region.upper, 1.0), (region.lower, -1.0)):
        if np.isfinite(limit).all():
            pressed = cp.Variable(len(limit), nonneg=True)
            rest, total = rest - side * pressed, total + side * (pressed @ limit)
    if not region.integer:
        return total + region.centre @ rest + region.radius * cp.norm(rest)
    farthest = int(np.abs(region.centre).max() + region.radius) + 2
    steps = np.arange(-farthest, farthest + 1.0)
    nu, tau = cp.Variable(nonneg=True), cp.Variable((len(region.centre), len(steps)), nonneg=True)
    held += [cp.sum(tau, axis=1) == nu, rest == tau @ (2 * steps + 1) - 2 * region.centre * nu]
    return total + nu * (region.radius**2 - region.centre @ region.centre) + cp.sum(tau @ (steps * (steps + 1)))


def minimax(case: Case, *, fraction: float, hypothesis: NormBall | Ridge, loss: MarginLoss) -> float:
    """The optimum by a generic solver, NaN where that finds none."""
    w, b = cp.Variable(case.X.shape[1]), cp.Variable()
    total = cp.sum(loss_expression(loss, cp.multiply(case.signs, case.X @ w + b))) / len(case.signs)
    held = []
    if isinstance(hypothesis, Ridge):
        total += hypothesis.strength * (1 + fraction) / 2 * (cp.sum_squares(w) + cp.square(b))
    else:
        held.append(cp.norm(cp.hstack([w, b])) <= np.sqrt(hypothesis.squared_radius))
    if fraction > 0:
        worst = cp.Variable()
        for region, sign in zip(case.regions, (-1.0, 1.0), strict=True):
            held.append(worst <= sign * b - largest_score(region, -sign * w, held))
        total += fraction * loss_expression(loss, worst)
    problem = cp.Problem(cp.Minimize(total), held)
    for tolerance in (1e-10, 1e-8):
        with warnings.catch_warnings(), contextlib.suppress(cp.SolverError):
            warnings.simplefilter("ignore")
            options = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), tolerance)
            problem.solve(solver=cp.CLARABEL, **options)
            if problem.status == cp.OPTIMAL:
                return float(problem.value)
    return np.nan


def check_valid(found: Saddle, best: float, leeway: float = 1e-7) -> None:
    # Points are feasible to a few parts in a billion, and the value is what they achieve.
    assert found.bound >= found.value - 1e-9 * max(1.0, found.bound)
    if np.isfinite(best):
        assert found.bound >= best - leeway * max(1.0, best)
        assert found.value <= best + leeway * max(1.0, best)


def check_witness(case: Case, found: Saddle, fraction: float, loss: MarginLoss) -> None:
    witness = found.witness
    assert witness.masses.sum() == pytest.approx(fraction, rel=1e-12)
    assert np.all(witness.masses >= 0)
    assert np.all(witness.poison_duals >= 0)
    if fraction > 0:
        assert witness.poison_duals.sum() <= loss.cap * fraction * (1 + 1e-12)
    assert np.all((witness.clean_duals >= 0) & (witness.clean_duals <= loss.cap))
    for point, mass, region in zip(witness.points, witness.masses, case.regions, strict=True):
        assert mass == 0 or violations(region, point[None, :]).max() <= 1e-8


class TestAgreementWithAGenericSolver:
    @pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
    @pytest.mark.parametrize("domain", DOMAINS)
    @pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=str)
    def test_losses_domains_and_hypotheses(self, loss, domain, hypothesis):
        rows = case(17, domain=domain)
        best = minimax(rows, fraction=0.1, hypothesis=hypothesis, loss=loss)
        found = rows.solve(loss=loss, hypothesis=hypothesis)
        check_valid(found, best)
        check_witness(rows, found, 0.1, loss)
        assert found.bound == pytest.approx(best, rel=1.5e-5)
        assert found.value == pytest.approx(best, rel=1.5e-5)

    @pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=str)
    def test_poison_that_is_at_its_margin(self, hypothesis):
        # Its dual mass stays below the fraction, so that the model must meet its margin exactly:
        # the one place where the model is good to four digits only.
        rows = case(4)
        best = minimax(rows, fraction=0.1, hypothesis=hypothesis, loss=HINGE)
        found = rows.solve(hypothesis=hypothesis)
        check_valid(found, best)
        assert found.bound == pytest.approx(best, rel=1e-4)

    @pytest.mark.parametrize("fraction", FRACTIONS)
    @pytest.mark.parametrize("hypothesis", [*HYPOTHESES, NormBall(1e4)], ids=str)
    def test_fractions(self, fraction, hypothesis):
        # A squared norm of ten thousand never binds here: the slack ball.
        rows = case(1)
        best = minimax(rows, fraction=fraction, hypothesis=hypothesis, loss=HINGE)
        found = rows.solve(fraction=fraction, hypothesis=hypothesis)
        check_valid(found, best)
        check_witness(rows, found, fraction, HINGE)
        assert found.bound == pytest.approx(best, rel=1.5e-5, abs=1e-8)

    @pytest.mark.parametrize("d", [1, 2, 12])
    @pytest.mark.parametrize("domain", DOMAINS)
    def test_numbers_of_features(self, d, domain):
        rows = case(2, domain=domain, d=d)
        best = minimax(rows, fraction=0.1, hypothesis=NormBall(2.0), loss=HINGE)
        found = rows.solve(hypothesis=NormBall(2.0))
        check_valid(found, best)
        assert found.bound == pytest.approx(best, rel=1.5e-5)


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(DOMAINS),
    st.sampled_from(LOSSES),
    st.sampled_from(FRACTIONS),
    st.sampled_from([0.0, 1.0, 5.0]),
    st.floats(-3, 3),
)
@settings(deadline=None, max_examples=25)
def test_bound_and_value_enclose_the_optimum_however_early_one_stops(seed, domain, loss, fraction, apart, exponent):
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(4, 40)), int(rng.integers(1, 7))
    rows = case(seed, domain=domain, n=n, d=d, apart=apart, quantile=float(rng.choice([0.5, 0.7, 0.9])))
    hypothesis = NormBall(10.0**exponent) if rng.random() < 0.5 else Ridge(10.0**exponent)
    best = minimax(rows, fraction=fraction, hypothesis=hypothesis, loss=loss)
    for rounds in (1, 3, 60):
        found = rows.solve(fraction=fraction, hypothesis=hypothesis, loss=loss, max_rounds=rounds)
        check_valid(found, best)
        check_witness(rows, found, fraction, loss)


class TestOddData:
    def check(self, rows: Case, *, fraction: float = 0.05, hypothesis: NormBall | Ridge) -> Saddle:
        best = minimax(rows, fraction=fraction, hypothesis=hypothesis, loss=HINGE)
        found = rows.solve(fraction=fraction, hypothesis=hypothesis)
        check_valid(found, best)
        check_witness(rows, found, fraction, HINGE)
        assert found.bound == pytest.approx(best, rel=1.5e-5, abs=1e-7)
        return found

    @pytest.mark.parametrize("hypothesis", [NormBall(1e4), NormBall(1.0), NormBall(0.01)], ids=str)
    @pytest.mark.parametrize("fraction", [0.0, 0.1, 0.49])
    def test_classes_far_apart_leave_no_loss(self, hypothesis, fraction):
        rng = np.random.default_rng(0)
        signs = np.repeat([1.0, -1.0], 20)
        rows = with_filters(rng.normal(size=(40, 3)) + 50 * signs[:, None], signs)
        found = rows.solve(fraction=fraction, hypothesis=hypothesis)
        assert found.bound == 0
        assert -1e-12 <= found.value <= 0
        assert found.rounds < 100

    @pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=str)
    def test_duplicated_rows(self, hypothesis):
        rows = case(3, n=5)
        self.check(with_filters(np.repeat(rows.X, 8, axis=0), np.repeat(rows.signs, 8)), hypothesis=hypothesis)

    @pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=str)
    def test_a_class_of_one_row(self, hypothesis):
        rng = np.random.default_rng(1)
        X = np.vstack([rng.normal(size=(50, 3)), [[1.0, 0.5, 0.0]]])
        self.check(with_filters(X, np.append(-np.ones(50), 1.0)), hypothesis=hypothesis)

    @pytest.mark.parametrize("hypothesis", [*HYPOTHESES, Ridge(1e-4)], ids=str)
    @pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
    def test_two_rows(self, hypothesis, loss):
        # Each region is a single point.
        rows = with_filters(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([1.0, -1.0]))
        for fraction in (1e-9, 0.03, 0.49):
            best = minimax(rows, fraction=fraction, hypothesis=hypothesis, loss=loss)
            check_valid(rows.solve(fraction=fraction, hypothesis=hypothesis, loss=loss), best)

    @pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=str)
    def test_classes_that_share_their_mean(self, hypothesis):
        X = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
        found = self.check(with_filters(X, np.array([1.0, 1.0, -1.0, -1.0])), hypothesis=hypothesis)
        assert found.bound == pytest.approx(1.05, abs=1e-4)

    @pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=str)
    def test_columns_of_zeros(self, hypothesis):
        rows = case(5)
        self.check(with_filters(np.hstack([rows.X, np.zeros((30, 2))]), rows.signs), hypothesis=hypothesis)

    @pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
    @pytest.mark.parametrize("scale", [1e-4, 1e4])
    @pytest.mark.parametrize("hypothesis", [NormBall(1.0), Ridge(0.1)], ids=str)
    def test_no_bound_is_worse_than_not_to_train(self, loss, scale, hypothesis):
        rows = case(6)
        scaled = with_filters(scale * rows.X, rows.signs)
        found = scaled.solve(loss=loss, hypothesis=hypothesis, max_rounds=100)
        assert found.bound <= 1.1 * float(loss.value(np.zeros(1))[0]) * (1 + 1e-12)
        assert found.value >= 0

    def test_a_region_without_a_point_is_reported(self):
        rows = case(7)
        region = rows.regions[0]
        normal = region.bands[0]
        empty = Region(
            region.lower, region.upper, region.centre, region.radius, np.vstack([normal, normal]),
            np.append(region.low, region.high + 1.0), np.append(region.high, region.high + 2.0),
        )  # fmt: skip
        with pytest.raises(EmptyFeasibleSet):
            solve_saddle(Problem(rows.X, rows.signs, (empty, rows.regions[1]), HINGE, Ridge(0.1)), fraction=0.1)

    def test_whole_numbers_and_hardly_any_poison(self):
        # A tiny mass sends its point towards targets very far away.
        rng = np.random.default_rng(228)
        for _ in range(6):
            rows = case(int(rng.integers(1000)), domain="integer", n=59, d=4)
            for loss in (HINGE, LOGISTIC):
                found = rows.solve(fraction=1e-6, hypothesis=Ridge(1e-3), loss=loss, max_rounds=200)
                assert found.value <= found.bound


class TestWhatMustNotMatter:
    def test_dense_or_sparse_rows(self):
        rows = case(8, domain="integer")
        dense, sparse = rows.solve(), Case(csr_array(rows.X), rows.signs, rows.regions).solve()
        assert dense.bound == sparse.bound
        np.testing.assert_array_equal(dense.theta, sparse.theta)

    def test_a_second_run_with_the_same_seed(self):
        one, two = (case(9, domain="box").solve(seed=4) for _ in range(2))
        assert (one.bound, one.value, one.rounds) == (two.bound, two.value, two.rounds)
        assert one.theta.tobytes() == two.theta.tobytes()
        assert one.witness.points.tobytes() == two.witness.points.tobytes()

    @pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=str)
    def test_the_seed_and_the_order_of_rows(self, hypothesis):
        rows = case(10)
        order = np.random.default_rng(0).permutation(len(rows.signs))
        shuffled = Case(rows.X[order], rows.signs[order], rows.regions)
        bounds = [found.solve(hypothesis=hypothesis, seed=seed).bound for found, seed in ((rows, 0), (shuffled, 7))]
        assert bounds[0] == pytest.approx(bounds[1], rel=1.1e-5)

    @pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
    @pytest.mark.parametrize("hypothesis", [*HYPOTHESES, NormBall(1e4)], ids=str)
    def test_the_start(self, loss, hypothesis):
        rows = case(11)
        options = {"loss": loss, "hypothesis": hypothesis}
        cold = rows.solve(fraction=0.1, **options)
        for first in (0.0, 0.01, 0.1, 0.3):
            warm = rows.solve(fraction=0.1, start=rows.solve(fraction=first, **options), **options)
            check_witness(rows, warm, 0.1, loss)
            assert warm.value <= cold.bound * (1 + 1e-12)
            assert cold.value <= warm.bound * (1 + 1e-12)
            assert warm.bound == pytest.approx(cold.bound, rel=3e-5)

    @pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=str)
    def test_which_class_is_called_positive(self, hypothesis):
        rows = case(12)
        swapped = Case(rows.X, -rows.signs, rows.regions[::-1])
        assert rows.solve(hypothesis=hypothesis).bound == pytest.approx(
            swapped.solve(hypothesis=hypothesis).bound, rel=1.1e-5
        )


def test_starting_from_a_solution_takes_no_rounds():
    rows = case(13)
    found = rows.solve()
    assert rows.solve(start=found).rounds == 0


def test_a_tighter_tolerance_gives_a_smaller_gap():
    rows = case(14, n=60, d=6)
    loose, tight = (rows.solve(hypothesis=NormBall(4.0), tolerance=tolerance) for tolerance in (1e-2, 1e-7))
    assert tight.bound - tight.value <= 1e-7 * tight.bound
    assert loose.rounds <= tight.rounds
    assert loose.value <= tight.bound
    assert tight.value <= loose.bound


@pytest.mark.parametrize("first", [0.0, 0.01, 0.3])
def test_the_start_is_left_alone(first):
    rows = case(16)
    start = rows.solve(fraction=first)
    witness = start.witness
    before = [part.copy() for part in (start.theta, *vars(witness).values())]
    rows.solve(fraction=0.1, start=start)
    for one, other in zip(before, (start.theta, *vars(witness).values()), strict=True):
        np.testing.assert_array_equal(one, other)


def test_inputs_are_left_alone():
    rows = case(15)
    before = rows.X.copy(), rows.signs.copy()
    rows.solve()
    np.testing.assert_array_equal(rows.X, before[0])
    np.testing.assert_array_equal(rows.signs, before[1])


@pytest.mark.parametrize("rounds", [1, 2, 5])
@pytest.mark.parametrize("seed", range(4))
def test_a_bound_given_up_early_is_that_of_its_model_and_multipliers(seed, rounds):
    rows = case(seed)
    found = rows.solve(hypothesis=Ridge(0.05), max_rounds=rounds)
    weights, bias = found.theta[:-1], found.theta[-1]
    margins = [
        sign * bias - support_bound(region, -sign * weights, multipliers)
        for sign, region, multipliers in zip((-1.0, 1.0), rows.regions, found.multipliers, strict=True)
    ]
    total = HINGE.value(rows.signs * (rows.X @ weights + bias)).mean() + 0.1 * max(0.0, 1 - min(margins))
    assert found.bound == pytest.approx(total + 1.1 * 0.05 / 2 * found.theta @ found.theta, rel=1e-9)
