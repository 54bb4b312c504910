"""Chosen test rows as the goal: which rows, what the record says, what may be looked at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toadstone.attacks.decoys.decoys import DecoyGrid
from toadstone.catalogue import names
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.pipeline.attack import AttackPlan, attack
from toadstone.pipeline.attack_search.targeted import TARGETED, pick_targets, relabelled
from toadstone.pipeline.harness.filters import fit_filters
from toadstone.pipeline.harness.judge import Defence, judge
from toadstone.records.audit import NO_SANITIZER

QUICK = {"ridge": 0.05, "fraction": 0.2, "contamination": 0.1}
SANITIZERS = (NO_SANITIZER, *names("sanitizer"))


@pytest.fixture(autouse=True)
def _few_decoys(monkeypatch):
    monkeypatch.setattr("toadstone.pipeline.attack.TARGET_GRID", DecoyGrid((1.0,), (8,)))
    monkeypatch.setattr("toadstone.pipeline.attack_search.methods._SHARES", ())


def fitted_rows(split, count: int = 3) -> tuple[int, ...]:
    """Test rows that the defender of clean rows gets right, the least certain first."""
    model = Defence(ridge=0.05).model().fit(split.train.X, split.train.y)
    margins = np.where(split.test.y == "spam", 1, -1) * model.decision_function(split.test.X)
    order = np.argsort(np.where(margins > 0, margins, np.inf))
    return tuple(split.test.row_ids[order[:count]].tolist())


@pytest.mark.parametrize("method", TARGETED)
class TestGoal:
    def test_a_target_is_misclassified_whatever_the_defence(self, small, method):
        split = small(n=120)
        plan = AttackPlan(method=method, target=fitted_rows(split, 1), **QUICK)
        outcome = attack(split, plan).record.targets
        assert (outcome.clean_error, outcome.worst_case) == (0.0, 1.0)

    def test_the_record_tells_the_truth(self, small, method):
        split = small()
        rows = fitted_rows(split)
        result = attack(split, AttackPlan(method=method, target=rows, **QUICK))
        targets = split.test.take(np.searchsorted(split.test.row_ids, rows))
        cells = judge(split.train, targets, result.poison, SANITIZERS, Defence(contamination=0.1, ridge=0.05), name="")
        record = result.record
        assert record.targets.rows == rows
        assert record.targets.error == {cell.sanitizer: cell.test_error for cell in cells}
        assert record.targets.worst_case == min(cell.test_error for cell in cells[1:])
        assert record.selected_on == "target"
        assert "no other test label" in record.protocol

    def test_the_labels_of_other_test_rows_are_not_looked_at(self, small, method):
        split = small()
        rows = fitted_rows(split)
        others = ~np.isin(split.test.row_ids, rows)
        y = np.where(others & (split.test.y == "ham"), "spam", np.where(others, "ham", split.test.y))
        blind = replace(split, test=Dataset(split.test.X, y, split.test.feature_names, split.test.row_ids))
        one, two = (attack(data, AttackPlan(method=method, target=rows, **QUICK)) for data in (split, blind))
        np.testing.assert_array_equal(one.poison.X, two.poison.X)
        assert one.record.test_error != two.record.test_error


def test_without_targets_the_record_has_none(small):
    record = attack(small(), AttackPlan(method="label-flip", **QUICK)).record
    assert record.targets is None
    assert record.filters == ("l2", "slab")


@pytest.mark.parametrize("filters", [("loss",), ("slab", "l2", "loss")])
def test_poison_passes_the_filters_that_are_expected(small, filters):
    split = small()
    plan = AttackPlan(method="kkt", filters=filters, quantile=0.8, target=fitted_rows(split), **QUICK)
    result = attack(split, plan)
    within = fit_filters(split.train, filters, quantile=0.8, domain="real", ridge=0.05)
    assert within.contains(result.poison.X, result.poison.y).all()
    assert result.record.filters == filters


class TestPicking:
    def test_rows_by_their_numbers_in_the_order_asked(self, small):
        test = small().test
        picked = pick_targets(test, (184, 181))
        np.testing.assert_array_equal(picked.X, test.X[[4, 1]])

    def test_the_wish_is_the_other_label(self, small):
        split = small()
        wanted = relabelled(pick_targets(split.test, (180, 181)), split.train.classes).rows
        assert set(zip(wanted.y.tolist(), split.test.y[:2].tolist(), strict=True)) <= {("ham", "spam"), ("spam", "ham")}

    @pytest.mark.parametrize("number", [100, 240, -1])
    def test_other_rows_are_refused(self, small, number):
        with pytest.raises(InvalidArgument, match=r"`target`: expected numbers of test rows \(180, 181, .*got"):
            pick_targets(small().test, (180, number))

    def test_several_classes_are_refused(self, small):
        test = small().test
        three = Dataset(test.X, np.resize(np.array(["a", "b", "c"]), len(test)), test.feature_names, test.row_ids)
        with pytest.raises(InvalidData, match="expected two classes for targets, got 3"):
            pick_targets(three, (180,))

    @pytest.mark.parametrize(
        ("plan", "sentence"),
        [
            ({"method": "minmax"}, "`target`: expected a method of kkt or influence to go with it, got min-max"),
            ({"method": "kkt", "target": (3, 3)}, "`target`: expected different rows, got 3, 3"),
            ({"method": "kkt", "filters": ("svd",)}, "`filters`: expected some of l2, slab, loss"),
        ],
    )
    def test_plans_that_make_no_sense(self, plan, sentence):
        with pytest.raises(InvalidArgument, match=sentence):
            AttackPlan(**{"target": (3,), **QUICK, **plan})
