"""Attacks on real data do what they are for, and the yardsticks undo it."""

from __future__ import annotations

import pytest

from toadstone.datasets import load
from toadstone.pipeline.evaluation.plan import EvaluationPlan, prepare
from toadstone.pipeline.evaluation.run import run_evaluation

pytestmark = pytest.mark.data

BACKDOORS = {"sms": "rare-words", "adult": "feature", "pneumonia": "badnets"}


@pytest.mark.parametrize("name", BACKDOORS)
def test_backdoors_open_and_perfect_removal_shuts_them(name, data_dir):
    attacks = ("random-flip", BACKDOORS[name])
    plan = EvaluationPlan(rows=1200, test_rows=600, seeds=2, attacks=attacks, defences=("label-errors", "baselines"))
    record = run_evaluation(prepare(load(name), plan))
    assert not [trial for trial in record.trials if trial.skipped]
    opened, shut, alone = (
        record.cell(BACKDOORS[name], defence).success.mean for defence in ("none", "perfect", "random")
    )
    clean = record.cell(BACKDOORS[name], "none").clean_success.mean
    assert clean < 0.35
    assert min(opened, alone) > clean + 0.3
    assert shut < clean + 0.1
    flips = record.cell("random-flip", "label-errors", "trusted")
    assert flips.auroc.mean > 0.75
    assert record.cell("none", "label-errors", "own").false_alarms.mean <= 0.03


def test_optimized_attacks_raise_the_test_error(data_dir):
    attacks = ("kkt", "min-max", "influence", "label-flip")
    plan = EvaluationPlan(
        fraction=0.03, rows=1000, test_rows=1000, seeds=1, attacks=attacks, defences=("label-errors",)
    )
    record = run_evaluation(prepare(load("enron"), plan))
    clean = record.cell("none", "none").test_error.mean
    rises = {name: record.cell(name, "none").test_error.mean - clean for name in attacks}
    assert min(rises["kkt"], rises["min-max"], rises["influence"]) > 0.01
    # By its own thresholds it abstains: a forest explains the poisoned labels better than its linear model does.
    assert record.cell("kkt", "label-errors", "trusted").verdict == "caught"
    assert record.cell("kkt", "label-errors", "own").auroc.mean > 0.95


def test_the_suites_of_real_data(data_dir):
    plain = EvaluationPlan(rows=400, attacks=("plain",), defences=(), ridge=0.01)
    found = {name: {spec.name for spec in prepare(load(name), plain).specs} for name in (*BACKDOORS, "mnist")}
    for name, backdoor in BACKDOORS.items():
        assert backdoor in found[name]
    assert "badnets" in found["mnist"]
    assert "demographic" in found["adult"]
    assert "demographic" not in found["sms"] | found["mnist"]
