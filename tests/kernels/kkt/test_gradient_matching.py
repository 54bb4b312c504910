"""The KKT subproblem: optimal against a generic solver, bounds that hold, convex in the masses."""

from __future__ import annotations

import warnings

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from toadstone.core.errors import EmptyFeasibleSet, InvalidArgument
from toadstone.core.feasible import Region, ball, slab
from toadstone.kernels.kkt.block_descent import SIGNS
from toadstone.kernels.kkt.gradient_matching import Match, Target, match, match_jointly
from toadstone.kernels.sets.membership import violations

seeds = st.integers(0, 2**32 - 1)


def region(rng: np.random.Generator, d: int, *, integer: bool) -> Region:
    """A ball or its integer form, a box, a slab and a band, around a known point."""
    inside = rng.random(d) * 3
    bands = rng.normal(size=(2, d))
    offsets = bands @ inside
    radius = np.sqrt(d) * (1.0 + rng.random())
    return Region(
        np.zeros(d),
        np.full(d, 4.0),
        inside + 0.3 * rng.normal(size=d),
        radius,
        bands,
        offsets - np.array([0.5, 0.0]),
        offsets + np.array([0.2, 1.0]),
        integer,
    )


def problem(seed: int, *, d: int = 5, k: int = 3, far: float = 1.0) -> tuple[Target, tuple[Region, Region]]:
    rng = np.random.default_rng(seed)
    integer = bool(rng.integers(2))
    regions = region(rng, d, integer=integer), region(rng, d, integer=integer)
    loose = 0.2 * rng.normal(size=(k, d + 1))
    return Target(far * rng.normal(size=d + 1), csr_array(loose)), regions


def constraints(part: Region, mass: cp.Expression, pull: cp.Variable) -> list:
    """``pull = mass * x`` with x in a region, by its perspective."""
    held = [pull >= mass * part.lower, pull <= mass * part.upper]
    for normal, low, high in zip(part.bands, part.low, part.high, strict=True):
        held += [normal @ pull >= mass * low, normal @ pull <= mass * high]
    if not part.integer:
        return [*held, cp.norm(pull - mass * part.centre) <= part.radius * mass]
    squares = cp.Variable(len(part.centre))
    held += [squares >= (2 * k + 1) * pull - k * (k + 1) * mass for k in range(5)]
    limit = part.radius**2 - float(part.centre @ part.centre)
    return [*held, cp.sum(squares) - 2 * part.centre @ pull <= limit * mass]


def generic(target: Target, regions: tuple[Region, Region], masses: tuple[float, float] | float) -> float:
    """The smallest residual by a modelling language, for two masses or for their sum."""
    d = len(target.fixed) - 1
    negative, positive, shares = cp.Variable(d), cp.Variable(d), cp.Variable(target.loose.shape[0])
    if isinstance(masses, tuple):
        weights: list = [cp.Constant(mass) for mass in masses]
        held = []
    else:
        free = cp.Variable()
        weights, held = [masses - free, free], [free >= 0, free <= masses]
    for part, weight, pull in zip(regions, weights, (negative, positive), strict=True):
        held += constraints(part, weight, pull)
    held += [shares >= 0, shares <= 1]
    weights_gap = cp.reshape(weights[1] - weights[0], (1,), order="C")
    left = target.fixed - target.loose.toarray().T @ shares - cp.hstack([positive - negative, weights_gap])
    posed = cp.Problem(cp.Minimize(cp.norm(left)), held)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Solution may be inaccurate")
        posed.solve(solver=cp.CLARABEL, tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)
    return float(posed.value)


def exactly(target: Target, regions: tuple[Region, Region], masses: np.ndarray) -> Match:
    return match(target, regions, masses, tolerance=1e-9, max_sweeps=4000)


@given(seeds, st.sampled_from([0, 3]), st.sampled_from([0.1, 1.0, 5.0]))
@settings(max_examples=25)
def test_agreement_with_a_generic_solver(seed, k, far):
    target, regions = problem(seed, k=k, far=far)
    masses = np.random.default_rng(seed).random(2) + 0.05
    found, best = exactly(target, regions, masses), generic(target, regions, tuple(masses))
    assert found.value == pytest.approx(best, abs=2e-5 * (1 + best))
    assert found.bound <= best + 1e-7


@given(seeds)
@settings(max_examples=12)
def test_joint_masses_agree_with_a_generic_solver(seed):
    target, regions = problem(seed)
    total = 0.6
    found = match_jointly(target, regions, total, tolerance=1e-8, resolution=1e-4)
    best = generic(target, regions, total)
    assert found.masses.sum() == pytest.approx(total)
    assert found.value == pytest.approx(best, abs=2e-3 * (1 + best))
    assert found.value >= best - 1e-6
    rough = match_jointly(target, regions, total, resolution=0.9)
    assert max(found.bound, rough.bound) <= best + 1e-7


