"""Distances along a model's weights, by hand."""

import numpy as np
import pytest

from toadstone.core.certificate import Ridge
from toadstone.core.feasible import ball
from toadstone.kernels.losses import HINGE
from toadstone.kernels.minimax.problem import Problem
from toadstone.kernels.minimax.reach import measure_reach


def problem(spread):
    X = np.array([[-1.0 - spread, 0.0], [-1.0 + spread, 3.0], [1.0 - spread, 0.0], [1.0 + spread, 3.0]])
    regions = ball(np.array([-1.0, 0.0]), 2.0), ball(np.array([1.0, 0.0]), 2.0)
    return Problem(X, np.array([-1.0, -1.0, 1.0, 1.0]), regions, HINGE, Ridge(0.1))


def test_distances_are_in_standard_deviations_within_the_classes():
    # Means at -1 and 1, deviation 1/2 in each class, feasible rows from -3 to 3.
    for scale in (1.0, -4.0):
        found = measure_reach(problem(0.5), scale * np.array([1.0, 0.0]))
        assert found.separability == pytest.approx(4.0)
        assert found.width == pytest.approx(12.0)
        assert found.share_of_width == pytest.approx(1 / 3)


def test_classes_without_spread_are_infinitely_far_apart():
    assert measure_reach(problem(0.0), np.array([1.0, 0.0])).separability == np.inf
    # Along the other axis both classes are the same.
    assert measure_reach(problem(0.0), np.array([0.0, 1.0])).separability == 0.0
