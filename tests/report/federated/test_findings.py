"""Findings of a federated simulation in words."""

from __future__ import annotations

from dataclasses import replace

from federated_records import made_federation

from toadstone.pipeline.federation.cells import federated_cells
from toadstone.records.federated import CertifiedClients
from toadstone.report.federated.findings import answer_sentences, certified_sentences, next_line
from toadstone.report.federated.losses import change, points


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
        "under all 3 attacks, on average over 3 seeds; the mean lost 62.0 points under ipm."
    )
    advice, code = next_line(made_federation())
    assert code == 'strategy = toadstone.federated.robust(FedAvg(...), rule="nnm+trimmed-mean", malicious=4)'
    assert "with as many malicious clients as you have to expect" in advice


def test_each_number_of_clients_has_a_sentence_and_the_largest_that_held_is_recommended():
    record = made_federation((2, 4, 8))
    assert [sentence[:7] for sentence in answer_sentences(record)] == ["With 2 ", "With 4 ", "With 8 "]
    assert "no rule held: the best, nnm+trimmed-mean, lost 4.0 points of the mean’s" in answer_sentences(record)[2]
    advice, code = next_line(record)
    assert code.endswith("malicious=4)")
    assert advice.startswith("A rule held with at most 4 of 20 clients malicious; for that number, put the rule around")
    turned = replace(record, malicious=(8, 4, 2))
    assert next_line(turned) == (advice, code)


def test_a_rule_that_some_attack_was_not_run_against_is_not_called_best():
    record = made_federation((5,))
    assert record.worst_cell("bulyan", 5) is None
    part = replace(record, cells=tuple(cell for cell in record.cells if cell.rule == "bulyan"))
    assert "no rule was run under all 3 attacks in every seed" in answer_sentences(part)[0]
    assert next_line(part) == ("No rule was run under every attack, so none is recommended.", "")


def test_where_the_mean_is_best_nothing_is_recommended():
    record = losing({(attack, "mean"): 0.01 for attack in ("ipm", "alie", "model-replacement")})
    assert "malicious, the mean kept the accuracy within 1.0 points" in answer_sentences(record)[0]
    said = "No rule lost less than the mean here; accuracy alone is no reason to change, a trigger told below is one."
    assert next_line(record) == (said, "")
    worse = losing({})
    assert "no rule held, and none lost less than the mean itself: 50.0 points" in answer_sentences(worse)[0]
    advice, code = next_line(worse)
    assert (code, "no reason to change" in advice) == ("", False)
    assert "the mean did not hold" in advice


def test_where_the_mean_loses_nothing_that_is_said():
    lost = {(attack, "mean"): 0.0 for attack in ("ipm", "alie", "model-replacement")}
    record = losing(lost | {(attack, "krum"): -0.01 for attack in ("none", "ipm", "alie", "model-replacement")})
    (sentence,) = answer_sentences(record)
    assert plain(sentence) == (
        "With 4 of 20 clients malicious, krum lost nothing of the accuracy without an attack (90.0 %) under all 3 "
        "attacks, on average over 3 seeds; the mean lost nothing."
    )


def test_rules_that_cost_even_without_an_attack_are_named():
    lost = {(attack, "krum"): 0.04 for attack in ("ipm", "alie", "model-replacement")} | {("none", "krum"): 0.1}
    record = losing(lost | {("none", "nnm+trimmed-mean"): 0.5})
    (sentence,) = answer_sentences(record)
    assert "no rule held: the best, krum, lost 10.0 points of the mean’s 90.0 % even without an attack" in plain(
        sentence
    )
    assert next_line(record)[0].startswith("No rule held. The line is for the one that lost least; put it around")


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


def test_certificates_have_a_place():
    assert certified_sentences(made_federation()) == ()
    counted = (CertifiedClients(0, 1.0, 0.9), CertifiedClients(1, 0.97, 0.88), CertifiedClients(2, 0.87, 0.81))
    record = replace(made_federation(), vote_groups=7, certified=(*counted, CertifiedClients(3, 0.3, 0.2)))
    assert list(map(plain, certified_sentences(record))) == [
        "A vote of 7 groups of clients is right on 90.0 % of the test rows.",
        "Certified: nothing that 1 malicious client may send changes 97.0 % of its predictions; 88.0 % are right for "
        "sure.",
        "Certified: nothing that 2 malicious clients may send changes 87.0 % of its predictions; 81.0 % are right for "
        "sure.",
    ]