@given(seeds, st.integers(1, 40))
@settings(max_examples=30)
def test_the_bound_holds_however_early_one_stops(seed, sweeps):
    target, regions = problem(seed)
    early = match(target, regions, np.array([0.3, 0.4]), max_sweeps=sweeps)
    late = exactly(target, regions, np.array([0.3, 0.4]))
    assert early.bound <= late.value + 1e-9
    assert late.gap <= early.gap + 1e-6
    assert early.value >= late.value - 1e-9


@given(seeds)
@settings(max_examples=10)
def test_the_smallest_residual_is_convex_in_the_masses(seed):
    target, regions = problem(seed)
    grid = np.linspace(0.0, 0.5, 9)
    values = np.array([exactly(target, regions, np.array([0.5 - positive, positive])).value for positive in grid])
    assert np.all(values[:-2] + values[2:] - 2 * values[1:-1] >= -1e-5 * (1 + values.max()))


@given(seeds)
@settings(max_examples=20)
def test_what_is_returned_fits_together(seed):
    target, regions = problem(seed)
    masses = np.array([0.2, 0.5])
    found = match(target, regions, masses)
    for part, point in zip(regions, found.points, strict=True):
        assert violations(part, point[None, :]).max() <= 1e-8
    assert np.all((found.shares >= 0) & (found.shares <= 1))
    signed = (masses * SIGNS)[:, None] * np.column_stack([found.points, np.ones(2)])
    left = target.fixed - target.loose.T @ found.shares - signed.sum(axis=0)
    np.testing.assert_allclose(found.residual, left, atol=1e-12)
    assert found.value == pytest.approx(np.linalg.norm(left))
    assert 0 <= found.bound <= found.value


@given(seeds)
@settings(max_examples=10)
def test_a_target_within_reach_is_reached(seed):
    target, regions = problem(seed)
    rng = np.random.default_rng(seed)
    middles = [match(Target(rng.normal(size=6), csr_array((0, 6))), regions, np.ones(2)).points for _ in range(6)]
    points = np.mean(middles, axis=0)
    masses = np.array([0.4, 0.3])
    shares = rng.uniform(0.2, 0.8, 3)
    fixed = target.loose.T @ shares + (masses * SIGNS) @ np.column_stack([points, np.ones(2)])
    assert exactly(Target(fixed, target.loose), regions, masses).value <= 1e-5


class TestOneSide:
    @pytest.mark.parametrize("k", [0, 1])
    def test_a_class_without_mass_does_not_count(self, k):
        target, regions = problem(4)
        masses = np.where(np.arange(2) == k, 0.5, 0.0)
        best = generic(target, regions, tuple(masses))
        assert exactly(target, regions, masses).value == pytest.approx(best, abs=1e-5)

    def test_no_mass_at_all_leaves_the_target_to_the_rows(self):
        target, _ = problem(5, k=0)
        half = Region(*[np.full(5, end) for end in (0.0, np.inf, 1.0)], np.inf, np.empty((0, 5)), *np.empty((2, 0)))
        found = match(target, (half, half), np.zeros(2))
        assert found.value == pytest.approx(np.linalg.norm(target.fixed))
        assert found.gap == pytest.approx(0.0, abs=1e-12)


def test_a_start_saves_sweeps():
    target, regions = problem(6, d=30)
    masses = np.array([0.4, 0.3])
    first = match(target, regions, masses, tolerance=1e-6, max_sweeps=2000)
    again = match(target, regions, masses, tolerance=1e-6, max_sweeps=2000, start=first)
    assert again.sweeps <= first.sweeps
    assert again.value <= first.value + 1e-12


def test_an_empty_region_is_reported():
    contradiction = Region(
        *[np.full(2, side) for side in (0.0, 1.0)], np.full(2, 9.0), 1.0, np.empty((0, 2)), np.empty(0), np.empty(0)
    )
    unit = ball(np.zeros(2), 1.0)
    for regions in ((unit, contradiction), (contradiction, unit)):
        with pytest.raises(EmptyFeasibleSet, match="contradict"):
            match(Target(np.ones(3), csr_array((0, 3))), regions, np.ones(2))


@pytest.mark.parametrize("masses", [np.array([-1.0, 1.0]), np.ones(3)])
def test_masses_that_make_no_sense(masses):
    unit = slab(np.ones(2), 0.0, 1.0)
    with pytest.raises(InvalidArgument, match="`masses`: expected two numbers that are not negative"):
        match(Target(np.ones(3), csr_array((0, 3))), (unit, unit), masses)
