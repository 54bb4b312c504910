"""Findings of a federated simulation in words."""

from __future__ import annotations

from dataclasses import replace

from federated_records import made_federation

from toadstone.pipeline.federation.cells import federated_cells
from toadstone.records.federated import CertifiedClients
from toadstone.report.federated.findings import (
    answer_sentences,
    certified_sentences,
    change,
    next_line,
    points,
    unheld_sentences,
)


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


def losing(lost):
    """The made record with other accuracies after the last round, by attack and rule."""
    record = made_federation()
    trials = tuple(
        replace(trial, accuracy=(*trial.accuracy[:-1], 0.9 - lost.get((trial.attack, trial.rule), 0.5)))
        if trial.rule != "mean" or trial.attack != "none"
        else replace(trial, accuracy=(*trial.accuracy[:-1], 0.9))
        for trial in record.trials
    )
    return replace(record, trials=trials, cells=federated_cells(trials))


def test_the_best_rule_and_the_mean_come_first():
    (sentence,) = answer_sentences(made_federation())
    assert plain(sentence) == (
        "With 4 of 20 clients malicious, nnm+trimmed-mean kept the accuracy within 2.0 points of no attack (89.8 %) "
        "under all 3 attacks; mean lost 62.0 under ipm."
    )
    advice, code = next_line(made_federation())
    assert code == 'strategy = toadstone.federated.robust(FedAvg(...), rule="nnm+trimmed-mean", malicious=4)'
    assert "with as many malicious clients as you have to expect" in advice


def test_each_number_of_clients_has_a_sentence_and_the_largest_that_held_is_recommended():
    record = made_federation((2, 4, 8))
    assert [sentence[:7] for sentence in answer_sentences(record)] == ["With 2 ", "With 4 ", "With 8 "]
    assert "no rule held: the best, nnm+trimmed-mean, lost 4.0 points of the mean’s" in answer_sentences(record)[2]
    assert next_line(record)[1].endswith("malicious=4)")
    assert any(sentence.startswith("With 8 malicious: Not held: krum lost") for sentence in unheld_sentences(record))


def test_a_rule_that_some_attack_was_not_run_against_is_not_called_best():
    record = made_federation((5,))
    assert record.worst_cell("bulyan", 5) is None
    part = replace(record, cells=tuple(cell for cell in record.cells if cell.rule == "bulyan"))
    assert "no rule was run under all 3 attacks in every seed" in answer_sentences(part)[0]
    assert next_line(part) == ("No rule was run under every attack, so none is recommended.", "")


def test_where_the_mean_is_best_nothing_is_recommended():
    record = losing({(attack, "mean"): 0.01 for attack in ("ipm", "alie", "model-replacement")})
    assert "mean kept the accuracy within 1.0 points" in answer_sentences(record)[0]
    assert next_line(record) == ("No rule lost less than the mean here, so nothing speaks for a change.", "")


def test_where_the_mean_loses_nothing_that_is_said():
    lost = {(attack, "mean"): 0.0 for attack in ("ipm", "alie", "model-replacement")}
    record = losing(lost | {(attack, "krum"): -0.01 for attack in ("none", "ipm", "alie", "model-replacement")})
    (sentence,) = answer_sentences(record)
    assert plain(sentence) == (
        "With 4 of 20 clients malicious, krum lost nothing of the accuracy without an attack (90.0 %) under all 3 "
        "attacks; mean lost nothing."
    )


def test_rules_that_cost_even_without_an_attack_are_named():
    lost = {(attack, "krum"): 0.04 for attack in ("ipm", "alie", "model-replacement")} | {("none", "krum"): 0.1}
    record = losing(lost | {("none", "nnm+trimmed-mean"): 0.5})
    (sentence,) = answer_sentences(record)
    assert "no rule held: the best, krum, lost 10.0 points of the mean’s 90.0 % even without an attack" in plain(
        sentence
    )
    assert next_line(record)[0].startswith("No rule held; the one that lost least: around the strategy of a Flower app")
    assert any(said.startswith("Points lost without any attack: ") for said in unheld_sentences(record))


def test_a_tie_within_the_seeds_is_said():
    record = made_federation()
    for jitter, said in (((0.02, -0.03, 0.01), " The seeds do not tell it from bulyan."), ((0.0,) * 3, "under ipm.")):
        trials = tuple(
            replace(trial, accuracy=(*trial.accuracy[:-1], trial.accuracy[-1] + jitter[trial.seed]))
            if trial.rule == "bulyan"
            else trial
            for trial in record.trials
        )
        (sentence,) = answer_sentences(replace(record, trials=trials, cells=federated_cells(trials)))
        assert sentence.endswith(said)


def test_triggers_and_rules_that_could_not_run_are_said():
    said = [plain(sentence) for sentence in unheld_sentences(made_federation((5,)))]
    assert said[0] == "Not held: krum lost 38.8 points under alie."
    assert said[2] == (
        "Trigger of model-replacement works on 3.0 % (1.5 to 5.7 %) of 300 rows behind nnm+trimmed-mean, 100.0 % "
        "(98.7 to 100.0 %) of 300 rows behind mean and 1.0 % without the attack."
    )
    assert said[3] == "Not run: bulyan (4 cells): bulyan needs n >= 4f + 3: got n = 20, f = 5."


def test_a_trigger_that_works_behind_another_rule_is_not_passed_over():
    record = made_federation()
    trials = tuple(
        replace(trial, success_hits=48) if (trial.attack, trial.rule) == ("model-replacement", "krum") else trial
        for trial in record.trials
    )
    said = unheld_sentences(replace(record, trials=trials, cells=federated_cells(trials)))
    assert next(plain(one) for one in said if "Trigger" in one).endswith("It works behind krum (48.0 %) too.")


def test_certificates_have_a_place():
    assert certified_sentences(made_federation()) == ()
    counted = (CertifiedClients(0, 1.0, 0.9), CertifiedClients(1, 0.97, 0.88), CertifiedClients(2, 0.87, 0.81))
    record = replace(made_federation(), vote_groups=7, certified=(*counted, CertifiedClients(3, 0.3, 0.2)))
    assert list(map(plain, certified_sentences(record))) == [
        "A vote of 7 groups of clients is right on 90.0 %.",
        "Certified: nothing that 1 malicious client may send changes 97.0 % of its predictions; 88.0 % are right for "
        "sure.",
        "Certified: nothing that 2 malicious clients may send changes 87.0 % of its predictions; 81.0 % are right for "
        "sure.",
    ]


def test_a_vote_that_proves_nothing_says_so():
    record = replace(made_federation(), vote_groups=1, certified=(CertifiedClients(0, 1.0, 0.9),))
    assert "A single malicious client can change each" in certified_sentences(record)[0]


def test_losses_are_rounded_up_and_changes_agree_with_them():
    assert [points(loss) for loss in (0.01201, 0.012, -0.0049, 0.0)] == ["1.3", "1.2", "-0.4", "0.0"]
    assert [change(loss) for loss in (0.01201, 0.012, -0.0049, 0.0)] == ["-1.3", "-1.2", "+0.4", "+0.0"]
