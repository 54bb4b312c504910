"""The online method: every bound of it is one, the least of them falls to the minimax value, and so does the error."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.certificate import NormBall, Ridge
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.losses import HINGE
from toadstone.kernels.minimax.online import play_online
from toadstone.kernels.minimax.problem import Problem
from toadstone.kernels.minimax.saddle import solve_saddle
from toadstone.kernels.sets.membership import violations
from toadstone.sanitizers.slab import SlabSanitizer
from toadstone.sanitizers.sphere import SphereSanitizer


def pose(seed: int = 0, hypothesis=NormBall(1.0)) -> Problem:  # noqa: B008
    rng = np.random.default_rng(seed)
    signs = np.where(np.arange(60) % 2, 1.0, -1.0)
    X = rng.normal(size=(60, 4)) + 0.8 * signs[:, None]
    filters = [kind(contamination=0.3).fit(X, signs).feasible_set_ for kind in (SphereSanitizer, SlabSanitizer)]
    within = filters[0].intersect(filters[1])
    return Problem(X, signs, (within.region(-1.0), within.region(1.0)), HINGE, hypothesis)


@pytest.mark.parametrize("seed", range(3))
def test_every_bound_holds_and_the_least_falls_to_the_minimax_value(seed):
    problem = pose(seed)
    exact = solve_saddle(problem, fraction=0.2, tolerance=1e-8)
    bounds = np.array([step.bound for step in play_online(problem, fraction=0.2, steps=3000, step_size=0.1)])
    assert bounds.min() >= exact.value * (1 - 1e-9)
    assert bounds.min() <= exact.value * 1.01
    assert bounds[:30].min() > bounds.min()


def test_points_are_feasible_and_the_worst_of_both_labels():
    problem = pose()
    for step in play_online(problem, fraction=0.2, steps=20, step_size=0.1):
        region = problem.regions[int(step.sign > 0)]
        assert violations(region, step.point[None, :]).max() <= 1e-8
    assert {step.sign for step in play_online(problem, fraction=0.2, steps=200, step_size=0.1)} == {-1.0, 1.0}


def test_storage_does_not_matter():
    problem = pose()
    sparse = Problem(csr_array(problem.X), problem.signs, problem.regions, HINGE, problem.hypothesis)
    for one, other in zip(
        play_online(problem, fraction=0.1, steps=50, step_size=0.1),
        play_online(sparse, fraction=0.1, steps=50, step_size=0.1),
        strict=True,
    ):
        assert one.bound == pytest.approx(other.bound, rel=1e-9)


def test_a_ridge_is_refused():
    with pytest.raises(InvalidArgument, match="a norm ball"):
        next(play_online(pose(hypothesis=Ridge(0.1)), fraction=0.1, steps=1, step_size=0.1))
