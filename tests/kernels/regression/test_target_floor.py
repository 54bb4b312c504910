"""The residual core is a density, and the floor finds wrong targets but no heavy tails."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import t as student

from toadstone.kernels.regression.intervals import conformal_ends
from toadstone.kernels.regression.residual_core import ResidualCore
from toadstone.kernels.regression.target_floor import fit_floor

SKEWED = ResidualCore(0.3, (0.5, 2.0), (2.0, 9.0), 0.6)


@pytest.mark.parametrize("local", [0.2, 1.0, 5.0])
def test_the_core_integrates_to_one(local):
    logs = np.array([np.log(local)])
    mass = sum(
        quad(lambda r: np.exp(SKEWED.log_density(np.array([r]), logs))[0], *ends, limit=400)[0]
        for ends in ((-np.inf, 0.3 * local**0.6), (0.3 * local**0.6, np.inf))
    )
    assert mass == pytest.approx(1, abs=1e-6)


def test_a_symmetric_core_is_students_t():
    r = np.linspace(-4, 4, 9)
    core = ResidualCore(0.0, (1.5, 1.5), (3.0, 3.0), 0.0)
    np.testing.assert_allclose(core.log_density(r, np.zeros(9)), student.logpdf(r, 3, scale=1.5), atol=1e-12)


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("at", [-2.0, 0.1, 3.0])
def test_the_reach_is_the_integral_of_the_density(upper, at):
    logs = np.array([np.log(2.0)])
    ends = (at, np.inf) if upper else (-np.inf, at)
    mode = 0.3 * 2.0**0.6
    points = sorted({*ends, mode if ends[0] < mode < ends[1] else ends[0]})
    mass = sum(
        quad(lambda r: np.exp(SKEWED.log_density(np.array([r]), logs))[0], low, high, limit=400)[0]
        for low, high in pairwise(points)
    )
    assert np.exp(SKEWED.log_reach(np.array([at]), logs, upper=upper))[0] == pytest.approx(mass, abs=1e-6)


def planted(rng, noise, n=400, wrong=40, ends=False):
    predicted = rng.uniform(0, 100, n)
    y = predicted + noise
    low, high = y.min(), y.max()
    y[:wrong] = np.where(predicted[:wrong] > 50, low, high) if ends else rng.uniform(low, high, wrong)
    return y, predicted


NOISES = {
    "gauss": lambda rng, n: rng.normal(size=n),
    "t3": lambda rng, n: rng.standard_t(3, n),
    "skewed": lambda rng, n: rng.exponential(2, n),
}


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("seed", [0, 1])
def test_heavy_and_skewed_tails_are_no_floor(noise, seed):
    rng = np.random.default_rng(seed)
    y, predicted = planted(rng, NOISES[noise](rng, 400), wrong=0)
    fit = fit_floor(y, predicted, np.ones(400), np.zeros(400, dtype=bool))
    assert fit.log_ratio < 3
    assert np.mean(fit.wrong > 0.5) <= 0.02


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("ends", [False, True])
def test_wrong_targets_are_found_and_counted(noise, ends):
    rng = np.random.default_rng(3)
    y, predicted = planted(rng, NOISES[noise](rng, 400), ends=ends)
    fit = fit_floor(y, predicted, np.ones(400), np.zeros(400, dtype=bool))
    assert fit.log_ratio > 20
    assert fit.interval[0] < 0.1 < fit.interval[1]
    assert fit.interval[0] < fit.rate < fit.interval[1]
    assert np.mean(fit.wrong[:40] > 0.5) > 0.75
    assert np.mean(fit.wrong[40:] > 0.5) < 0.02


@pytest.mark.parametrize("seed", range(3))
def test_a_floor_leaves_the_tails_heavy(seed):
    rng = np.random.default_rng(seed)
    predicted = rng.normal(0, 4, 300)
    y = predicted + rng.standard_t(5, 300)
    y[:30] += rng.choice([-6, 6], 30)
    fit = fit_floor(y, predicted, np.ones(300), np.zeros(300, dtype=bool))
    assert max(fit.core.tails) < 8
    listed = fit.wrong > 0.5
    assert listed[:30].sum() >= 15
    assert np.sum(1 - fit.wrong[listed]) >= np.count_nonzero(listed[30:])


def test_trusted_targets_are_never_wrong_and_tell_the_rate():
    rng = np.random.default_rng(0)
    y, predicted = planted(rng, rng.normal(size=400))
    trusted = np.arange(400) >= 200
    fit = fit_floor(y, predicted, np.ones(400), trusted)
    assert not fit.wrong[trusted].any()
    assert fit.rate == pytest.approx(0.2, abs=0.05)


def test_targets_cut_off_at_an_end_are_not_wrong_for_that():
    rng = np.random.default_rng(2)
    predicted = rng.normal(size=500)
    y = np.clip(predicted + 0.5 * rng.normal(size=500), -1, 1)
    fit = fit_floor(y, predicted, np.ones(500), np.zeros(500, dtype=bool))
    assert fit.log_ratio < 0
    assert not (fit.wrong > 0.5).any()


def test_the_unit_of_the_targets_is_irrelevant():
    rng = np.random.default_rng(5)
    y, predicted = planted(rng, rng.normal(size=400))
    one = fit_floor(y, predicted, np.ones(400), np.zeros(400, dtype=bool))
    other = fit_floor(1e4 * y + 7e5, 1e4 * predicted + 7e5, np.full(400, 1e4), np.zeros(400, dtype=bool))
    np.testing.assert_allclose(one.wrong, other.wrong, atol=1e-3)
    assert one.log_ratio == pytest.approx(other.log_ratio, abs=0.05)


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_conformal_ends_cover_what_they_promise(level):
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(2000):
        scores = rng.exponential(size=60)
        low, high = conformal_ends(scores[1:], level)
        inside.append(low <= scores[0] <= high)
    assert level <= np.mean(inside) + 0.02
    assert np.mean(inside) <= level + 0.06
