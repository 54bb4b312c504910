"""Attacks as a user asks for them: what they may look at, and what the record says."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from toadstone.attacks.decoys.decoys import DecoyGrid
from toadstone.catalogue import names
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument, InvalidData, UnknownName
from toadstone.datasets.split import hold_out
from toadstone.pipeline.attack import AttackPlan, attack
from toadstone.pipeline.attack_search import methods
from toadstone.pipeline.harness.judge import Defence, judge
from toadstone.records.audit import NO_SANITIZER

QUICK = {"ridge": 0.05, "fraction": 0.1, "contamination": 0.1}


@pytest.fixture(autouse=True)
def _few_decoys(monkeypatch):
    monkeypatch.setattr("toadstone.pipeline.attack.DEFAULT_GRID", DecoyGrid((0.15, 0.3), (1, 5)))
    monkeypatch.setattr("toadstone.pipeline.attack_search.methods._SHARES", ())
    monkeypatch.setattr("toadstone.pipeline.attack_search.methods._MOVED", 1)
    monkeypatch.setattr("toadstone.pipeline.attack_search.methods._MOVED_SHARES", (0.5,))


@pytest.mark.parametrize("name", list(methods.METHODS))
@pytest.mark.parametrize("kind", ["real", pytest.param("integer", marks=pytest.mark.slow)])
def test_each_method_spends_its_budget_and_tells_the_truth(small, name, kind):
    split = small(kind=kind, sparse=kind == "integer")
    result = attack(split, AttackPlan(method=name, **QUICK))
    record, poison = result.record, result.poison
    assert len(poison) == record.poison_rows
    # The pool of flips that pass the filters may be smaller than the budget.
    assert (1 if name == "alfa" else 8) <= record.poison_rows <= record.threat.rows == 8
    assert 1 <= record.distinct_rows <= record.poison_rows
    defence = Defence(contamination=0.1, ridge=0.05)
    cells = judge(split.train, split.test, poison, (NO_SANITIZER, *names("sanitizer")), defence, name=name)
    errors = {cell.sanitizer: cell.test_error for cell in cells}
    assert record.test_error == errors
    assert record.worst_case == min(error for sanitizer, error in errors.items() if sanitizer != NO_SANITIZER)
    assert record.method == name
    assert record.tried >= 1


def with_labels_of(rows: Dataset, y) -> Dataset:
    return Dataset(rows.X, y, rows.feature_names, rows.row_ids)


@pytest.mark.parametrize("select_on", ["validation", "train"])
@pytest.mark.parametrize(
    "name",
    [
        "kkt",
        "min-max",
        "alfa",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("influence", "kkt-influence")),
    ],
)
def test_test_labels_are_not_looked_at_unless_asked_for(small, name, select_on):
    split = small()
    flipped = with_labels_of(split.test, np.where(split.test.y == "ham", "spam", "ham"))
    plan = AttackPlan(method=name, select_on=select_on, **QUICK)
    one, other = (attack(data, plan) for data in (split, replace(split, test=flipped)))
    assert np.array_equal(one.poison.X, other.poison.X)
    assert "no test label was used" in one.record.protocol
    assert one.record.split_test is None


def test_test_labels_are_looked_at_if_asked_for(small):
    split = small()
    flipped = with_labels_of(split.test, np.where(split.test.y == "ham", "spam", "ham"))
    plan = AttackPlan(method="kkt", select_on="test", **QUICK)
    one, other = (attack(data, plan) for data in (split, replace(split, test=flipped)))
    assert not np.array_equal(one.poison.X, other.poison.X)
    assert "labels" in one.record.protocol
    assert "as in the paper" in one.record.protocol


def test_a_search_that_follows_errors_on_test_rows_reports_the_half_it_did_not_see(small):
    split = small()
    record = attack(split, AttackPlan(method="kkt-influence", select_on="test", **QUICK)).record
    assert record.split_test is not None
    assert record.tried > 3
    half, other = hold_out(split.test, share=0.5, random_state=0)
    mistakes = record.split_test.selected * len(half), record.split_test.reported * len(other)
    assert mistakes == pytest.approx(np.round(mistakes))
    assert max(record.split_test.selected, record.worst_case) > 0


def test_the_same_seed_gives_the_same_rows_whatever_the_number_of_processes(small):
    plans = [AttackPlan(method="kkt-influence", workers=workers, **QUICK) for workers in (1, 2)]
    one, two = (attack(small(kind="integer"), plan) for plan in plans)
    assert np.array_equal(one.poison.X, two.poison.X)
    assert one.record.candidate == two.record.candidate


def test_the_record_is_json(small):
    record = attack(small(), AttackPlan(method="label-flip", command="toadstone attack", **QUICK)).record
    fields = json.loads(record.to_json())
    assert set(fields["test_error"]) == {"none", "l2", "slab", "loss", "svd", "knn"}
    assert {"worst_case", "seconds", "poison_rows", "distinct_rows", "selected_on"} <= set(fields)
    assert fields["seconds"] == pytest.approx(sum(fields["timings"].values()))


def test_the_ridge_is_asked_published_or_chosen(small):
    asked = attack(small(), AttackPlan(method="label-flip", **QUICK)).record
    assert (asked.ridge, asked.ridge_origin) == (0.05, "as asked")
    chosen = attack(small(), AttackPlan(method="label-flip", fraction=0.1)).record
    assert chosen.ridge_origin == "chosen by cross-validation"
    enron = replace(small(kind="integer"), name="enron")
    published = attack(enron, AttackPlan(method="label-flip", fraction=0.1)).record
    assert published.ridge == 0.09
    assert "published" in published.ridge_origin


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"fraction": 0.5}, "`fraction`: expected a number in"),
        ({"select_on": "luck"}, "`select_on`: expected one of validation, train, test, got luck"),
        ({"quantile": 0.3}, "`quantile`: expected a number in"),
        ({"ridge": 0.0}, "`ridge`: expected a positive number, got 0"),
        ({"contamination": 0.6}, "`remove`: expected a number in"),
        ({"workers": 0}, "`workers`: expected a whole number from 1, got 0"),
    ],
)
def test_options_out_of_range(wrong, sentence):
    with pytest.raises(InvalidArgument, match=sentence):
        AttackPlan(**wrong)


def test_an_unknown_method():
    with pytest.raises(UnknownName, match=r"`method`: expected one of kkt-influence, kkt, .*, got magic"):
        AttackPlan(method="magic")


def test_a_fraction_of_less_than_one_row(small):
    with pytest.raises(InvalidArgument, match=r"`fraction`: expected enough for one row of 80, got 0\.01"):
        attack(small(), AttackPlan(method="label-flip", ridge=0.1, fraction=0.01))


def test_counts_are_declared_rightly(small):
    with pytest.raises(InvalidData, match="domain 'integer': expected counts"):
        attack(small(), AttackPlan(method="kkt", domain="integer", **QUICK))


def test_a_class_that_no_test_row_has_is_no_obstacle(small):
    split = small()
    alone = split.test.take(np.flatnonzero(split.test.y == "ham"))
    record = attack(replace(split, test=alone), AttackPlan(method="kkt", select_on="test", **QUICK)).record
    assert 0 <= record.worst_case <= 1
