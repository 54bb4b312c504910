"""Labels flipped in place: above every choice of flips, and no higher than fractions of flips reach."""

from __future__ import annotations

from itertools import combinations

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from toadstone.core.errors import InvalidArgument
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import HINGE, LOGISTIC, SQUARED_HINGE, smooth_hinge
from toadstone.kernels.minimax.flip_budget import (
    FlipBudget,
    bound_flips,
    gains_of_flips,
    train_flipped,
    value_of_flips,
)
from toadstone.kernels.minimax.label_flips import solve_flips

LOSSES = (HINGE, SQUARED_HINGE, LOGISTIC, smooth_hinge(0.05))


def rows(n=10, d=2, seed=0, apart=1.0):
    rng = np.random.default_rng(seed)
    signs = np.where(np.arange(n) % 2 == 0, -1.0, 1.0)
    return rng.normal(size=(n, d)) + apart * signs[:, None], signs


def after(X, signs, flipped, *, loss=HINGE, ridge=0.1):
    """The objective of training on the labels as flipped."""
    turned = signs.copy()
    turned[list(flipped)] *= -1
    return fit_linear(X, turned, loss=loss, ridge=ridge, tolerance=1e-9).objective


@pytest.mark.parametrize(
    ("loss", "seed", "flips", "ridge"),
    [
        (HINGE, 0, 2, 0.1),
        (HINGE, 1, 3, 0.02),
        (SQUARED_HINGE, 2, 2, 0.1),
        (LOGISTIC, 0, 3, 0.02),
        (LOSSES[-1], 2, 1, 1.0),
    ],
    ids=str,
)
def test_no_choice_of_flips_does_more(loss, seed, flips, ridge):
    X, signs = rows(seed=seed)
    found = solve_flips(X, signs, FlipBudget.of_all(10, flips), loss=loss, ridge=ridge)
    worst = max(after(X, signs, chosen, loss=loss, ridge=ridge) for chosen in combinations(range(10), flips))
    assert worst <= found.bound * (1 + 1e-9)
    # Fractions of flips do as much as whole ones, and the search finds them.
    assert worst * (1 - 1.01e-4) <= found.value <= found.bound
    assert found.bound - found.value <= 1e-4 * found.bound


def by_generic_solver(X, signs, groups, limits, ridge):
    """The value for the hinge and fractions of flips: a price for each group, and the larger of two losses a row."""
    w, b, prices = cp.Variable(X.shape[1]), cp.Variable(), cp.Variable(len(limits), nonneg=True)
    margins = cp.multiply(signs, X @ w + b)
    losses = cp.maximum(cp.pos(1 - margins), cp.pos(1 + margins) - prices[groups])
    total = (cp.sum(losses) + prices @ limits) / len(signs) + ridge / 2 * (cp.sum_squares(w) + cp.square(b))
    problem = cp.Problem(cp.Minimize(total))
    problem.solve(solver=cp.CLARABEL)
    return float(problem.value)


@pytest.mark.parametrize("seed", range(2))
def test_limits_for_each_label_and_for_all_agree_with_a_generic_solver(seed):
    X, signs = rows(n=24, d=3, seed=seed)
    for budget in (FlipBudget.by_label(signs, 1, 4), FlipBudget.of_all(24, 5)):
        found = solve_flips(X, signs, budget, loss=HINGE, ridge=0.1, tolerance=1e-3)
        truth = by_generic_solver(X, signs, budget.groups, budget.limits, 0.1)
        assert truth * (1 - 1.01e-3) <= found.value <= truth * (1 + 1e-7)
        assert truth * (1 - 1e-7) <= found.bound <= truth * (1 + 1.01e-3)
        assert np.all(budget.used(found.shares) <= budget.limits * (1 + 1e-9))


