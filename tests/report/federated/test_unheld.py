"""What was not held in a federated simulation, in words."""

from __future__ import annotations

from dataclasses import replace

from federated_records import made_federation

from toadstone.commands.gates.limits import gate_lost
from toadstone.pipeline.federation.cells import federated_cells
from toadstone.report.federated.unheld import unheld_sentences

BARE = ("none", "nnm+trimmed-mean")


def said_of(record):
    return [sentence.replace("\N{NO-BREAK SPACE}", " ") for sentence in unheld_sentences(record)]


def with_hits(hits):
    """The made record with other successes of the trigger of a hundred rows, by rule."""
    record = made_federation()
    trials = tuple(
        replace(trial, success_hits=hits.get(trial.rule, 0)) if trial.attack == "model-replacement" else trial
        for trial in record.trials
    )
    return replace(record, trials=trials, cells=federated_cells(trials))


def triggers(record):
    return [sentence for sentence in said_of(record) if "trigger" in sentence]


def test_losses_triggers_and_rules_that_could_not_run_are_said():
    assert said_of(made_federation((5,))) == [
        "Rules that did not hold, with the points that they lost: krum (38.8 under alie).",
        "Rules that cost points even without an attack: krum (11.3).",
        "The trigger of model-replacement works on 3.0 % (1.5 to 5.7 %) of 300 rows behind nnm+trimmed-mean, 100.0 % "
        "(98.7 to 100.0 %) of 300 rows behind mean and 1.0 % without the attack.",
        "Not run: bulyan (in 4 cells). Bulyan needs n >= 4f + 3: got n = 20, f = 5.",
    ]
    assert said_of(made_federation((2, 8)))[2].startswith("With 8 malicious: Rules that did not hold")


def test_a_trigger_that_works_behind_another_rule_is_not_passed_over():
    assert triggers(with_hits({"krum": 48}))[0].endswith("It works behind krum (48.0 %) too.")


def test_triggers_that_hardly_work_are_no_news():
    assert triggers(with_hits({"mean": 3, "krum": 5})) == []
    assert len(triggers(with_hits({"mean": 6, "krum": 5}))) == 1


def test_of_many_rules_the_rest_is_counted():
    record = made_federation()
    names = [f"rule-{place}" for place in range(6)]
    krum = [trial for trial in record.trials if trial.rule == "krum"]
    trials = (*record.trials, *(replace(trial, rule=name) for trial in krum for name in names))
    rules = (*record.rules, *(replace(record.rules[1], name=name) for name in names))
    many = replace(record, rules=rules, trials=trials, cells=federated_cells(trials))
    assert said_of(many)[0].endswith("rule-2 (31.0 under alie) and 3 others.")
    fewer = replace(many, rules=rules[:-2])
    assert said_of(fewer)[0].endswith("rule-2 (31.0 under alie) and 1 other.")


def test_the_gate_names_no_attack_in_words(capsys):
    record = made_federation()
    trials = tuple(
        replace(trial, accuracy=(*trial.accuracy[:-1], 0.5)) if (trial.attack, trial.rule) == BARE else trial
        for trial in record.trials
    )
    assert gate_lost(replace(record, trials=trials, cells=federated_cells(trials), rules=record.rules[::2]), 1.0) == 1
    assert "points without an attack, above 1" in " ".join(capsys.readouterr().err.split())
