"""Laws of feasible regions: projection, maximization, bounds, membership, emptiness."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from toadstone.core.errors import EmptyFeasibleSet
from toadstone.core.feasible import Region
from toadstone.kernels.sets.membership import extent, violations
from toadstone.kernels.sets.regions import maximize, project, support_bound
from toadstone.kernels.sets.sets import ConvexSet

BOXES = ("none", "lower", "two sides", "mixed", "some fixed", "all fixed")
BANDS = ("wide", "both", "upper", "lower", "equal", "duplicate", "opposite", "axis", "zero")


@dataclass(frozen=True)
class Case:
    """A region, a point known to lie in it, and a source of random numbers."""

    region: Region
    inside: np.ndarray
    rng: np.random.Generator

    @property
    def bounded(self) -> bool:
        box = np.isfinite(self.region.lower).all() and np.isfinite(self.region.upper).all()
        return self.region.radius < np.inf or bool(box)

    def feasible_points(self, count: int) -> list[np.ndarray]:
        far = [project(self.region, self.inside + self.spread() * 3)[0] for _ in range(count)]
        return [self.inside, *far, *(self.inside + self.rng.random() * (z - self.inside) for z in far)]

    def spread(self) -> np.ndarray:
        return extent(self.region) * self.rng.normal(size=len(self.inside))


@st.composite
def cases(draw, *, max_features: int = 8, integer: bool | None = None, bounded: bool = False) -> Case:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    d = draw(st.integers(1, max_features))
    whole = draw(st.booleans()) if integer is None else integer
    scale = 1.0 if whole else draw(st.sampled_from([1.0, 1e-6, 1e6]))
    inside = scale * (rng.normal(size=d) + draw(st.sampled_from([0.0, 10.0])))
    if whole:
        inside = rng.integers(0, 5, d) + rng.random(d) * (rng.random(d) < 0.5)
    lower, upper = box(draw(st.sampled_from(BOXES)), inside, scale, whole, rng)
    centre = np.where(rng.random(d) < 0.2, np.clip(inside, lower, upper), inside + scale * rng.normal(size=d))
    radius = reach(inside, centre, whole) + scale * draw(st.sampled_from([1e-3, 0.1, 1.0, 5.0]))
    if not bounded and draw(st.integers(0, 9)) == 0:
        radius = np.inf
    region = Region(lower, upper, centre, radius, np.empty((0, d)), np.empty(0), np.empty(0), whole)
    for kind in draw(st.lists(st.sampled_from(BANDS), max_size=3)):
        region = with_band(region, kind, inside, scale, rng)
    return Case(region, inside, rng)


def box(kind: str, inside: np.ndarray, scale: float, whole: bool, rng: np.random.Generator) -> tuple:
    d = len(inside)
    lower, upper = inside - scale * rng.random(d), inside + scale * rng.random(d)
    if whole:
        lower, upper = np.floor(lower), np.ceil(upper)
    if kind in ("none", "lower"):
        upper = np.full(d, np.inf)
    if kind == "none":
        lower = np.full(d, -np.inf)
    if kind == "mixed":
        lower[rng.random(d) < 0.5], upper[rng.random(d) < 0.5] = -np.inf, np.inf
    if "fixed" in kind:
        fixed = rng.random(d) < (0.6 if kind == "some fixed" else 2.0)
        lower[fixed] = upper[fixed] = inside[fixed]
    return lower, upper


def reach(x: np.ndarray, centre: np.ndarray, whole: bool) -> float:
    part = x - np.floor(x)
    return float(np.sqrt(np.sum((x - centre) ** 2) + whole * np.sum(part * (1 - part))))


def with_band(region: Region, kind: str, inside: np.ndarray, scale: float, rng: np.random.Generator) -> Region:
    normal = rng.normal(size=len(inside)) * rng.choice([1.0, 1e-3, 1e3])
    if kind == "axis":
        normal = np.eye(len(inside))[rng.integers(len(inside))]
    if kind in ("duplicate", "opposite") and len(region.bands):
        normal = region.bands[-1] * (1.0 if kind == "duplicate" else -2.0)
    if kind == "zero":
        normal = np.zeros(len(inside))
    value, width = normal @ inside, scale * float(np.linalg.norm(normal))
    low, high = value - width * rng.random() * (rng.random() < 0.7), value + width * rng.random()
    low, high = {
        "wide": (value - 1e4 * width, value + 1e4 * width),
        "upper": (-np.inf, high),
        "lower": (low, np.inf),
        "equal": (value, value),
    }.get(kind, (low, high))
    return extended(region, normal, low, high)


def extended(region: Region, normal: np.ndarray, low: float, high: float) -> Region:
    bands, lows, highs = np.vstack([region.bands, normal]), np.append(region.low, low), np.append(region.high, high)
    return Region(region.lower, region.upper, region.centre, region.radius, bands, lows, highs, region.integer)


def is_feasible(region: Region, x: np.ndarray) -> bool:
    """The constraints themselves, written without the code under test."""
    if np.any(x < region.lower) or np.any(x > region.upper):
        return False
    size = np.linalg.norm(region.centre) + np.linalg.norm(x)
    if region.radius < np.inf:
        square = reach(x, region.centre, region.integer) ** 2
        if square > region.radius**2 * (1 + 1e-8) + 1e-12 * size**2:
            return False
    values, norms = region.bands @ x, np.linalg.norm(region.bands, axis=1)
    slack = norms * (1e-8 * extent(region) + 1e-11 * size)
    return bool(np.all(values <= region.high + slack) and np.all(values >= region.low - slack))


@given(cases())
@settings(deadline=None, max_examples=300)
def test_projection_is_feasible_nearest_idempotent_and_nonexpansive(case):
    region = case.region
    p, q = (case.inside + s * case.spread() for s in (0.3, 10.0))
    x, z = project(region, p)[0], project(region, q)[0]
    assert is_feasible(region, x)
    assert violations(region, x[None, :]).max() <= 1e-8
    size = extent(region) + np.linalg.norm(case.inside)
    assert np.linalg.norm(project(region, x)[0] - x) <= 1e-7 * size
    assert np.linalg.norm(x - z) <= np.linalg.norm(p - q) + 1e-7 * size
    for point in case.feasible_points(3):
        assert (q - z) @ (point - z) <= 1e-7 * size * max(np.linalg.norm(q - z), 1e-6 * size)
        assert np.linalg.norm(q - z) <= np.linalg.norm(q - point) + 1e-7 * size


@given(st.one_of(cases(), cases(max_features=400)), st.sampled_from(["random", "tiny", "huge", "axis", "zero", "band"]))
@settings(deadline=None, max_examples=300)
def test_maximum_is_feasible_and_its_bound_holds_and_is_tight(case, kind):
    region, d = case.region, len(case.inside)
    directions = {"axis": np.eye(d)[0], "zero": np.zeros(d), "band": region.bands[0] if len(region.low) else np.ones(d)}
    c = directions.get(kind, case.rng.normal(size=d) * {"tiny": 1e-6, "huge": 1e6}.get(kind, 1.0))
    found = maximize(region, c)
    assert found.bound >= found.value
    size = np.linalg.norm(c) * (extent(region) + np.linalg.norm(case.inside))
    if np.isfinite(found.bound):
        assert is_feasible(region, found.point)
        assert found.value == pytest.approx(c @ found.point, abs=1e-12 * size)
    assert all(c @ point <= found.bound + 1e-8 * size for point in case.feasible_points(3))
    if case.bounded:
        assert found.bound - found.value <= 1e-7 * (abs(found.value) + size)
        assert found.value <= support_bound(region, c, found.multipliers) + 1e-6 * size


@given(cases())
@settings(deadline=None, max_examples=200)
def test_any_multipliers_give_a_valid_bound(case):
    region, d = case.region, len(case.inside)
    c = case.rng.normal(size=d) * 10.0 ** case.rng.integers(-3, 4)
    points = case.feasible_points(3)
    size = np.linalg.norm(c) * (extent(region) + np.linalg.norm(case.inside))
    for nu in (0.0, 1e-300, 1e-9, 1.0, 1e9, float(case.rng.random())):
        multipliers = np.append(nu, case.rng.normal(size=len(region.low)) * 10.0 ** case.rng.integers(-3, 3))
        bound = support_bound(region, c, multipliers)
        assert not np.isnan(bound)
        # Feasible points may exceed a limit by 1e-8 of its scale, which multipliers magnify.
        leeway = 1e-8 * (size + np.abs(multipliers[1:]) @ band_sizes(region) + nu * extent(region) ** 2)
        assert all(c @ point <= bound + leeway for point in points)


def band_sizes(region: Region) -> np.ndarray:
    limits = np.where(np.isfinite(region.low), region.low, 0.0), np.where(np.isfinite(region.high), region.high, 0.0)
    return np.linalg.norm(region.bands, axis=1) * extent(region) + np.maximum(*np.abs(limits))


@given(cases())
@settings(deadline=None, max_examples=150)
def test_dense_and_sparse_rows_have_the_same_members(case):
    steps = [1e-12, 1e-4, 0.1, 1.0, 10.0]
    rows = np.stack([*case.feasible_points(2), *(case.inside + step * case.spread() for step in steps)])
    rows[-3:][case.rng.random((3, rows.shape[1])) < 0.5] = 0.0
    members, labels = ConvexSet({1: case.region}), np.ones(len(rows))
    dense = members.contains(rows, labels)
    assert np.array_equal(dense, members.contains(csr_array(rows), labels))
    assert dense[:3].all()


@given(cases(), st.sampled_from([1e-5, 1e-2, 1.0, 100.0]))
@settings(deadline=None, max_examples=200)
def test_an_empty_region_is_reported(case, gap):
    normal = case.rng.normal(size=len(case.inside))
    top = maximize(case.region, normal).bound
    if not np.isfinite(top):
        return
    size = extent(case.region) + np.linalg.norm(case.inside) + np.linalg.norm(case.region.centre)
    width = size * float(np.linalg.norm(normal))
    empty = extended(case.region, normal, top + gap * width, top + (gap + case.rng.random()) * width)
    with pytest.raises(EmptyFeasibleSet):
        project(empty, case.inside)
    with pytest.raises(EmptyFeasibleSet):
        maximize(empty, case.rng.normal(size=len(case.inside)))


def constraints(region: Region, x: cp.Variable) -> list:
    """The region for a modelling language, the integer form by its epigraph."""
    held = [x[i] >= low for i, low in enumerate(region.lower) if np.isfinite(low)]
    held += [x[i] <= high for i, high in enumerate(region.upper) if np.isfinite(high)]
    for normal, low, high in zip(region.bands, region.low, region.high, strict=True):
        held += [normal @ x >= low] * bool(np.isfinite(low)) + [normal @ x <= high] * bool(np.isfinite(high))
    if not region.integer:
        return [*held, cp.norm(x - region.centre) <= region.radius]
    squares = cp.Variable(len(region.centre))
    farthest = np.abs(region.centre) + region.radius + 1
    for k in range(-int(farthest.max()) - 1, int(farthest.max()) + 2):
        held.append(squares >= (2 * k + 1) * x - k * (k + 1))
    square = region.centre @ region.centre
    return [*held, cp.sum(squares) - 2 * region.centre @ x + square <= region.radius**2]


def solve(objective, region: Region, x: cp.Variable) -> float:
    problem = cp.Problem(objective, constraints(region, x))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Solution may be inaccurate")
        problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)
    assume(problem.status == cp.OPTIMAL)
    return float(problem.value)


def comparable(case: Case) -> bool:
    """Whether a generic solver can be trusted: ordinary scale, an interior, no ill-conditioned rows."""
    norms = np.linalg.norm(case.region.bands, axis=1)
    return bool(1e-2 < extent(case.region) < 1e2 and np.all((norms > 0.1) & (norms < 100.0)))


@pytest.mark.parametrize("max_features", [6, 50])
def test_agreement_with_a_generic_solver(max_features):
    @given(cases(max_features=max_features, bounded=True).filter(comparable))
    @settings(deadline=None, max_examples=40 if max_features == 6 else 8)
    def agrees(case):
        region = case.region
        c, q = case.rng.normal(size=len(case.inside)), case.inside + 2 * case.rng.normal(size=len(case.inside))
        x = cp.Variable(len(c))
        best = solve(cp.Maximize(c @ x), region, x)
        found = maximize(region, c)
        scale = 1 + abs(best) + np.linalg.norm(c) * region.radius
        assert found.value == pytest.approx(best, abs=1e-6 * scale)
        assert found.bound == pytest.approx(best, abs=1e-6 * scale)
        shortest = np.sqrt(solve(cp.Minimize(cp.sum_squares(x - q)), region, x))
        nearest = project(region, q)[0]
        assert np.linalg.norm(nearest - q) == pytest.approx(shortest, abs=1e-6 * (1 + region.radius))
        assert np.linalg.norm(nearest - x.value) <= 1e-4 * (1 + region.radius)

    agrees()
