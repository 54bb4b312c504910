"""Optimized attacks in an evaluation: their knowledge, and the defences that they know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toadstone.attacks.decoys.decoys import DecoyGrid
from toadstone.core.dataset import Dataset
from toadstone.datasets.split import Split
from toadstone.pipeline.evaluation.attacks import AttackSpec
from toadstone.pipeline.evaluation.defences import SCORING, kept_rows
from toadstone.pipeline.evaluation.detector_aware import DeployedFilter, beside_trusted
from toadstone.pipeline.evaluation.plan import EvaluationPlan, prepare
from toadstone.pipeline.evaluation.run import run_evaluation
from toadstone.pipeline.evaluation.seed_split import SeedSplit
from toadstone.records.evaluation import DefenceInfo

ATTACKS = ("kkt", "min-max", "influence", "kkt-influence", "adaptive-kkt", "adaptive-kkt-influence")
DEFENCES = ("label-errors", "trusted-bootstrap", "l2", "partition-vote", "trimmed-training")
PLAN = EvaluationPlan(fraction=0.1, seeds=1, attacks=ATTACKS, defences=DEFENCES, ridge=0.05, trusted_share=0.25)


def build(n: int = 260, n_test: int = 120) -> Split:
    rng = np.random.default_rng(0)
    y = np.where(rng.random(n + n_test) < 0.45, "yes", "no")
    X = rng.normal(size=(n + n_test, 4)) + 1.6 * np.outer(y == "yes", np.arange(4) < 2)
    return Split("built", Dataset(X[:n], y[:n]), Dataset(X[n:], y[n:]), "none", "published test split")


@pytest.fixture(autouse=True)
def _small_searches(monkeypatch):
    monkeypatch.setattr("toadstone.pipeline.attack_search.audit_attacks.GRID", DecoyGrid((0.2, 0.3), (3, 8)))
    monkeypatch.setattr("toadstone.pipeline.attack_search.audit_attacks._STEPS", 6)


@pytest.fixture(scope="module")
def split():
    return build()


def by_place(record):
    return {(trial.attack, trial.defence, trial.thresholds): trial for trial in record.trials}


@pytest.mark.slow
def test_they_spend_their_budget_against_the_defences_that_they_can_know(split):
    record = run_evaluation(prepare(split, PLAN))
    assert [trial.skipped for trial in record.trials if trial.skipped] == []
    found = by_place(record)
    for name in ("kkt", "min-max", "influence", "kkt-influence"):
        assert found[name, "none", ""].poison_rows == int(0.1 * record.rows)
        assert {defence for attack, defence, _ in found if attack == name} == {"none", *DEFENCES}
    assert {defence for attack, defence, _ in found if attack == "adaptive-kkt"} == set(DEFENCES[:3])
    # This one follows what a defence keeps, and can therefore be made for learners too.
    assert {defence for attack, defence, _ in found if attack == "adaptive-kkt-influence"} == set(DEFENCES)


def test_no_attacker_sees_a_test_label(split):
    plan = replace(PLAN, attacks=("kkt", "kkt-influence", "adaptive-kkt-influence"), defences=("label-errors",))
    turned = Dataset(split.test.X, np.where(split.test.y == "yes", "no", "yes"))
    one, other = (by_place(run_evaluation(prepare(data, plan))) for data in (split, replace(split, test=turned)))
    for place, trial in one.items():
        assert (trial.flagged_poison, trial.auroc) == (other[place].flagged_poison, other[place].auroc)
        assert trial.wrong_rows + other[place].wrong_rows == len(split.test)


def test_the_attacker_knows_the_rows_within_reach_and_the_defenders_model(split):
    setup = prepare(split, PLAN)
    part, defence = setup.part(0), replace(setup.defence, seed=0)
    search = setup.attacker(part, defence).search
    assert search.problem.clean is search.problem.rows is part.clean
    assert search.problem.defence == defence
    assert search.known.ridge == 0.05
    assert search.known.probe is part.clean


def test_several_classes_have_no_such_search(split):
    three = Dataset(split.train.X, np.resize(["a", "b", "c"], len(split.train)))
    setup = prepare(replace(split, train=three, test=three), replace(PLAN, attacks=("random-flip",)))
    assert setup.attacker(setup.part(0), setup.defence).search is None


@pytest.mark.parametrize("name", DEFENCES)
def test_an_attacker_runs_the_deployed_defence_as_the_defender_does(split, name):
    setup = prepare(split, PLAN)
    part, info = setup.part(0), next(info for info in setup.infos if info.name == name)
    kept = DeployedFilter(info, setup.defence, part.trusted)(part.clean.X, part.clean.y)
    received = beside_trusted(part.clean.X, part.clean.y, part.trusted)
    assert len(received.y) == len(part.clean) + len(part.trusted)
    wanted = kept_rows(info, received, setup.defence, trusted=True)
    assert kept.tolist() == [row for row in wanted.tolist() if row < len(part.clean)]
    assert (len(kept) == len(part.clean)) == (name == "partition-vote")


def test_kept_by_every_threshold(split):
    setup = prepare(split, PLAN)
    part, info = setup.part(0), DefenceInfo("label-errors", "detector", 0.1, needs_trusted=False)
    received = beside_trusted(part.clean.X, part.clean.y, part.trusted)
    own = kept_rows(info, beside_trusted(part.clean.X, part.clean.y, None), setup.defence, trusted=False)
    both = kept_rows(info, received, setup.defence, trusted=True)
    assert 0 < len(own) < len(part.clean)
    assert 0 < len(both) < len(received.y)


def test_a_trusted_row_with_a_copy_is_trusted_no_longer(split):
    part = SeedSplit(0, split.train, split.train.take(np.arange(5)), split.test)
    assert beside_trusted(part.clean.X, part.clean.y, part.trusted).trusted.size == 0


def test_those_that_follow_the_defence_are_no_evading_attacks():
    assert AttackSpec("kkt-influence", knows_detector=True).plans_for_defence
    assert not AttackSpec("kkt", knows_detector=True).plans_for_defence
    assert not AttackSpec("kkt-influence").plans_for_defence
    assert "learner" not in SCORING


@pytest.mark.parametrize("place", ["detector", "attack"])
def test_a_crash_is_no_skipped_trial(split, monkeypatch, place):
    def crash(*_, **__):
        raise ValueError("shapes (3,) and (4,) not aligned")

    if place == "detector":
        monkeypatch.setattr("toadstone.detectors.labels.confident_learning.ConfidentLearning.fit", crash)
    else:
        monkeypatch.setattr("toadstone.attacks.flips.label_flip.RandomLabelFlip.poison", crash)
    with pytest.raises(ValueError, match="not aligned"):
        run_evaluation(prepare(split, replace(PLAN, attacks=("random-flip",), defences=("label-errors",))))
