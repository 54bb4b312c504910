"""Filters around moved means: figures come from the run, attacks pass, and the figures on the real data."""

import numpy as np
import pytest

from toadstone.core.budget import Budget
from toadstone.core.errors import BudgetExceeded
from toadstone.experiments.certified_2017 import data_dependent, moving_filters
from toadstone.experiments.certified_2017.data_dependent import MovingProtocol
from toadstone.experiments.conditions import Conditions
from toadstone.kernels.gram.filters import fit_filters

MOST = "30\N{NO-BREAK SPACE}%"


@pytest.fixture(scope="module")
def protocol():
    return MovingProtocol(squared_radius=0.5, fractions=(0.03, 0.3), rounds=12)


@pytest.fixture(scope="module")
def measured(cells, protocol):
    return data_dependent.measure(cells, protocol, Conditions())


def test_bounds_are_in_order(figures, measured):
    found = figures(measured)
    for at in ("3\N{NO-BREAK SPACE}%", MOST):
        assert (
            found[f"estimated bound, sphere and slab, at {at}"] <= found[f"certified bound, inflated sphere, at {at}"]
        )
    certified = [value for what, value in found.items() if what.startswith("certified bound")]
    assert certified == sorted(certified)
    (panel,) = measured.panels
    assert list(panel.series[0].y) == certified


def test_the_paper_is_compared_with_the_attack_that_costs_clean_rows_most(figures, measured):
    (row,) = [row for row in measured.comparisons if row.paper is not None]
    assert row.what == f"test error, filters fitted on poisoned rows, at {MOST}"
    assert row.reason
    found = figures(measured)
    passing = [found[f"share of clean rows that pass {when}"] for when in (f"at {MOST}", "without poison")]
    assert 0 < passing[0] < passing[1] < 1
    error = f"test error, filters fitted on poisoned rows, at {MOST}"
    assert found[error] > found["test error, filtered, without poison"]
    assert found[f"clean training loss, filters fitted on poisoned rows, at {MOST}"] > 0


def test_a_run_is_told_and_can_be_repeated(cells, protocol, figures, measured):
    stages = []
    again = data_dependent.measure(cells, protocol, Conditions(on_stage=stages.append))
    assert figures(again) == figures(measured)
    assert stages == ["bounding breast-cancer", "attacking breast-cancer"]


def test_attacks_are_whole_rows_that_pass_the_filters_they_move(cells):
    train, budget = cells.train, Budget(0.2)
    filters = fit_filters(train.X, train.signs, quantile=0.65)
    found = list(moving_filters.search_attacks(train, filters, budget, 0.5, 4))
    assert len(found) == 20
    for attack in found:
        poison = moving_filters.poison_of(attack, train)
        assert len(poison) == attack.counts.sum() == budget.count(len(train))
        everything = np.vstack([np.asarray(train.X), poison.X])
        signs = np.append(train.signs, np.where(poison.y == train.classes[1], 1.0, -1.0))
        means = np.stack([everything[signs == sign].mean(axis=0) for sign in (-1, 1)])
        line = (means[1] - means[0]) / np.linalg.norm(means[1] - means[0])
        own = (signs > 0).astype(int)
        distances = np.linalg.norm(everything - means[own], axis=1) - filters.radii[own]
        along = np.abs(np.einsum("ij,j->i", everything - means[own], line)) - filters.widths[own]
        excess = np.maximum(distances, along)
        assert excess[len(train) :].max() <= 1e-6
        assert np.array_equal(attack.kept, excess[: len(train)] <= 0)


def test_poison_that_its_own_filters_remove_is_refused(cells):
    train = cells.train
    filters = fit_filters(train.X, train.signs, quantile=0.65)
    weights = moving_filters.whole_rows(np.array([1.0, 0, 0, 0]), Budget(0.1), len(train))
    far = np.repeat(filters.means[1:] + 10, 4, axis=0)
    attack = moving_filters.spread_copies(far, weights, train, filters)
    with pytest.raises(BudgetExceeded, match="within the filters"):
        data_dependent._check(attack, cells, Budget(0.1))


@pytest.mark.data
@pytest.mark.slow
def test_mnist(figures, data_dir):
    found = figures(data_dependent.run(Conditions()))
    assert found[f"test error, filters fitted on poisoned rows, at {MOST}"] >= 0.4
    assert found[f"estimated bound, sphere and slab, at {MOST}"] == pytest.approx(1.0767, abs=2e-3)
    assert found[f"certified bound, inflated sphere, at {MOST}"] == pytest.approx(1.170, abs=4e-3)
