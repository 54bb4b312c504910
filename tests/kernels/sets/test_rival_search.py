"""The worst point over all pairs of a label and a rival, found without solving most of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.core.errors import EmptyFeasibleSet
from toadstone.core.feasible import Region, ball, slab
from toadstone.kernels.sets.membership import violations
from toadstone.kernels.sets.regions import maximize
from toadstone.kernels.sets.rival_search import RivalSearch


def regions(seed: int, k: int = 4, d: int = 6) -> list[Region]:
    """A ball, a box and bands for each class, its centre among the points."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(k):
        centre, bands = rng.random(d), rng.normal(size=(k - 1, d))
        high = bands @ centre + rng.random(k - 1)
        found.append(Region(np.zeros(d), np.ones(d), centre, 0.9, bands, np.full(k - 1, -np.inf), high))
    return found


def largest_loss(among: list[Region], theta: np.ndarray) -> float:
    """By every pair."""
    return max(
        1 + theta[rival, -1] - theta[label, -1] + maximize(region, theta[rival, :-1] - theta[label, :-1]).value
        for label, region in enumerate(among)
        for rival in range(len(among))
        if rival != label
    )


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_the_loss_is_the_largest_over_all_pairs(seed):
    among, rng = regions(seed), np.random.default_rng(seed)
    search, theta = RivalSearch(among), rng.normal(size=(4, 7))
    for _ in range(4):
        found = search.worst(theta)
        expected = largest_loss(among, theta)
        assert found.loss == pytest.approx(expected, abs=1e-8)
        assert found.loss <= found.bound <= expected + 1e-6
        theta += 0.2 * rng.normal(size=theta.shape)


@pytest.mark.parametrize("seed", range(3))
def test_the_point_attains_the_loss_and_is_feasible(seed):
    among, theta = regions(seed), np.random.default_rng(seed).normal(size=(4, 7))
    found = RivalSearch(among).worst(theta)
    scores = theta[:, :-1] @ found.point + theta[:, -1]
    assert found.rival == np.delete(np.arange(4), found.label)[np.delete(scores, found.label).argmax()]
    assert found.loss == pytest.approx(1 + scores[found.rival] - scores[found.label])
    assert violations(among[found.label], found.point[None, :]).max() <= 1e-8


def test_old_multipliers_spare_most_pairs():
    search, theta = RivalSearch(regions(0)), 0.3 * np.random.default_rng(0).normal(size=(4, 7))
    solved = []
    for _ in range(30):
        found = search.worst(theta)
        solved.append(found.solved)
        pull = 0.1 * np.append(found.point, 1.0)
        theta[found.rival] -= pull
        theta[found.label] += pull
    # Each start from nothing would take five pairs of the twelve.
    assert np.mean(solved[10:]) < 2


def test_a_model_that_grows_needs_nothing_new():
    among, theta = regions(1), np.random.default_rng(1).normal(size=(4, 7))
    search = RivalSearch(among)
    search.worst(theta)
    assert search.worst(3 * theta).solved == 1


def test_regions_without_bounds_are_solved_at_once():
    among = [ball(np.zeros(2), 1.0), ball(np.full(2, 3.0), 1.0)]
    found = RivalSearch(among).worst(np.array([[0.0, 0.0, 0.0], [3.0, 4.0, 0.5]]))
    assert (found.label, found.rival) == (0, 1)
    assert found.loss == pytest.approx(1 + 5 + 0.5)


def test_an_empty_region_is_left_out():
    nowhere = Region(np.zeros(2), np.ones(2), np.zeros(2), np.inf, np.ones((1, 2)), np.array([5.0]), np.array([6.0]))
    theta = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 9.0], [0.0, 1.0, 0.0]])
    among = [nowhere, ball(np.zeros(2), 1.0), ball(np.zeros(2), 1.0)]
    assert RivalSearch(among).worst(theta).label == 2


def test_no_region_with_a_point_is_told():
    nowhere = Region(np.zeros(2), np.ones(2), np.zeros(2), 9.0, np.ones((1, 2)), np.array([5.0]), np.array([6.0]))
    search = RivalSearch([nowhere, nowhere])
    with pytest.raises(EmptyFeasibleSet, match="no class has a point"):
        search.worst(np.eye(2, 3))


def test_models_without_difference():
    found = RivalSearch([slab(np.ones(2), 0.0, 1.0)] * 2).worst(np.zeros((2, 3)))
    assert found.loss == found.bound == 1.0
