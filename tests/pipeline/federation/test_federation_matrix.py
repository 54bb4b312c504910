"""The matrix: every attack against every rule, the same however often it was interrupted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument, InvalidInput, UnknownName
from toadstone.datasets.split import Split
from toadstone.pipeline.federation.choices import DEFAULT_ATTACKS, DEFAULT_RULES, choose_attacks, choose_rules
from toadstone.pipeline.federation.plan import FederationPlan, prepare_federation
from toadstone.pipeline.federation.run import run_federation_matrix
from toadstone.pipeline.federation.training import LocalTraining
from toadstone.pipeline.harness.clock import Deadline
from toadstone.pipeline.trials.journal import Journal, late_trials
from toadstone.records.federated import FederatedRecord, FederatedTrial

PLAN = FederationPlan(
    clients=8,
    malicious=(2, 3),
    attacks=("ipm", "model-replacement", "garbage"),
    rules=("median", "krum", "bulyan", "fltrust"),
    split="iid",
    rounds=8,
    seeds=2,
    root_rows=20,
)


def build(n=240, n_test=80, seed=0):
    """Three well separated classes."""
    rng = np.random.default_rng(seed)
    y = np.resize([0, 1, 2], n + n_test)
    X = rng.normal(size=(n + n_test, 5)) + 3.0 * np.eye(5)[y]
    labels = np.array(["low", "middle", "high"])[y]
    return Split("built", Dataset(X[:n], labels[:n]), Dataset(X[n:], labels[n:]), "none", "published test split")


SPLIT = build()


@pytest.fixture(scope="module")
def record():
    return run_federation_matrix(prepare_federation(SPLIT, PLAN))


def timeless(record):
    return replace(
        record,
        trials=tuple(replace(trial, seconds=0.0) for trial in record.trials),
        cells=tuple(replace(cell, seconds=0.0) for cell in record.cells),
        header=replace(record.header, created="", peak_memory_mb=None, threads=None),
        timings={},
    )


def journal_in(folder, setup):
    return Journal(folder, setup.digest, trial=FederatedTrial, run="federation")


def test_every_place_is_filled(record):
    assert [info.name for info in record.attacks] == ["none", "ipm", "model-replacement", "garbage"]
    assert [info.name for info in record.rules] == ["mean", "median", "krum", "bulyan", "fltrust"]
    assert len(record.trials) == 2 * 2 * 4 * 5
    assert record.rounds_at == (0, 1, 2, 3, 4, 5, 6, 7, 8)
    for trial in record.trials:
        assert len(trial.accuracy) == (0 if trial.skipped else 9)
    assert (record.rows, record.root_rows, record.test_rows, record.parameters) == (219, 21, 80, 18)
    assert FederatedRecord.from_json(record.to_json()) == record


def test_a_rule_without_enough_clients_is_a_cell_and_no_error(record):
    sentences = {cell.skipped for cell in record.cells if cell.rule == "bulyan"}
    assert sentences == {"Bulyan needs n >= 4f + 3: got n = 8, f = 2", "Bulyan needs n >= 4f + 3: got n = 8, f = 3"}
    assert record.worst_cell("bulyan", 2) is None
    krum = {number: record.cell("none", "krum", number).skipped for number in (2, 3)}
    assert krum == {2: "", 3: "Krum needs n >= 2f + 3: got n = 8, f = 3"}


def test_the_mean_falls_and_a_rule_holds(record):
    best = record.best_rule(2)
    assert record.worst_cell("mean", 2).lost.mean > 0.3
    assert best.lost.mean < 0.1
    assert best.rule != "mean"
    assert record.unattacked(2).accuracy.mean > 0.85


def test_triggers_have_an_interval_and_messages_are_counted(record):
    backdoor = record.cell("model-replacement", "mean", 2).success
    assert backdoor.low <= backdoor.share <= backdoor.high
    assert record.cell("none", "mean", 2).success is not None
    assert record.cell("ipm", "mean", 2).success is None
    assert record.cell("garbage", "median", 2).refused > 0
    assert record.cell("ipm", "krum", 2).honest_filtered > 0.5


def test_an_interrupted_run_goes_on_and_gives_the_same(record, tmp_path):
    setup, calls = prepare_federation(SPLIT, PLAN), []

    def interrupt():
        calls.append(1)
        if len(calls) == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), journal_in(tmp_path, setup) as journal:
        run_federation_matrix(setup, journal=journal, on_unit=interrupt)
    with journal_in(tmp_path, setup) as journal:
        kept = list(journal.trials)
        again = run_federation_matrix(setup, journal=journal)
    assert len(kept) == 7
    assert set(kept) <= set(again.trials)
    assert timeless(again) == timeless(record)


def test_another_plan_is_refused(tmp_path):
    with journal_in(tmp_path, prepare_federation(SPLIT, PLAN)):
        pass
    other = prepare_federation(SPLIT, replace(PLAN, training=LocalTraining(rate=0.2)))
    with pytest.raises(InvalidArgument, match="or the folder of a federation of the same data"):
        journal_in(tmp_path, other)


@pytest.mark.slow
def test_processes_change_nothing(monkeypatch):
    monkeypatch.setattr("toadstone.pipeline.trials.journal.processes", lambda wanted, *_: wanted)
    plan = replace(PLAN, malicious=(2,), attacks=("ipm",), rules=("median",), seeds=1)
    setup = prepare_federation(SPLIT, plan)
    assert timeless(run_federation_matrix(setup, workers=2)) == timeless(run_federation_matrix(setup))


def test_without_time_trials_are_left_for_later(monkeypatch):
    looks = iter([False] * 3)
    monkeypatch.setattr(Deadline, "passed", property(lambda self: next(looks, self.seconds is not None)))
    deadline = Deadline(5.0)
    part = run_federation_matrix(prepare_federation(SPLIT, PLAN), deadline=deadline)
    assert "77 of 80 trials did not run" in late_trials(part.trials, deadline)
    assert part.best_rule(2) is None
    with pytest.raises(InvalidArgument, match="enough for the mean without an attack"):
        run_federation_matrix(prepare_federation(SPLIT, PLAN), deadline=deadline)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"malicious": (4,)}, "`malicious`: expected at most 3, less than half of 8 clients, got 4"),
        ({"malicious": (0,)}, "`malicious`: expected a whole number from 1, got 0"),
        ({"malicious": ()}, "`malicious`: expected at least one number, got none"),
        ({"clients": 1}, "`clients`: expected a whole number from 3, got 1"),
        ({"clients": 300}, "`clients`: expected at most one for each of 220 rows, got 300"),
        ({"momentum": 1.0}, r"`momentum`: expected a number in \[0, 1\), got 1.0"),
        ({"attacks": ("none",)}, "`attacks`: expected at least one attack besides none, got none"),
        ({"training": LocalTraining("cnn")}, "`model`: expected linear for rows that are no grey images, got cnn"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(changes, sentence):
    with pytest.raises(InvalidArgument, match=sentence):
        prepare_federation(SPLIT, replace(PLAN, **changes))


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(UnknownName, match=r"`rules`: expected one of mean, .*, got crum; did you mean krum\?"):
        choose_rules(["crum"])
    with pytest.raises(UnknownName, match=r"`rules`: expected one of nnm, .*, got nm; did you mean nnm\?"):
        choose_rules(["nm+median"])
    with pytest.raises(UnknownName, match=r"`attacks`: expected one of all, .*, got aly; did you mean"):
        choose_attacks(["aly"])
    with pytest.raises(InvalidArgument, match="`model`: expected one of linear, cnn, got tree"):
        LocalTraining("tree")


def test_defaults_and_all_are_in_the_catalogue():
    assert [attack.info.name for attack in choose_attacks(None)] == list(DEFAULT_ATTACKS)
    assert [rule.info.name for rule in choose_rules(None)] == ["mean", *DEFAULT_RULES]
    assert len(choose_attacks(["all"])) > len(DEFAULT_ATTACKS)
    assert len(choose_rules(["all", "mean"])) > len(DEFAULT_RULES)


def test_honest_clients_that_diverge_are_refused_in_one_sentence():
    rows = Dataset(np.arange(60.0)[:, None], np.resize([0, 1], 60))
    split = Split("built", rows, rows, "none", "own")
    plan = FederationPlan(
        clients=6, malicious=(1,), attacks=("ipm",), rules=("median",), split="iid", rounds=3, seeds=1,
        training=LocalTraining(rate=1e300),
    )  # fmt: skip
    with pytest.raises(InvalidInput, match="`rate`: honest clients cannot train at this rate"):
        run_federation_matrix(prepare_federation(split, plan))
