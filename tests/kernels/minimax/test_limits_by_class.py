"""Added rows with a limit for each label: the saddle agrees with a generic solver, and lies within that of the sum."""

from __future__ import annotations

import cvxpy as cp
import numpy as np
import pytest

from toadstone.core.certificate import NormBall, Ridge
from toadstone.core.feasible import Region
from toadstone.kernels.losses import HINGE, LOGISTIC, SQUARED_HINGE, smooth_hinge
from toadstone.kernels.minimax.problem import Problem
from toadstone.kernels.minimax.saddle import solve_saddle

SHARES = [(0.05, 0.2), (0.2, 0.0), (0.0, 0.1), (0.01, 0.01)]


def posed(seed=0, *, loss=HINGE, hypothesis=None, n=30, d=3):
    """Clean rows, and a box for poison of each label."""
    rng = np.random.default_rng(seed)
    signs = np.where(np.arange(n) % 2 == 0, -1.0, 1.0)
    X = rng.normal(size=(n, d)) + signs[:, None]
    boxes = tuple(
        Region(lower, lower + 2.0, lower + 1.0, np.inf, np.empty((0, d)), np.empty(0), np.empty(0))
        for lower in rng.normal(size=(2, d)) - 1.0
    )
    return Problem(X, signs, boxes, loss, hypothesis or Ridge(0.05))


def by_generic_solver(problem, shares):
    w, b = cp.Variable(problem.X.shape[1]), cp.Variable()

    def loss(margins):
        short = problem.loss.shift - margins
        if problem.loss.temperature > 0:
            return problem.loss.temperature * cp.logistic(short / problem.loss.temperature)
        return cp.square(cp.pos(short)) if problem.loss.curvature > 0 else cp.pos(short)

    total, held = cp.sum(loss(cp.multiply(problem.signs, problem.X @ w + b))) / len(problem.signs), []
    for region, sign, share in zip(problem.regions, (-1.0, 1.0), shares, strict=True):
        against, worst = -sign * w, cp.Variable()
        farthest = cp.maximum(cp.multiply(against, region.lower), cp.multiply(against, region.upper))
        held.append(worst <= sign * b - cp.sum(farthest))
        total += share * loss(worst)
    if isinstance(problem.hypothesis, Ridge):
        total += problem.hypothesis.strength * (1 + sum(shares)) / 2 * (cp.sum_squares(w) + cp.square(b))
    else:
        held.append(cp.norm(cp.hstack([w, b])) <= np.sqrt(problem.hypothesis.squared_radius))
    solved = cp.Problem(cp.Minimize(total), held)
    solved.solve(solver=cp.CLARABEL)
    return float(solved.value)


@pytest.mark.parametrize("shares", SHARES, ids=str)
@pytest.mark.parametrize("hypothesis", [Ridge(0.05), NormBall(1.0)], ids=str)
def test_the_saddle_agrees_with_a_generic_solver(shares, hypothesis):
    problem = posed(hypothesis=hypothesis)
    found = solve_saddle(problem, fraction=sum(shares), by_class=shares, tolerance=1e-5)
    truth = by_generic_solver(problem, shares)
    assert truth * (1 - 1e-6) <= found.bound <= truth * (1 + 2e-5)
    assert truth * (1 - 2e-5) <= found.value <= truth * (1 + 1e-6)


@pytest.mark.parametrize("loss", [SQUARED_HINGE, LOGISTIC, smooth_hinge(0.1)], ids=lambda loss: loss.name)
def test_other_losses_agree_too(loss):
    problem = posed(1, loss=loss)
    found = solve_saddle(problem, fraction=0.25, by_class=(0.05, 0.2), tolerance=1e-4)
    truth = by_generic_solver(problem, (0.05, 0.2))
    assert truth * (1 - 1e-6) <= found.bound <= truth * (1 + 1.1e-4)
    assert found.bound - found.value <= 1.01e-4 * found.bound


@pytest.mark.parametrize("seed", range(3))
def test_limits_bound_no_more_than_their_sum_and_more_than_each(seed):
    problem = posed(seed)
    both = solve_saddle(problem, fraction=0.2, by_class=(0.1, 0.1))
    assert both.bound <= solve_saddle(problem, fraction=0.2).bound * (1 + 1e-5)
    for alone in ((0.1, 0.0), (0.0, 0.1)):
        assert both.bound >= solve_saddle(problem, fraction=0.1, by_class=alone).value * (1 - 1e-5)
    assert both.witness.masses.tolist() == [0.1, 0.1]
    assert np.all(both.witness.poison_duals <= 0.1 * (1 + 1e-9))
