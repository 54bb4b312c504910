"""Rows that an error takes, from what an audit has made: on the safe side of a search, and attacks that do it."""

import numpy as np
import pytest

from toadstone.certificates.saddle.certify import Claim, certify_saddle
from toadstone.certificates.saddle.least_budget import certify_budget
from toadstone.core.budget import Budget
from toadstone.core.certificate import Ridge, Setting
from toadstone.core.dataset import Dataset, Poison
from toadstone.kernels.minimax.harmful_models import floor_of_error
from toadstone.pipeline.costing import curve
from toadstone.pipeline.costing.curve import cost_curve
from toadstone.pipeline.costing.harm import train_on
from toadstone.pipeline.harness.filters import fit_filters
from toadstone.pipeline.harness.judge import Defence

RIDGE, N = 0.01, 120
DEFENCE, SETTING = Defence(ridge=RIDGE), Setting(("l2", "slab"), 0.95, "real", "hinge", Ridge(RIDGE))
CLAIM = Claim("", (), ())


@pytest.fixture(scope="module")
def train():
    rng = np.random.default_rng(0)
    y = np.where(np.arange(N) % 2 == 0, "ham", "spam")
    X = rng.normal(size=(N, 3)) + 6.0 * (y == "spam")[:, None] * np.array([1.0, 0.5, 0.0])
    return Dataset(X, y)


@pytest.fixture(scope="module")
def within(train):
    return fit_filters(train, ("l2", "slab"), quantile=0.95, domain="real")


@pytest.fixture(scope="module")
def certificates(train, within):
    budgets = [Budget(fraction) for fraction in (0.0, 0.02, 0.05, 0.1)]
    return [one.certificate for one in certify_saddle(train, within, budgets, SETTING, CLAIM, tolerance=1e-5)]


@pytest.fixture(scope="module")
def poisons(train):
    # Ham called spam, which no filter would let pass: an audit checks what it evaluates.
    ham = train.X[train.y == "ham"]
    return {"weak": Poison(ham[:3], np.repeat("spam", 3)), "strong": Poison(ham, np.repeat("spam", N // 2))}


def test_certified_rows_are_no_more_than_a_search_finds(train, within, certificates):
    found = cost_curve(train, certificates, {}, DEFENCE)
    for point in found:
        wrong = int(np.ceil(point.error * N - 1e-9))
        limit = floor_of_error(train.X, train.signs, ridge=RIDGE, wrong=wrong).value
        searched = certify_budget(train, within, SETTING, CLAIM, limit=limit).rows + 1
        assert point.certified_rows <= searched <= 1.3 * point.certified_rows
    assert found[-1].certified_rows > found[0].certified_rows > 1
    assert [(point.attack_rows, point.attack) for point in found] == [(None, "")] * 3


def test_attack_rows_are_those_of_the_smallest_part_that_does_it(train, certificates, poisons):
    _, clean = train_on(train, None, DEFENCE)
    points = cost_curve(train, certificates, poisons, DEFENCE)
    assert [point.error - clean.error for point in points] == pytest.approx([0.05, 0.1, 0.2])
    poison = poisons["strong"]
    for point in points:
        done = []
        for count in (15, 30, 60):
            kept = np.linspace(0, 59, count).round().astype(int)
            _, outcome = train_on(train, Poison(poison.X[kept], poison.y[kept]), DEFENCE)
            done += [count] if outcome.error >= point.error else []
        assert point.attack_rows == min(done, default=None)
        assert point.attack == ("strong" if done else "")
    assert points[0].attack_rows is not None


def test_large_data_get_one_error_and_whole_attacks(train, certificates, poisons, monkeypatch):
    monkeypatch.setattr(curve, "MANY_ENTRIES", 1)
    (point,) = cost_curve(train, certificates, poisons, DEFENCE)
    assert point.attack_rows == 60
