"""Predictions that changed rows cannot move: no attack with so many rows does, and larger ridges withstand more."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.certificate import NormBall, Ridge
from toadstone.core.errors import InvalidArgument
from toadstone.core.feasible import Region
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import HINGE, LOGISTIC, SQUARED_HINGE, smooth_hinge
from toadstone.kernels.minimax.kept_predictions import clean_parabola, kept_predictions
from toadstone.kernels.minimax.problem import Problem

LOSSES = (HINGE, LOGISTIC, smooth_hinge(0.1))


def posed(*, n=30, d=2, seed=0, loss=HINGE, ridge=0.5, reach=1.5):
    rng = np.random.default_rng(seed)
    signs = np.where(np.arange(n) % 2 == 0, -1.0, 1.0)
    box = Region(np.full(d, -reach), np.full(d, reach), np.zeros(d), np.inf, np.empty((0, d)), np.empty(0), np.empty(0))
    X = np.clip(rng.normal(size=(n, d)) + 0.7 * signs[:, None], -reach, reach)
    return Problem(X, signs, (box, box), loss, Ridge(ridge))


def queries(problem, q=60):
    return np.random.default_rng(9).uniform(-2, 2, (q, problem.X.shape[1]))


def predictions(problem, X, signs, asked, weights=None):
    theta = fit_linear(
        X, signs, loss=problem.loss, ridge=problem.hypothesis.strength, weights=weights, tolerance=1e-9
    ).theta
    return np.where(asked @ theta[:-1] + theta[-1] > 0, 1.0, -1.0)


def attacks(problem, kind, rows, rng):
    """Rows and labels after some attacks: at corners, where they pull most, and at random."""
    n, d = problem.X.shape
    for _ in range(12):
        X, signs, going = problem.X.copy(), problem.signs.copy(), rng.choice(n, rows, replace=False)
        if kind == "flip":
            signs[going] *= -1
        else:
            corner = rng.choice([-1.0, 1.0], d)
            coming = np.tile(corner * problem.regions[0].upper, (rows, 1)) * rng.choice([1.0, rng.random()])
            labels = np.full(rows, rng.choice([-1.0, 1.0]))
            if kind == "replace":
                X[going], signs[going] = coming, labels
            else:
                X, signs = np.vstack([X, coming]), np.append(signs, labels)
        yield X, signs


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
@pytest.mark.parametrize("kind", ["add", "flip", "replace"])
def test_no_attack_changes_what_is_kept(loss, kind):
    problem, rng = posed(loss=loss), np.random.default_rng(1)
    asked = queries(problem)
    found = kept_predictions(problem, asked, clean_parabola(problem), kind=kind)
    np.testing.assert_array_equal(found.signs, predictions(problem, problem.X, problem.signs, asked))
    assert found.rows.max() > 0
    for rows in (1, 2, 3, 5, 8):
        kept = found.rows >= rows
        for X, signs in attacks(problem, kind, rows, rng):
            assert np.all((predictions(problem, X, signs, asked) == found.signs)[kept])


def test_every_choice_of_two_flips_leaves_what_two_flips_leave():
    problem = posed(n=16, ridge=2.0, reach=1.0)
    asked = queries(problem)
    found = kept_predictions(problem, asked, clean_parabola(problem), kind="flip")
    kept = found.rows >= 2
    assert 0 < kept.mean() < 1
    for chosen in combinations(range(16), 2):
        signs = problem.signs.copy()
        signs[list(chosen)] *= -1
        assert np.all((predictions(problem, problem.X, signs, asked) == found.signs)[kept])


def test_rows_that_need_not_be_unlimited_move_a_prediction_near_the_border():
    problem = posed(n=40)
    asked = queries(problem, 200)
    found = kept_predictions(problem, asked, clean_parabola(problem))
    rng, changed = np.random.default_rng(2), np.zeros(200, dtype=bool)
    for rows in (1, 2, 4, 8, 16):
        for X, signs in attacks(problem, "add", rows, rng):
            changed |= predictions(problem, X, signs, asked) != found.signs
    # Sound is not vacuous: attacks do change many of those that are not kept.
    assert changed[found.rows < 16].mean() > 0.2


def test_the_parabola_is_below_the_objective_of_every_model():
    problem, rng = posed(), np.random.default_rng(3)
    found = clean_parabola(problem, tolerance=1e-3)
    for _ in range(200):
        theta = found.theta + rng.choice([0.01, 0.3, 3.0]) * rng.normal(size=3)
        margins = problem.signs * (problem.X @ theta[:-1] + theta[-1])
        objective = problem.loss.value(margins).mean() + 0.25 * theta @ theta
        offset = theta - found.theta
        assert objective >= found.value + 0.25 * offset @ offset


def test_a_longer_reach_and_a_smaller_ridge_withstand_less():
    asked = queries(posed())
    rows = {
        (ridge, reach): kept_predictions(made, asked, clean_parabola(made)).rows
        for ridge, reach in ((0.5, 1.5), (0.5, 6.0), (0.05, 1.5))
        for made in [posed(ridge=ridge)]
        for made in [
            Problem(
                made.X,
                made.signs,
                tuple(
                    Region(-reach + 0 * r.lower, reach + 0 * r.upper, r.centre, np.inf, r.bands, r.low, r.high)
                    for r in made.regions
                ),
                made.loss,
                made.hypothesis,
            )
        ]
    }
    assert np.all(rows[0.5, 6.0] <= rows[0.5, 1.5])
    assert rows[0.05, 1.5].mean() < rows[0.5, 1.5].mean()


@pytest.mark.parametrize("kind", ["add", "flip", "replace"])
def test_sparse_rows_and_another_order_count_the_same(kind):
    problem = posed(n=40)
    asked, order = queries(problem), np.random.default_rng(4).permutation(40)
    first = kept_predictions(problem, asked, clean_parabola(problem), kind=kind)
    sparse = Problem(
        csr_array(problem.X[order]), problem.signs[order], problem.regions, problem.loss, problem.hypothesis
    )
    again = kept_predictions(sparse, csr_array(asked), clean_parabola(sparse), kind=kind)
    np.testing.assert_array_equal(again.rows, first.rows)


def test_a_model_that_is_not_trained_to_the_end_keeps_nothing_that_it_should_not():
    problem = posed(n=40)
    asked = queries(problem)
    close, coarse = (clean_parabola(problem, tolerance=tolerance) for tolerance in (1e-9, 1e-2))
    exact, loose = (kept_predictions(problem, asked, one) for one in (close, coarse))
    assert coarse.objective - coarse.value > close.objective - close.value
    # What is kept without any row is what training to the end predicts.
    kept = loose.rows > 0
    assert kept.any()
    assert np.all(loose.signs[kept] == exact.signs[kept])


def test_norm_balls_and_losses_of_any_slope_are_refused():
    problem = posed()
    ball = Problem(problem.X, problem.signs, problem.regions, HINGE, NormBall(1.0))
    with pytest.raises(InvalidArgument, match="norm_squared"):
        clean_parabola(ball)
    squared = posed(loss=SQUARED_HINGE)
    with pytest.raises(InvalidArgument, match="loss"):
        kept_predictions(squared, queries(squared), clean_parabola(squared))
