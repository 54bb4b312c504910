"""Weights of a hull: on the simplex, and the best there are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize

torch = pytest.importorskip("torch")

from toadstone.deep.attacks.convex_polytope import hull_weights, onto_simplex


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def even(t: int, k: int) -> torch.Tensor:
    return torch.full((t, k), 1 / k, dtype=torch.float64)


def on_simplex(weights: torch.Tensor) -> bool:
    return bool((weights >= 0).all()) and torch.allclose(weights.sum(1), torch.ones(len(weights), dtype=weights.dtype))


class TestSimplex:
    def test_nearest_and_idempotent(self):
        points = 2 * drawn(50, 6)
        nearest = onto_simplex(points)
        assert on_simplex(nearest)
        assert torch.allclose(onto_simplex(nearest), nearest)
        others = torch.distributions.Dirichlet(torch.ones(6, dtype=torch.float64))
        torch.manual_seed(0)
        for _ in range(20):
            # The projection's own inequality: nobody on the simplex lies in front of it.
            assert (((points - nearest) * (others.sample((50,)) - nearest)).sum(1) <= 1e-12).all()


class TestHull:
    def test_weights_are_on_the_simplex_whatever_the_corners(self):
        for scale in (1e-6, 1.0, 1e6):
            assert on_simplex(hull_weights(scale * drawn(5, 7, 3), drawn(5, 3, seed=1), even(5, 7)))
        assert on_simplex(hull_weights(torch.zeros(2, 3, 4), torch.ones(2, 4), torch.full((2, 3), 1 / 3)))

    def test_as_near_as_a_generic_solver_comes(self):
        corners, goals = drawn(4, 5, 8), drawn(4, 8, seed=1)
        weights = hull_weights(corners, goals, even(4, 5))
        for hull, goal, found in zip(corners.numpy(), goals.numpy(), weights.numpy(), strict=True):
            best = minimize(
                lambda w, hull=hull, goal=goal: np.sum((w @ hull - goal) ** 2),
                np.full(5, 0.2),
                bounds=[(0, 1)] * 5,
                constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
                options={"ftol": 1e-14, "maxiter": 500},
            )
            assert np.sum((found @ hull - goal) ** 2) <= best.fun + 1e-6

    def test_hulls_in_a_batch_do_not_wait_for_each_other(self):
        corners, goals = drawn(4, 5, 8), drawn(4, 8, seed=1)
        together = hull_weights(corners, goals, even(4, 5))
        alone = [hull_weights(corners[i : i + 1], goals[i : i + 1], even(1, 5)) for i in range(4)]
        assert torch.allclose(together, torch.cat(alone), rtol=0, atol=1e-13)

    def test_a_goal_inside_is_met(self):
        corners = drawn(3, 6, 2) * 5
        inside = (corners * torch.tensor([0.4, 0.2, 0.1, 0.1, 0.1, 0.1], dtype=torch.float64)[:, None]).sum(1)
        weights = hull_weights(corners, inside, even(3, 6))
        assert torch.allclose((weights[:, :, None] * corners).sum(1), inside, atol=1e-4)

    def test_no_round_takes_it_further_away(self):
        corners, goals = drawn(4, 5, 8), drawn(4, 8, seed=1)
        apart = [
            ((hull_weights(corners, goals, even(4, 5), rounds=n)[:, :, None] * corners).sum(1) - goals).norm(dim=1)
            for n in range(6)
        ]
        for before, after in itertools.pairwise(apart):
            assert (after <= before + 1e-12).all()
