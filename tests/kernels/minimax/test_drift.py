"""The largest growth less a penalty: never below the truth, and close to it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.kernels.minimax.drift import largest_drift


@given(st.integers(0, 2**32 - 1), st.floats(-2, 2), st.floats(0.1, 50))
@settings(deadline=None, max_examples=30)
def test_it_is_above_every_distance_and_close(seed, exponent, farthest):
    rng = np.random.default_rng(seed)
    kinks, slopes, ridge = farthest * rng.random(5), rng.random(5), 10.0**exponent

    def growth(t):
        return float(slopes @ np.maximum(t - kinks, 0.0))

    found = largest_drift(growth, ridge=ridge, farthest=farthest)
    grid = np.linspace(0, farthest, 801)
    truth = max(growth(t) - 0.5 * ridge * t**2 for t in grid)
    assert found >= truth - 1e-12
    assert found - truth <= growth(farthest) * 5 / 100 + 1e-12


def test_a_quadratic_has_its_maximum_at_the_slope_over_the_ridge():
    assert largest_drift(lambda t: 2.0 * t, ridge=4.0, farthest=10.0) == pytest.approx(0.5, rel=0.05)


def test_a_maximum_between_the_points_that_are_tried_is_not_missed():
    assert 0.5 <= largest_drift(lambda t: t, ridge=1.0, farthest=np.pi) < 0.5 + 2 * np.pi / 2000


def test_without_a_ridge_it_is_the_growth_to_the_end():
    assert largest_drift(lambda t: t, ridge=0.0, farthest=3.0) == 3.0
    assert largest_drift(lambda t: 7.0, ridge=0.0, farthest=0.0) == 7.0