@given(st.integers(0, 2**32 - 1), st.sampled_from(LOSSES), st.floats(-2, 1), st.integers(1, 6))
@settings(deadline=None, max_examples=15)
def test_any_model_bounds_any_flips_and_any_duals_prove_less(seed, loss, exponent, flips):
    rng = np.random.default_rng(seed)
    X, signs = rows(n=14, d=3, seed=seed, apart=rng.uniform(0, 2))
    ridge, budget = 10.0**exponent, FlipBudget.of_all(14, flips)
    reached = after(X, signs, rng.choice(14, flips, replace=False), loss=loss, ridge=ridge)
    for theta in (rng.normal(size=4), np.zeros(4), fit_linear(X, signs, loss=loss, ridge=ridge).theta):
        assert reached <= bound_flips(X, signs, theta, budget, loss=loss, ridge=ridge) + 1e-9
    shares, steepest = rng.random(14), min(loss.cap, 2.0)
    best = train_flipped(X, signs, shares, loss=loss, ridge=ridge)
    most = value_of_flips(X, signs, shares, best[1:], loss=loss, ridge=ridge)
    anything = steepest * rng.random((2, 14))
    assert value_of_flips(X, signs, shares, (anything[0], anything[1]), loss=loss, ridge=ridge) <= most + 1e-7


def test_more_flips_are_never_worth_less_and_all_of_them_are_allowed():
    X, signs = rows(n=12, seed=5)
    bounds = [solve_flips(X, signs, FlipBudget.of_all(12, k), loss=HINGE, ridge=0.1).bound for k in (0, 1, 3, 6, 12)]
    assert np.all(np.diff(bounds) >= -1e-6)
    none = fit_linear(X, signs, loss=HINGE, ridge=0.1, tolerance=1e-9)
    assert bounds[0] == pytest.approx(none.objective, rel=1e-4)


def test_half_of_each_of_two_rows_leaves_nothing_to_learn():
    X, signs = np.array([[-1.0], [1.0]]), np.array([-1.0, 1.0])
    found = solve_flips(X, signs, FlipBudget.of_all(2, 1), loss=HINGE, ridge=1.0)
    assert (found.value, found.bound) == pytest.approx((1.0, 1.0), rel=1e-4)
    # One whole flip leaves the bias.
    assert after(X, signs, [0], ridge=1.0) == pytest.approx(0.5)


def test_order_and_storage_of_rows_do_not_matter():
    X, signs = rows(n=30, d=4, seed=6)
    budget = FlipBudget.of_all(30, 4)
    found = solve_flips(X, signs, budget, loss=HINGE, ridge=0.1, tolerance=1e-6)
    order = np.random.default_rng(0).permutation(30)
    moved = solve_flips(X[order], signs[order], budget, loss=HINGE, ridge=0.1, tolerance=1e-6)
    sparse = solve_flips(csr_array(X), signs, budget, loss=HINGE, ridge=0.1, tolerance=1e-6)
    assert moved.bound == pytest.approx(found.bound, rel=2e-6)
    assert sparse.bound == pytest.approx(found.bound, rel=2e-6)


def test_whole_flips_are_those_of_the_largest_shares():
    budget = FlipBudget(np.array([0, 0, 1, 1]), np.array([1.0, 1.0]))
    assert budget.rounded(np.array([0.2, 0.8, 0.5, 0.5])).tolist() == [1, 2]
    assert budget.largest(np.array([3.0, 1.0, -2.0, -1.0])) == 3.0


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
def test_a_flip_gains_what_the_losses_say(loss):
    margins = np.linspace(-3, 3, 13)
    np.testing.assert_allclose(gains_of_flips(loss, margins), loss.value(-margins) - loss.value(margins))


def test_limits_beyond_the_rows_are_refused():
    X, signs = rows()
    with pytest.raises(InvalidArgument, match="flips"):
        FlipBudget.of_all(10, 11)
    with pytest.raises(InvalidArgument, match="positive"):
        FlipBudget.by_label(signs, 1, 6)
    with pytest.raises(InvalidArgument, match="ridge"):
        solve_flips(X, signs, FlipBudget.of_all(10, 1), loss=HINGE, ridge=0.0)
