"""The geometric median: its optimum, and the proof of how near a point is to it."""

import numpy as np
import pytest
from scipy.optimize import minimize

from toadstone.kernels.robust_mean.geometric_median import _reach, geometric_median_weights, products_from


def found_of(points, *, tolerance=1e-8, f=0):
    between = np.linalg.norm(points[:, None] - points, axis=2)
    given = products_from(between**2)
    if given is None:
        centred = points - points[-1]
        lengths = np.linalg.norm(centred, axis=1)
        given = centred @ centred.T, np.outer(lengths, lengths)
    return geometric_median_weights(between, *given, tolerance=tolerance, nearest=len(points) - f)


def total(points, at):
    """In long double, so that far rows do not hide the gap."""
    return np.sqrt(np.square(points.astype(np.longdouble) - at).sum(axis=1)).sum()


def best_of(points, start):
    """The optimum by a generic solver."""
    scale = np.abs(points - start).max() or 1.0
    found = minimize(
        lambda z: float(total(points, start + scale * z)),
        np.zeros(points.shape[1]),
        method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-13, "maxiter": 3000, "maxfev": 3000},
    )
    return start + scale * found.x


@pytest.mark.parametrize("seed", range(12))
def test_the_gap_is_a_bound_on_how_far_the_sum_is_from_the_least(seed):
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(3, 20)), int(rng.integers(1, 4))
    points = rng.normal(size=(n, d)) if seed % 3 else np.round(rng.normal(size=(n, d)))
    f = int(rng.integers(0, (n - 1) // 2 + 1))
    points[:f] *= 100.0
    # A loose tolerance, so that there is a gap to bound.
    found = found_of(points, tolerance=0.05, f=f)
    at = points[-1] + found.weights @ (points - points[-1])
    gap = float(total(points, at) - total(points, best_of(points, at)))
    assert -1e-9 <= gap <= found.gap + 1e-12 * float(total(points, at))
    assert found.tolerance <= 0.05


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [1.0, 10.0, 300.0, 1e30])
def test_the_tolerance_is_reached_beside_far_rows(seed, size):
    points = np.random.default_rng(seed).normal(size=(15, 6)) + 0.5
    points[:7] *= size
    assert (products_from(np.square(points[:, None] - points).sum(axis=2)) is None) == (size > 30)
    found = found_of(points, tolerance=1e-8, f=7)
    assert found.tolerance <= 1e-8
    assert found.steps < 60
    assert np.linalg.norm(found.weights @ points - points[7:].mean(axis=0)) < 20


def test_the_optimum_at_a_row_is_found_at_once():
    points = np.array([[0.0, 0.0], [1.0, 0.0], [-1.0, 0.1], [0.0, 1.0], [0.0, -1.0]])
    found = found_of(points)
    assert found.weights.tolist() == [1.0, 0.0, 0.0, 0.0, 0.0]
    assert found.steps == 0


@pytest.mark.parametrize("points", [np.zeros((4, 2)), np.ones((1, 3)), np.array([[0.0], [0.0], [1.0], [1.0]])])
def test_equal_rows_and_few(points):
    found = found_of(points)
    assert found.tolerance <= 1e-8
    assert np.isfinite(found.weights).all()


def test_collinear_rows_have_the_middle():
    points = np.arange(7.0)[:, None] * np.ones(3)
    np.testing.assert_allclose(found_of(points).weights @ points, [3.0] * 3, rtol=1e-9)


def test_the_reach_holds_where_twice_the_median_distance_does_not():
    """A majority of 21 at distance 1 of z, all others far off in one direction: the optimum is more than 3 away."""
    angles = 2 * np.pi * np.arange(21) / 21
    near = np.stack([np.cos(angles), np.sin(angles), np.zeros(21)], axis=1)
    points = np.vstack([near, np.tile([0.0, 0.0, 1e6], (20, 1))])
    found = found_of(points, tolerance=1e-8, f=20)
    distances = np.linalg.norm(points, axis=1)
    away = np.linalg.norm(points[-1] + found.weights @ (points - points[-1]))
    assert 2 * np.median(distances) == 2.0
    assert 3.0 < away <= _reach(distances)


def test_the_reach_covers_rows_that_are_all_at_one_place():
    """The optimum is as far as they are, and the bound at most twice as far."""
    assert 1.0 <= _reach(np.ones(7)) <= 2.0
