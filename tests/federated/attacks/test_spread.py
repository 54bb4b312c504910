"""Attacks that hide within the spread of the honest updates: ALIE, min-max, min-sum and mimic."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from toadstone.core.errors import InvalidArgument
from toadstone.federated import AdaptiveLittleIsEnough, LittleIsEnough, Mimic, MinMax, MinSum, RoundView
from toadstone.federated.attacks.little_is_enough import hidden_deviations

DIRECTIONS = pytest.mark.parametrize("direction", ["unit", "deviation", "sign"])


def updates(seed, n=9, d=5):
    rng = np.random.default_rng(seed)
    return rng.normal(size=d) + rng.normal(size=(n, d)) * rng.lognormal(size=(n, 1))


def pairs(honest):
    return np.linalg.norm(honest[:, None] - honest[None], axis=2)


@pytest.mark.parametrize(("clients", "malicious", "share"), [(50, 24, 24 / 26), (51, 12, 25 / 39), (20, 8, 9 / 12)])
def test_the_deviations_of_the_paper(clients, malicious, share):
    assert hidden_deviations(clients, malicious) == pytest.approx(norm.ppf(share))


@pytest.mark.parametrize(("clients", "malicious"), [(100, 1), (10, 1), (2, 1), (3, 2), (10, 9)])
def test_the_deviations_are_finite_and_not_negative(clients, malicious):
    assert 0 <= hidden_deviations(clients, malicious) < 10


def test_little_is_enough_is_off_in_each_coordinate_by_its_own_deviation(view, rng):
    honest = updates(0)
    made = LittleIsEnough(deviations=2.0).send(view(honest), rng)
    np.testing.assert_allclose(made, np.tile(honest.mean(axis=0) - 2 * honest.std(axis=0), (2, 1)))


def test_opposed_each_coordinate_moves_towards_zero_and_past_it(view, rng):
    honest = np.array([[1.0, -1.0, 0.0], [3.0, -3.0, 0.0]])
    made = LittleIsEnough(direction="opposed", deviations=3.0).send(view(honest), rng)
    np.testing.assert_allclose(made[0], [-1.0, 1.0, 0.0])
    made = AdaptiveLittleIsEnough().send(view(honest, rule=lambda updates: updates.mean(axis=0)), rng)
    assert made[0, 0] < -10 < 10 < made[0, 1]


def test_with_own_updates_alone_the_estimates_are_theirs(view, rng):
    here = replace(view(updates(0)), honest=None)
    made = LittleIsEnough(deviations=1.0, knowledge="own").send(here, rng)
    np.testing.assert_allclose(made[0], here.own.mean(axis=0) - here.own.std(axis=0))


@DIRECTIONS
@given(seed=st.integers(0, 10**6), n=st.integers(2, 12))
def test_min_max_keeps_its_constraint_and_nearly_meets_it(direction, seed, n):
    honest = updates(seed, n)
    here = RoundView(round=1, rounds=1, clients=n + 1, malicious=1, server=honest[0], own=honest[:1], honest=honest)
    made = MinMax(direction=direction).send(here, np.random.default_rng(0))[0]
    farthest, widest = np.linalg.norm(made - honest, axis=1).max(), pairs(honest).max()
    assert widest * (1 - 1e-6) <= farthest <= widest * (1 + 1e-12)


@DIRECTIONS
@given(seed=st.integers(0, 10**6), n=st.integers(2, 12))
def test_min_sum_keeps_its_constraint_and_nearly_meets_it(direction, seed, n):
    honest = updates(seed, n)
    here = RoundView(round=1, rounds=1, clients=n + 1, malicious=1, server=honest[0], own=honest[:1], honest=honest)
    made = MinSum(direction=direction).send(here, np.random.default_rng(0))[0]
    total, most = (np.linalg.norm(made - honest, axis=1) ** 2).sum(), (pairs(honest) ** 2).sum(axis=1).max()
    assert most * (1 - 1e-6) <= total <= most * (1 + 1e-12)


@DIRECTIONS
def test_min_max_goes_as_far_as_bisection_does(view, rng, direction):
    honest = updates(3)
    mean = honest.mean(axis=0)
    away = {"unit": -mean / np.linalg.norm(mean), "deviation": -honest.std(axis=0), "sign": -np.sign(mean)}[direction]
    low, high = 0.0, 100.0
    for _ in range(60):
        middle = (low + high) / 2
        fits = np.linalg.norm(mean + middle * away - honest, axis=1).max() <= pairs(honest).max()
        low, high = (middle, high) if fits else (low, middle)
    np.testing.assert_allclose(MinMax(direction=direction).send(view(honest), rng)[0], mean + low * away, rtol=1e-7)


@pytest.mark.parametrize("kind", [MinMax, MinSum])
@DIRECTIONS
def test_equal_updates_leave_no_room(view, rng, kind, direction):
    made = kind(direction=direction).send(view(np.ones((5, 3))), rng)
    np.testing.assert_allclose(made, np.ones((2, 3)))


@pytest.mark.parametrize("kind", [MinMax, MinSum])
def test_a_mean_of_zero_has_no_direction(view, rng, kind):
    honest = np.array([[1.0, 0.0], [-1.0, 0.0]])
    np.testing.assert_array_equal(kind(direction="unit").send(view(honest), rng), np.zeros((2, 2)))


def test_mimic_copies_the_client_that_is_far_out_along_the_widest_direction(view, rng):
    honest = updates(0, n=8, d=4) * 0.1
    honest[5, 2] += 9.0
    made = Mimic().send(view(honest), rng)
    np.testing.assert_array_equal(made, honest[[5, 5]])


def test_mimic_stays_with_its_choice_after_the_warm_up(view, rng):
    attack, memory, chosen = Mimic(warm_up=3), {}, []
    for number in range(1, 8):
        honest = updates(number, n=8, d=4) * 0.01
        far = 2 if number <= 3 else 6
        honest[far, 1] += 5.0
        made = attack.send(view(honest, round=number, memory=memory), rng)
        chosen.append(int(np.flatnonzero((honest == made[0]).all(axis=1))[0]))
    assert chosen == [2] * 7


def test_mimic_learns_the_direction_that_stays_wide(view, rng):
    memory, draw = {}, np.random.default_rng(0)
    for number in range(1, 9):
        honest = draw.normal(size=(6, 3)) * 0.2
        honest[:, 0 if number == 1 else 1] *= 30
        Mimic(warm_up=8).send(view(honest, round=number, memory=memory), rng)
        if number == 1:
            assert abs(memory["direction"][0]) > 0.95
    assert abs(memory["direction"][1]) > 0.95


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (MinMax, {"direction": "up"}),
        (MinSum, {"knowledge": "all"}),
        (Mimic, {"warm_up": 0}),
        (LittleIsEnough, {"deviations": -1.0}),
        (LittleIsEnough, {"direction": "up"}),
        (AdaptiveLittleIsEnough, {"direction": "deviation"}),
        (AdaptiveLittleIsEnough, {"evaluations": 1}),
    ],
)
def test_options_that_are_refused(kind, wrong):
    with pytest.raises(InvalidArgument, match=f"`{next(iter(wrong))}`"):
        kind(**wrong)
