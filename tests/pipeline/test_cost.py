"""Rows certified and found: neither contradicts the other, and attacks do what they are said to do."""

from dataclasses import replace
from threading import Lock

import numpy as np
import pytest

from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.split import Split
from toadstone.learners.linear import LinearClassifier
from toadstone.pipeline.cost import CostPlan, cost
from toadstone.pipeline.costing.candidates import InPlace, WorstCase
from toadstone.pipeline.costing.certified import verify_cost_split
from toadstone.pipeline.costing.harm import Harm, Outcome, train_on
from toadstone.pipeline.harness import processes
from toadstone.pipeline.harness.filters import fit_filters
from toadstone.pipeline.harness.judge import Defence, merge

PLAN = CostPlan(error=0.15, ridge=0.05)
FIRM = CostPlan(error=0.15, ridge=0.01, most=0.05)


def blobs(n=120, apart=2.5, seed=0) -> Split:
    rng = np.random.default_rng(seed)
    y = np.where(np.arange(n + 40) % 2 == 0, "ham", "spam")
    X = rng.normal(size=(n + 40, 3)) + apart * (y == "spam")[:, None] * np.array([1.0, 0.5, 0.0])
    return Split("blobs", Dataset(X[:n], y[:n]), Dataset(X[n:], y[n:]), "none", "held out")


@pytest.fixture(scope="module")
def split():
    return blobs()


@pytest.fixture(scope="module")
def added(split):
    return cost(split, PLAN)


@pytest.fixture(scope="module")
def apart():
    return blobs(apart=4.0)


@pytest.fixture(scope="module")
def firm(apart):
    """Classes so far apart that more than a row is certified."""
    return cost(apart, FIRM)


def error_after(split, poison, ridge=PLAN.ridge):
    X, y, _ = merge(split.train, poison)
    model = LinearClassifier(ridge=ridge).fit(X, y)
    return np.mean(model.predict(split.train.X) != split.train.y)


def feasible(split):
    return fit_filters(split.train, ("l2", "slab"), quantile=0.95, domain="real")


def test_the_attack_does_the_harm_and_is_feasible(split, added):
    record, poison = added.record, added.poison
    assert 1 <= record.certified_rows <= record.attack_rows == len(poison)
    assert record.ratio == record.attack_rows / record.certified_rows
    assert error_after(split, poison) == record.found.error >= 0.15
    assert feasible(split).contains(poison.X, poison.y).all()


def test_no_attack_with_fewer_than_the_certified_rows_does_it(apart, firm):
    record, certificate = firm.record, firm.certificate
    fewer = record.certified_rows - 1
    assert fewer > 1
    assert certificate.below.budget.count(120) == fewer
    assert record.certified.bound == certificate.below.bound < record.certified.floor == certificate.floor
    within, rng, most = feasible(apart), np.random.default_rng(0), 0.0
    tried = [WorstCase(within, certificate.below.setting).poison(apart.train, Budget(fewer / 120), rng)]
    for _ in range(100):
        label, direction = ["ham", "spam"][rng.integers(2)], rng.normal(size=3)
        point = within.maximize(direction, label).point
        tried.append(Poison(np.tile(point, (fewer, 1)), np.repeat(label, fewer)))
    for poison in tried:
        assert within.contains(poison.X, poison.y).all()
        most = max(most, error_after(apart, poison, ridge=FIRM.ridge))
    assert 0 < most < 0.15


def test_an_attack_that_falls_short_is_told_as_such(firm):
    assert not firm.record.found.done
    assert (firm.record.attack_rows, firm.record.ratio, firm.record.most_rows) == (None, None, 6)


def test_losses_are_certified_and_found_too(split):
    made = cost(split, replace(PLAN, error=None, loss=0.6))
    record = made.record
    assert 1 < record.certified_rows <= record.attack_rows
    _, outcome = train_on(split.train, made.poison, Defence(ridge=0.05))
    assert outcome.loss == pytest.approx(record.found.loss)
    assert outcome.loss >= 0.6


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["flip", "replace"])
def test_attacks_of_other_kinds_change_rows_in_their_place(split, kind):
    made = cost(split, replace(PLAN, kind=kind))
    assert 1 <= made.record.certified_rows <= made.record.attack_rows
    poison = made.poison
    assert len(poison.replaces) == len(poison) == made.record.attack_rows
    assert error_after(split, poison) >= 0.15
    changed = np.any(split.train.X[poison.replaces] != poison.X, axis=1)
    relabelled = poison.y != split.train.y[poison.replaces]
    assert relabelled.all() if kind == "flip" else (changed | relabelled).all()
    assert not (kind == "flip" and changed.any())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["flip", "replace"])
