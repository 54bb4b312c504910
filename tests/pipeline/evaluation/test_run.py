"""The matrix: every attack against every defence, the same however often it was interrupted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toadstone.core.dataset import Dataset, Trusted
from toadstone.core.errors import BudgetExceeded, InvalidArgument, UnknownName
from toadstone.datasets.split import Split
from toadstone.pipeline.evaluation.defences import DefenderData, Filtering
from toadstone.pipeline.evaluation.plan import EvaluationPlan, prepare
from toadstone.pipeline.evaluation.poisoned_rows import goal_reached
from toadstone.pipeline.evaluation.run import run_evaluation
from toadstone.pipeline.evaluation.trials import _count, class_ranks
from toadstone.pipeline.trials.journal import JOURNAL, Journal
from toadstone.records.evaluation import EvaluationRecord
from toadstone.records.trials import Trial

ATTACKS = ("random-flip", "demographic", "feature", "adaptive-random-flip")
DEFENCES = ("spectral", "label-errors", "trusted-bootstrap", "l2", "baselines", "bounded-loss")
PLAN = EvaluationPlan(seeds=2, fraction=0.1, attacks=ATTACKS, defences=DEFENCES, ridge=0.1, trusted_share=0.25)


def build(n: int = 260, n_test: int = 120, seed: int = 0) -> Split:
    """Two well separated classes, with a column of two values."""
    rng = np.random.default_rng(seed)
    y = np.where(np.resize([0, 1], n + n_test) == 1, "yes", "no")
    X = rng.normal(size=(n + n_test, 5)) + 2.5 * (y == "yes")[:, None] * np.array([1, 1, 0, 0, 0])
    X[:, 4] = rng.random(n + n_test) < 0.5
    return Split("built", Dataset(X[:n], y[:n]), Dataset(X[n:], y[n:]), "none", "published test split")


@pytest.fixture(scope="module")
def split():
    return build()


@pytest.fixture(scope="module")
def record(split):
    return run_evaluation(prepare(split, PLAN))


def journal_in(folder, setup):
    return Journal(folder, setup.digest, trial=Trial, run="evaluation")


def timeless(record):
    trials = tuple(replace(trial, seconds=0.0) for trial in record.trials)
    cells = tuple(replace(cell, seconds=0.0) for cell in record.cells)
    header = replace(record.header, created="", command="", peak_memory_mb=None, threads=None)
    return replace(record, trials=trials, cells=cells, header=header, timings={})


def by_place(record):
    return {key_of(trial): trial for trial in record.trials}


def test_every_place_is_filled_and_the_clean_row_is_there(record):
    assert [info.name for info in record.attacks] == ["none", *ATTACKS]
    found = by_place(record)
    # Own and trusted thresholds for two detectors, trusted ones for the third, and none, two baselines, l2, a learner.
    assert len(found) == 2 * (4 * (2 * 2 + 1 + 1 + 2 + 1 + 1) + (2 * 2 + 1 + 1))
    assert not [trial for trial in record.trials if trial.skipped]
    assert record.cell("none", "none").accuracy_cost.mean == 0.0
    assert {trial.defence for trial in record.trials if trial.attack == "adaptive-random-flip"} == {
        "spectral",
        "label-errors",
        "trusted-bootstrap",
        "l2",
    }
    assert record.rows + record.trusted_rows == 260
    for trial in record.trials:
        displaced = 0 if trial.attack == "feature" else trial.poison_rows
        assert trial.clean_rows == record.rows - displaced
        assert trial.test_rows == 120


def test_yardsticks_remove_what_they_say(record):
    for seed in PLAN.every_seed:
        for attack in ("random-flip", "feature"):
            perfect = by_place(record)[seed, attack, "perfect", ""]
            assert (perfect.flagged_poison, perfect.flagged_clean, perfect.auroc) == (perfect.poison_rows, 0, 1.0)
            chance = by_place(record)[seed, attack, "random", ""]
            assert chance.flagged_poison + chance.flagged_clean == perfect.poison_rows
            assert 0.2 < chance.auroc < 0.8
        none = by_place(record)[seed, "none", "perfect", ""]
        assert (none.poison_rows, none.flagged_clean, none.wrong_rows) == (
            0,
            0,
            by_place(record)[seed, "none", "none", ""].wrong_rows,
        )


def test_trusted_rows_that_are_removed_are_no_false_alarms():
    received = DefenderData(np.zeros((5, 1)), np.zeros(5), np.array([4]))
    poisoned, reachable = np.arange(5) == 0, np.arange(5) < 4
    flagging = Filtering("own", np.array([0, 1, 4]), np.array([5.0, 4.0, 1.0, 2.0, 9.0]))
    trial = _count(Trial("flip", "l2", "", 0, 1, 3), flagging, received, poisoned, reachable)
    assert (trial.flagged_poison, trial.flagged_clean) == (1, 1)
    # The trusted row, the most suspicious of all, ranks nowhere.
    assert (trial.auroc, trial.average_precision) == (1.0, 1.0)


def test_detectors_catch_what_is_theirs(record):
    assert record.cell("random-flip", "label-errors", "trusted").verdict == "caught"
    assert record.cell("random-flip", "spectral", "own").verdict == "missed"
    assert record.detectors_by_verdict("random-flip")["caught"] == ("label-errors", "trusted-bootstrap")
    assert "random-flip" not in record.uncaught()
    told, plain = (
        record.cell(name, "label-errors", "trusted").auroc.mean for name in ("adaptive-random-flip", "random-flip")
    )
    assert told < plain


def test_goals_are_measured_where_they_apply(record):
    found = by_place(record)
    for seed in PLAN.every_seed:
        undefended, perfect = (found[seed, "feature", name, ""] for name in ("none", "perfect"))
        # About half of the test rows are of another class than the target's, and few of them are misclassified.
        assert 40 <= undefended.goal_rows <= 60
        assert undefended.success > perfect.success
        assert perfect.success == pytest.approx(undefended.goal_clean, abs=0.1)
        inside = found[seed, "demographic", "none", ""]
        assert inside.goal_rows == np.count_nonzero(build().test.X[:, 4] == 1)
        assert found[seed, "random-flip", "none", ""].goal_rows is None


def test_a_trigger_that_nothing_can_show_is_no_success(split):
    class Wrong:
        def predict(self, X):
            return np.full(X.shape[0], "no")

    setup = prepare(split, replace(PLAN, attacks=("feature",)))
    configured = setup.specs[0].configure(setup.part(0).clean, setup.view, np.random.default_rng(3))
    assert goal_reached(Wrong(), replace(configured, target="no"), split.test) == (0, 0)


def test_ranks_are_within_the_class_and_ties_are_shared():
    ranks = class_ranks(np.array([1.0, 9.0, 0.01, 0.02, 9.0]), np.array(["a", "a", "b", "b", "a"]))
    assert ranks.tolist() == pytest.approx([1 / 3, 2.5 / 3, 1 / 2, 1, 2.5 / 3])


def test_interrupted_twice_and_resumed_gives_the_same_record(split, tmp_path):
    plan = replace(PLAN, attacks=("random-flip", "feature", "adaptive-feature"), defences=("spectral", "l2", "random"))
    once = run_evaluation(prepare(split, plan))
    for stop in (5, 9):
        steps = iter([*range(stop), None])

        def interrupt(steps=steps):
            if next(steps) is None:
                raise KeyboardInterrupt

        setup = prepare(split, plan)
        with (
            pytest.raises(KeyboardInterrupt),
            journal_in(tmp_path, setup) as journal,
        ):
            run_evaluation(setup, journal=journal, on_unit=interrupt)
    before = (tmp_path / JOURNAL).read_text()
    assert 9 <= len(before.splitlines()) - 1 < len(once.trials)
    # The power failed while a line was written.
    (tmp_path / JOURNAL).write_text(before[:-20])
    setup = prepare(split, replace(plan, command="typed another way"))
    with journal_in(tmp_path, setup) as journal:
        assert len(journal.trials) == len(before.splitlines()) - 2
        resumed = run_evaluation(setup, journal=journal)
    assert timeless(resumed) == timeless(once)
    with journal_in(tmp_path, setup) as journal:
        # A trial whose sibling was torn was run again with it.
        assert {key_of(trial) for trial in journal.trials} == {key_of(trial) for trial in once.trials}


def key_of(trial):
    return trial.seed, trial.attack, trial.defence, trial.thresholds


def test_the_digest_tells_plans_and_data_apart(split):
    digests = {
        prepare(split, PLAN).digest,
        prepare(split, replace(PLAN, fraction=0.05)).digest,
        prepare(split, replace(PLAN, seed=1)).digest,
        prepare(split, replace(PLAN, attacks=None)).digest,
        prepare(build(seed=1), PLAN).digest,
        prepare(split, PLAN, trusted=Trusted(build(seed=3).test, because="checked")).digest,
        prepare(split, PLAN, trusted=Trusted(build(seed=4).test, because="checked")).digest,
    }
    assert len(digests) == 7


def test_a_trial_does_not_depend_on_what_else_runs(split, record):
    alone = prepare(split, replace(PLAN, attacks=("demographic",), defences=("spectral",), seed=1, seeds=1, ridge=0.1))
    for place, trial in by_place(run_evaluation(alone)).items():
        assert replace(trial, seconds=0) == replace(by_place(record)[place], seconds=0)


def test_test_labels_report_and_decide_nothing(split, record):
    labels = split.test.y[np.random.default_rng(0).permutation(len(split.test))]
    other = replace(split, test=Dataset(split.test.X, labels))
    plan = replace(PLAN, attacks=("random-flip", "adaptive-random-flip"), seeds=1)
    turned = by_place(run_evaluation(prepare(other, plan)))
    assert turned[0, "none", "none", ""].wrong_rows > by_place(record)[0, "none", "none", ""].wrong_rows
    for place, trial in turned.items():
        same = by_place(record)[place]
        assert (trial.flagged_poison, trial.flagged_clean, trial.auroc) == (
            same.flagged_poison,
            same.flagged_clean,
            same.auroc,
        )


def test_the_record_survives_its_json(record):
    assert EvaluationRecord.from_json(record.to_json()) == record


def test_what_does_not_suit_the_rows_is_skipped_and_says_why(split):
    # Four rows of a class, all of which the attack may flip.
    few = split.train.take(np.flatnonzero((split.train.y == "no") | (np.arange(260) < 8)))
    plan = replace(PLAN, attacks=("pair-flip",), defences=("spectral",), seeds=4, trusted_share=0.0)
    record = run_evaluation(prepare(replace(split, train=few), plan))
    skipped = {trial.seed: trial.skipped for trial in record.trials if trial.skipped}
    assert 1 <= len(skipped) <= 3
    assert set(skipped.values()) == {"labels: expected rows of at least two classes, got 1 class"}
    cell = record.cell("pair-flip", "none")
    assert cell.test_error.n == 4 - len(skipped)
    assert cell.skipped.startswith(f"seed {min(skipped)}: labels: expected rows of at least two classes")
    assert record.cell("none", "none").test_error.n == 4


def test_without_trusted_rows_detectors_that_need_some_are_left_out(split):
    setup = prepare(split, replace(PLAN, trusted_share=0.0, defences=("detectors",)))
    assert {info.name for info in setup.infos}.isdisjoint({"trusted-bootstrap", "roni"})
    assert {trial.thresholds for blank in setup.planned.values() for trial in blank} == {"own", ""}
    record = run_evaluation(prepare(split, replace(PLAN, trusted_share=0.0, defences=(), attacks=())))
    assert any("detectors that need some were left out" in warning for warning in record.warnings)
    assert record.trusted_origin == "There are no trusted rows."
    with pytest.raises(InvalidArgument, match="`defences`: expected detectors that do without trusted rows, as there"):
        prepare(split, replace(PLAN, trusted_share=0.0, defences=("trusted-bootstrap",)))


def test_trusted_rows_are_declared(split):
    with pytest.raises(InvalidArgument, match=r"`trusted`: expected rows declared clean, as Trusted\(rows"):
        prepare(split, PLAN, trusted=build(seed=3).test)
    declared = Trusted(build(seed=3).test, because="those that two of us read")
    record = run_evaluation(prepare(split, replace(PLAN, attacks=(), seeds=1), trusted=declared))
    assert (record.rows, record.trusted_rows) == (260, 120)
    assert record.trusted_origin == "Trusted rows are those that two of us read."
    with pytest.raises(InvalidArgument, match="`trusted`: expected rows that are not among the untrusted ones"):
        prepare(split, PLAN, trusted=Trusted(split.train, because="I say so"))


def test_test_rows_that_were_trained_on_are_told(split):
    twins = replace(split, test=Dataset(split.train.X[:50], split.train.y[:50]))
    record = run_evaluation(prepare(twins, replace(PLAN, attacks=(), defences=(), seeds=1)))
    assert record.warnings[0].startswith("50 of 50 test rows occur among the training rows, too")
    assert any(warning.startswith("There is a single seed") for warning in record.warnings)


def test_an_attack_that_breaks_its_contract_is_no_skipped_trial(split, monkeypatch):
    def greedy(*_):
        raise BudgetExceeded("poison: expected at most 1 rows, got 9")

    monkeypatch.setattr("toadstone.pipeline.evaluation.poisoned_rows.check_poison", greedy)
    with pytest.raises(BudgetExceeded, match="got 9"):
        run_evaluation(prepare(split, replace(PLAN, attacks=("random-flip",), defences=())))


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("fraction", 0.0, r"`fraction`: expected a number in \(0, 0\.5\), got 0\.0"),
        ("fraction", 0.001, "`fraction`: expected one of 19. rows that is at least one row, got 0.001"),
        ("seeds", 0, "`seeds`: expected a whole number from 1, got 0"),
        ("rows", 0, "`rows`: expected a whole number from 1, got 0"),
        ("trusted_share", 1.0, r"`trusted_share`: expected a number in \[0, 1\), got 1\.0"),
        ("false_alarm_rate", 0.2, r"`false_alarm_rate`: expected a number in \(0, 0\.1\], got 0\.2"),
        ("image", (3, 3, 1), "`image`: expected a shape of 5 pixels, got 3x3x1"),
    ],
)
def test_numbers_out_of_range(split, option, value, sentence):
    with pytest.raises(InvalidArgument, match=sentence):
        prepare(split, replace(PLAN, **{option: value}))


def test_a_larger_promise_flags_more(split):
    plan = replace(PLAN, seeds=1, attacks=("random-flip",), defences=("label-errors", "spectral"))
    records = [run_evaluation(prepare(split, replace(plan, false_alarm_rate=share))) for share in (0.01, 0.1)]
    few, many = (sum(trial.flagged_poison + trial.flagged_clean for trial in _filtered(made)) for made in records)
    assert many > few
    assert {info.false_alarm_rate for info in records[1].defences if info.kind == "detector"} == {0.1}


def _filtered(record):
    return [trial for trial in record.trials if trial.flagged_clean is not None]


def test_unknown_names(split):
    with pytest.raises(UnknownName, match=r"`defences`: expected one of baselines, detectors, .*, got sphere"):
        prepare(split, replace(PLAN, defences=("sphere",)))
    with pytest.raises(UnknownName, match=r"`attacks`: expected one of plain, adaptive, .*, got magic"):
        prepare(split, replace(PLAN, attacks=("magic",)))


@pytest.mark.slow
def test_processes_change_nothing(split, record, monkeypatch):
    monkeypatch.setattr("toadstone.pipeline.trials.journal.processes", lambda *_: 2)
    assert timeless(run_evaluation(prepare(split, PLAN), workers=2)) == timeless(record)
