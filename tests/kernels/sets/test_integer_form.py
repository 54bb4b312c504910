"""The integer-aware form of the radius: the relaxation called F_LP in the papers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.feasible import Region, ball
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import HINGE
from toadstone.kernels.rows import mean, squared_distances
from toadstone.kernels.sets.membership import violations
from toadstone.kernels.sets.regions import maximize, project
from toadstone.kernels.sets.sets import fit_domain


def whole(centre, radius, *, lower=-np.inf, upper=np.inf, bands=None, low=(), high=()):
    centre = np.asarray(centre, dtype=float)
    d = len(centre)
    bands = np.empty((0, d)) if bands is None else np.asarray(bands, dtype=float)
    limits = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    return Region(np.full(d, float(lower)), np.full(d, float(upper)), centre, float(radius), bands, *limits, True)


def cost(region: Region, rows: np.ndarray) -> np.ndarray:
    """What a row spends of the squared radius, from its violation."""
    scale = region.radius**2 + 1e-5 * region.centre @ region.centre
    return violations(region, rows)[:, 1] * scale + region.radius**2


def test_squares_are_interpolated_between_whole_numbers():
    region = whole([0.0], 3.0)
    grid = np.linspace(-4, 4, 161)[:, None]
    interpolated = np.interp(grid[:, 0], np.arange(-5, 6), np.arange(-5, 6) ** 2)
    np.testing.assert_allclose(cost(region, grid), interpolated, atol=1e-12)
    assert np.all(cost(region, grid) >= grid[:, 0] ** 2 - 1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_form_lies_in_the_ball_and_agrees_with_it_on_whole_numbers(seed):
    rng = np.random.default_rng(seed)
    centre, radius = 3 * rng.random(4), 1.5 + rng.random()
    region, round_one = whole(centre, radius), ball(centre, radius)
    rows = centre + radius * rng.normal(size=(3000, 4)) * 0.6
    inside = violations(region, rows)[:, 1] <= 0
    assert inside.any()
    assert np.all(violations(round_one, rows[inside])[:, 1] <= 0)
    points = np.array(list(itertools.product(range(-2, 6), repeat=4)), dtype=float)
    np.testing.assert_array_equal(violations(region, points)[:, 1] <= 0, violations(round_one, points)[:, 1] <= 0)


def test_the_form_is_convex():
    rng = np.random.default_rng(0)
    region = whole(rng.random(5), 2.0)
    one, other = 4 * rng.normal(size=(2, 500, 5))
    share = rng.random((500, 1))
    mixed = cost(region, share * one + (1 - share) * other)
    assert np.all(mixed <= share[:, 0] * cost(region, one) + (1 - share[:, 0]) * cost(region, other) + 1e-9)


def test_random_rounding_spends_the_form_on_average():
    rng = np.random.default_rng(1)
    region = whole(2 * rng.random(6), 2.0)
    x = 3 * rng.random(6)
    draws = np.floor(x) + (rng.random((40_000, 6)) < x - np.floor(x))
    squares = squared_distances(draws, region.centre)
    assert squares.mean() == pytest.approx(cost(region, x[None, :])[0], abs=4 * squares.std() / 200)


@pytest.mark.parametrize("seed", range(8))
def test_without_bands_the_maximum_is_a_knapsack_of_unit_steps(seed):
    rng = np.random.default_rng(seed)
    centre, c = rng.random(6), rng.normal(size=6)
    nearest = np.round(centre)
    budget = float(np.sum((nearest - centre) ** 2)) + rng.random() * 9
    left, value = budget - np.sum((nearest - centre) ** 2), c @ nearest
    sides = np.sign(c)
    steps = [
        (abs(c[i]) / ((k + 1) ** 2 - k**2 - 2 * sides[i] * (centre[i] - nearest[i])), i, k)
        for i in range(6)
        for k in range(40)
    ]
    for _, i, k in sorted(steps, reverse=True):
        price = (k + 1) ** 2 - k**2 - 2 * sides[i] * (centre[i] - nearest[i])
        bought = min(1.0, left / price)
        left, value = left - bought * price, value + bought * abs(c[i])
    found = maximize(whole(centre, np.sqrt(budget)), c)
    assert found.value == pytest.approx(value, rel=1e-8)
    assert found.bound == pytest.approx(value, rel=1e-8)


def test_a_fractional_bound_is_priced_by_the_form_itself():
    region = whole([0.0, 0.5], 1.2, lower=-0.6, upper=0.6)
    found = maximize(region, np.array([1.0, 0.2]))
    assert found.bound - found.value <= 1e-8
    assert found.point[0] == pytest.approx(0.6)


def fractional(point: np.ndarray) -> int:
    return int(np.count_nonzero(np.abs(point - np.round(point)) > 1e-7))


@pytest.mark.parametrize("seed", range(20))
def test_an_extreme_point_has_few_fractional_entries(seed):
    rng = np.random.default_rng(seed)
    d, n_bands = int(rng.integers(5, 600)), int(rng.integers(0, 4))
    centre, bands = 3 * rng.random(d), rng.normal(size=(n_bands, d))
    inside = np.round(centre)
    radius = np.linalg.norm(inside - centre) + 2.0
    values = bands @ inside
    region = whole(centre, radius, lower=0.0, upper=6.0, bands=bands, low=values - 1, high=values + rng.random(n_bands))
    found = maximize(region, rng.normal(size=d))
    active = int(found.multipliers[0] > 0) + np.count_nonzero(found.multipliers[1:])
    assert fractional(found.point) <= active
    assert found.bound - found.value <= 1e-7 * abs(found.value)


@pytest.fixture(scope="module")
def enron(data_dir):
    with np.load(data_dir / "enron.npz", allow_pickle=False) as parts:
        arrays = (parts["X_train_data"].astype(float), parts["X_train_indices"], parts["X_train_indptr"])
        return csr_array(arrays, shape=tuple(parts["X_train_shape"])), parts["y_train"].astype(float)


@pytest.fixture(scope="module", params=[-1.0, 1.0])
def enron_region(enron, request):
    """Sphere and slab of one class at the 0.9 quantile, and a loss band of a trained model."""
    X, y = enron
    sign = request.param
    centre = mean(X, y == sign)
    normal = mean(X, y == -1) - mean(X, y == 1)
    normal /= np.linalg.norm(normal)
    rows = X[y == sign]
    radius = float(np.quantile(np.sqrt(squared_distances(rows, centre)), 0.9))
    half = float(np.quantile(np.abs(rows @ normal - normal @ centre), 0.9))
    theta = fit_linear(X, y, loss=HINGE, ridge=0.09).theta
    limits = np.sort(sign * np.array([1.0, 0.7]) - theta[-1])
    bands, offset = np.stack([normal, theta[:-1]]), normal @ centre
    domain = fit_domain(X, "integer")
    low, high = np.array([offset - half, limits[0]]), np.array([offset + half, limits[1]])
    return Region(domain.lower, domain.upper, centre, radius, bands, low, high, integer=True), theta[:-1]


@pytest.mark.data
def test_enron_radii_are_those_of_the_papers_data(enron_region):
    region, _ = enron_region
    assert min(abs(region.radius - 20.536), abs(region.radius - 25.742)) < 5e-4


@pytest.mark.data
def test_enron_maxima_are_proved_and_nearly_whole(enron_region):
    region, theta = enron_region
    rng = np.random.default_rng(0)
    for _ in range(5):
        found = maximize(region, theta + 0.02 * rng.normal(size=len(theta)))
        assert violations(region, found.point[None, :]).max() <= 1e-8
        assert found.bound - found.value <= 1e-9 * abs(found.value)
        assert fractional(found.point) <= 3


@pytest.mark.data
def test_enron_projections_are_feasible_and_nearest(enron_region):
    region, theta = enron_region
    rng = np.random.default_rng(1)
    inside = [project(region, region.centre + 5 * rng.normal(size=len(theta)))[0] for _ in range(5)]
    for _ in range(5):
        q = region.centre + 3 * rng.normal(size=len(theta)) * (rng.random(len(theta)) < 0.1)
        nearest, _ = project(region, q)
        assert violations(region, nearest[None, :]).max() <= 1e-8
        np.testing.assert_allclose(project(region, nearest)[0], nearest, atol=1e-7)
        assert all((q - nearest) @ (z - nearest) <= 1e-6 for z in inside)