def test_rows_of_other_kinds_are_certified_too(apart, kind):
    made = cost(apart, replace(PLAN, kind=kind, ridge=0.1, error=0.25, most=0.02))
    assert made.record.certified_rows > 1
    assert made.certificate.below.budget.kind == kind
    assert verify_cost_split(made.certificate, apart).bound == pytest.approx(made.record.certified.bound)


def test_the_reason_for_one_certified_row_is_told(apart):
    # With a large ridge clean rows lose much without being wrong, and the proof goes through the loss.
    lossy, train = cost(apart, replace(PLAN, ridge=0.3, most=0.02)), apart.train
    assert (lossy.record.certified_rows, lossy.certificate) == (1, None)
    scores = LinearClassifier(ridge=0.3).fit(train.X, train.y).decision_function(train.X)
    ramp = np.clip(1 - train.signs * scores, 0, 1).mean()
    assert ramp > 0.15
    assert f"{ramp:.1%}" in lossy.record.certified.reason


def test_harm_without_poison_needs_no_row(split):
    made = cost(split, replace(PLAN, error=0.01))
    record = made.record
    assert record.clean_error >= 0.01
    assert (record.certified_rows, record.attack_rows, record.exceeded) == (0, 0, True)
    assert (made.poison, record.tried) == (None, 0)


def test_by_default_the_target_is_five_points_above_the_clean_error(split):
    record = cost(split, replace(PLAN, error=None)).record
    assert record.error == pytest.approx(record.clean_error + 0.05)
    assert record.target_origin != "as asked"


@pytest.mark.slow
def test_results_do_not_depend_on_workers(split, added, monkeypatch):
    # Little data would stay in one process; and what is called after each step, as a progress bar, cannot be sent.
    monkeypatch.setattr(processes, "_FEW_ENTRIES", 0)
    lock = Lock()
    again = cost(split, replace(PLAN, workers=2), on_step=lambda: lock.acquire(blocking=False))
    assert lock.locked()
    assert again.record.found == added.record.found
    np.testing.assert_array_equal(again.poison.X, added.poison.X)


def test_rows_in_place_displace_those_that_the_poisoned_model_fits_worst(split, firm):
    inner = WorstCase(feasible(split), firm.certificate.below.setting)
    budget, rng = Budget(0.1), np.random.default_rng(0)
    made = InPlace(inner, Defence(ridge=0.05)).poison(split.train, budget, rng)
    model, kept = train_on(split.train, inner.poison(split.train, budget, rng), Defence(ridge=0.05))
    losses = 1 - split.train.signs * model.decision_function(split.train.X)
    assert sorted(made.replaces.tolist()) == sorted(np.argsort(-losses)[:12].tolist())
    _, displaced = train_on(split.train, made, Defence(ridge=0.05))
    assert displaced.wrong > kept.wrong


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"error": 0.0}, "error"),
        ({"error": 1.5}, "error"),
        ({"loss": 0.4}, "error"),
        ({"error": None, "loss": -1.0}, "loss"),
        ({"kind": "perturb"}, "kind"),
        ({"quantile": 0.3}, "quantile"),
        ({"most": 0.5}, "most"),
        ({"ridge": 0.0}, "ridge"),
        ({"tolerance": 2.0}, "tolerance"),
        ({"workers": 0}, "workers"),
    ],
)
def test_options_out_of_range_are_refused(changes, name):
    with pytest.raises(InvalidArgument, match=f"`{name}`"):
        replace(PLAN, **changes)


def test_three_classes_and_no_room_for_a_row_are_refused(split):
    three = Dataset(split.train.X, np.arange(120) % 3)
    with pytest.raises(InvalidData, match="two classes"):
        cost(Split("three", three, three, "none", "held out"), PLAN)
    with pytest.raises(InvalidArgument, match="most"):
        cost(split, replace(PLAN, most=0.001))


def test_decimal_targets_count_the_rows_that_they_say():
    # 0.29 * 100 is 28.999999999999996, and 0.07 * 100 is 7.000000000000001.
    assert [Harm(error).wrong_rows(100) for error in (0.29, 0.07, 0.071)] == [29, 7, 8]
    assert Harm(0.07).done(Outcome(7, 100, 0.0))
    assert not Harm(0.07).done(Outcome(6, 100, 9.0))
    assert Harm(loss=0.5).done(Outcome(0, 100, 0.5))
