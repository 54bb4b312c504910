"""Worst attack and most helpful defence, with ties that the seeds leave open."""

from __future__ import annotations

import dataclasses

import pytest

from toadstone.pipeline.evaluation.cells import cells_of
from toadstone.records.evaluation import AttackInfo, DefenceInfo, EvaluationRecord
from toadstone.records.header import SCHEMA_VERSIONS, DataSummary, Header, Source
from toadstone.records.standings import as_good, standings
from toadstone.records.trials import MatrixCell, Trial

SEEDS = (0, 1, 2)
ATTACKS = (
    AttackInfo("none", "the clean rows", "none", "none", False, 0),
    AttackInfo("flip", "labels flipped", "flip", "errors", False, 4),
    AttackInfo("noise", "noise", "perturb", "errors", False, 4),
    AttackInfo("patch", "a square", "add", "trigger", False, 4),
    AttackInfo("adaptive-flip", "knows the detector", "flip", "errors", True, 4),
)
DEFENCES = (
    DefenceInfo("none", "none", None, False),
    DefenceInfo("perfect", "baseline", None, False),
    DefenceInfo("sever", "detector", 0.02, False),
    DefenceInfo("loss", "sanitizer", 0.05, False),
    DefenceInfo("knn", "sanitizer", 0.05, False),
)
# Wrong rows of a hundred, seed by seed.
ERRORS = {
    ("none", "none", ""): (5, 5, 5),
    ("flip", "none", ""): (20, 22, 24),
    ("noise", "none", ""): (6, 6, 6),
    ("flip", "perfect", ""): (5, 5, 5),
    ("noise", "perfect", ""): (5, 5, 5),
    ("flip", "sever", "own"): (9, 11, 10),
    ("noise", "sever", "own"): (5, 5, 6),
    ("flip", "loss", ""): (10, 11, 12),
    ("noise", "loss", ""): (4, 6, 6),
    ("flip", "knn", ""): (20, 22, 23),
    ("noise", "knn", ""): (6, 6, 6),
}


def trials_of(errors):
    return tuple(
        Trial(*where, seed, test_rows=100, wrong_rows=wrong)
        for where, runs in errors.items()
        for seed, wrong in zip(SEEDS, runs, strict=True)
    )


def triggered(defence, reached):
    return tuple(
        Trial(
            "patch", defence, "", seed, test_rows=100, wrong_rows=5, goal_rows=50, goal_reached=count, goal_clean=0.02
        )
        for seed, count in zip(SEEDS, reached, strict=True)
    )


def made(trials, seeds=SEEDS):
    keys = dict.fromkeys((trial.attack, trial.defence, trial.thresholds) for trial in trials)
    return EvaluationRecord(
        header=Header(
            "evaluation", SCHEMA_VERSIONS["evaluation"], "toadstone evaluate", "2026-01-02", 0, 1, 0.0, {}, {}
        ),
        source=Source("rows.csv", "rows.csv"),
        data=DataSummary(100, 100, 2, 1.0, (), "real", "none", "held out"),
        seeds=seeds,
        fraction=0.05,
        rows=100,
        trusted_rows=0,
        trusted_origin="There are no trusted rows.",
        test_rows=100,
        learner="logistic",
        ridge=0.1,
        ridge_origin="as asked",
        attacks=ATTACKS,
        defences=DEFENCES,
        cells=tuple(MatrixCell(*key) for key in keys),
        trials=tuple(trials),
    )


def test_the_worst_attack_and_the_best_defence_of_a_goal():
    (errors,) = standings(made(trials_of(ERRORS)))
    assert (errors.goal, errors.attacks, errors.worst, errors.as_bad) == ("errors", ("flip", "noise"), "flip", ())
    assert (errors.undefended.mean, errors.clean.mean) == (pytest.approx(0.22), pytest.approx(0.05))
    assert errors.best == ("sever", "own")
    assert errors.left.mean == pytest.approx((10 + 16 / 3) / 200)
    assert errors.unprotected.mean == pytest.approx((22 + 6) / 200)
    # Seed by seed, the filter by loss is 0, 0.5 and 1 points behind: the interval of its mean includes zero.
    assert errors.as_good == (("loss", ""),)
    assert not errors.none_as_good


def test_perfect_removal_is_no_defence_and_an_incomplete_one_is_no_candidate():
    trials = [trial for trial in trials_of(ERRORS) if (trial.attack, trial.defence) != ("noise", "sever")]
    (errors,) = standings(made(trials))
    assert errors.best == ("loss", "")


def test_a_defence_that_changes_nothing_is_shown_to_help_no_one():
    kept = {where: runs for where, runs in ERRORS.items() if where[1] in ("none", "knn")}
    (errors,) = standings(made(trials_of(kept)))
    assert errors.best == ("knn", "")
    assert errors.none_as_good


def test_attacks_that_differ_by_chance_are_tied():
    (errors,) = standings(made(trials_of(ERRORS | {("noise", "none", ""): (24, 21, 20)})))
    assert (errors.worst, errors.as_bad) == ("flip", ("noise",))


def test_a_trigger_is_measured_by_its_success_above_that_without_it():
    trials = trials_of(ERRORS) + triggered("none", (40, 45, 50)) + triggered("knn", (1, 2, 0))
    trigger = standings(made(trials))[1]
    assert (trigger.goal, trigger.worst, trigger.best) == ("trigger", "patch", ("knn", ""))
    assert (trigger.undefended.mean, trigger.clean.mean, trigger.left.mean) == (
        pytest.approx(0.9),
        pytest.approx(0.02),
        pytest.approx(0.02),
    )


def test_a_single_seed_tells_no_ties():
    trials = [trial for trial in trials_of(ERRORS) if trial.seed == 0]
    (errors,) = standings(made(trials, seeds=(0,)))
    assert (errors.as_bad, errors.as_good, errors.none_as_good) == ((), (), False)
    assert errors.undefended.low is None


def test_without_an_undefended_run_there_is_nothing_to_rank():
    trials = [trial for trial in trials_of(ERRORS) if trial.defence != "none"]
    assert standings(made(trials)) == ()


def test_defences_as_good_as_the_best_against_one_attack():
    record = made(trials_of(ERRORS))
    measured = dataclasses.replace(record, cells=cells_of(record.trials))
    assert measured.best_defence("flip").defence == "sever"
    assert as_good(measured, "flip") == (("loss", ""),)
    assert as_good(record, "flip") == ()