def test_a_vote_that_proves_nothing_says_so():
    record = replace(made_federation(), vote_groups=1, certified=(CertifiedClients(0, 1.0, 0.9),))
    assert certified_sentences(record)[0].startswith("A vote of one group of clients is right on ")
    assert "A single malicious client can change each" in certified_sentences(record)[0]


def test_losses_are_rounded_up_and_changes_agree_with_them():
    assert [points(loss) for loss in (0.01201, 0.012, -0.0049, 0.0)] == ["1.3", "1.2", "-0.4", "0.0"]
    assert [change(loss) for loss in (0.01201, 0.012, -0.0049, 0.0)] == ["-1.3", "-1.2", "+0.4", "+0.0"]


def test_a_vote_for_one_class_says_that_it_is_of_no_use():
    certified = (CertifiedClients(0, 1.0, 0.9), CertifiedClients(1, 1.0, 0.9))
    record = replace(made_federation(), vote_groups=7, certified=certified, majority=0.9)
    assert plain(certified_sentences(record)[0]).startswith(
        "A vote of 7 groups of clients is right on 90.0 % of the test rows, no more than the share of the largest "
        "class (90.0 %): "
    )
    assert "largest class" not in certified_sentences(replace(record, majority=0.89))[0]


def test_a_model_that_has_learned_nothing_is_the_first_thing_said_and_no_rule_is_recommended():
    record = replace(made_federation((2, 4)), majority=0.9)
    assert [plain(sentence) for sentence in answer_sentences(record)] == [
        "The model has learned nothing yet: 89.8 % without an attack, 90.0 % of the test rows are of one class. Train "
        "for more rounds, or with another --rate."
    ]
    assert next_line(record)[1] == ""
    assert "learned hardly anything yet" in answer_sentences(replace(record, majority=0.895))[0]
    assert next_line(replace(record, majority=0.8))[1]


def test_where_no_rule_but_the_mean_was_run_nothing_speaks_for_the_mean():
    record = made_federation((5,))
    skipped = tuple(
        trial if trial.rule == "mean" else replace(trial, accuracy=(), skipped="too few") for trial in record.trials
    )
    untried = replace(record, trials=skipped, cells=federated_cells(skipped))
    assert answer_sentences(untried) == (
        "With 5 of 20 clients malicious, no rule but the mean was run under all 3 attacks in every seed; the mean lost "
        "77.5 points under ipm, on average over 3 seeds.",
    )
    few = replace(untried, rules=(untried.rules[0], untried.rules[3]))
    assert next_line(few) == (
        "No rule but the mean could be tried, so none is recommended. The rules need: bulyan (n >= 4f + 3). With 20 "
        "clients, bulyan can be tried with --malicious 4; or try median, which needs n >= 2f + 1.",
        "",
    )
    assert "none of them does" in next_line(replace(few, clients=5))[0]
    alone = replace(untried, rules=untried.rules[:1])
    assert next_line(alone)[0].startswith("No rule but the mean was asked for, so none is recommended.")


def test_the_interval_of_the_worst_loss_and_the_number_of_seeds_are_said():
    record = made_federation()
    trials = tuple(
        replace(trial, accuracy=(*trial.accuracy[:-1], trial.accuracy[-1] + 0.002 * (-1) ** trial.seed))
        if trial.rule == "nnm+trimmed-mean"
        else trial
        for trial in record.trials
    )
    (sentence,) = answer_sentences(replace(record, trials=trials, cells=federated_cells(trials)))
    assert "on average over 3 seeds (95 % interval of the worst loss, under alie: 1.3 to 2.6 points)" in sentence
    assert "attacks, in one seed; the mean" in answer_sentences(made_federation(seeds=(0,)))[0]


def test_rules_that_tie_exactly_are_all_named():
    for seeds in ((0,), (0, 1, 2)):
        record = made_federation(seeds=seeds)
        same = {(trial.attack, trial.seed): trial for trial in record.trials if trial.rule == "nnm+trimmed-mean"}
        trials = tuple(
            replace(same[trial.attack, trial.seed], rule="bulyan") if trial.rule == "bulyan" else trial
            for trial in record.trials
        )
        (sentence,) = answer_sentences(replace(record, trials=trials, cells=federated_cells(trials)))
        assert "malicious, nnm+trimmed-mean and bulyan kept the accuracy" in sentence


def test_that_no_rule_held_with_any_number_is_said():
    advice, code = next_line(made_federation((8, 9)))
    assert advice.startswith(
        "No rule held with any of these numbers. The line is for the one that lost least with 8 of"
    )
    assert code.endswith("malicious=8)")
