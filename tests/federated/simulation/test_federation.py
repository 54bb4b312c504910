"""Rounds of a federated training."""

import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from toadstone.core.errors import InvalidArgument, InvalidData, InvalidInput
from toadstone.federated import (
    BackdoorTrigger,
    FederationRun,
    FederationSetting,
    Garbage,
    Mimic,
    Rule,
    SignFlip,
    SoftmaxModel,
    run_federation,
)
from toadstone.federated.aggregation.rule import Weighed
from toadstone.federated.simulation.federation import backdoor_hits


def mean(updates):
    return updates.mean(axis=0)


def zeros(updates):
    return np.zeros(updates.shape[1])


def keeping(kept, function):
    """A rule that keeps what clients send; the first call only tries it on honest messages."""
    calls = []

    def rule(updates):
        calls.append(1)
        if len(calls) > 1:
            kept.append(updates.copy())
        return function(updates)

    return rule


@dataclass(frozen=True)
class Zeros:
    """Sends nothing but zeros, and keeps the views."""

    knowledge: str = "own"
    seen: tuple = ()

    def send(self, view, rng):
        view.memory.setdefault("views", []).append(view)
        object.__setattr__(self, "seen", view.memory["views"])
        return np.zeros_like(view.own)


def test_without_an_attack_the_mean_learns(federation):
    run = federation.run(mean, malicious=0)
    assert run.rounds_at == (0, 4, 8, 12)
    assert run.accuracy[0] < 0.5 < 0.95 < run.final
    assert run.worst == min(run.accuracy[2:])
    assert run.area == pytest.approx((np.dot(run.accuracy, [1, 2, 2, 1])) / 6)
    assert run.kappa == pytest.approx(0, abs=1e-25)
    assert run.heterogeneity > 0
    assert run.malicious_clients == ()
    assert (run.refused, run.malicious_filtered, run.unchanged_rounds) == (0.0, None, 0)


def test_the_first_message_is_the_update_and_later_ones_are_momenta(federation):
    sent, plain = [], []
    for kept, momentum in ((sent, 0.75), (plain, 0.0)):
        federation.run(keeping(kept, zeros), malicious=0, momentum=momentum, rounds=3)
    np.testing.assert_array_equal(sent[0], plain[0])
    X, y = federation.clients[3]
    alone = federation.model.update(federation.model.initial(None), X, y, np.random.default_rng([0, 2, 3]))
    np.testing.assert_array_equal(sent[0][3], alone)
    np.testing.assert_allclose(sent[2], 0.75 * (0.75 * plain[0] + 0.25 * plain[1]) + 0.25 * plain[2], rtol=1e-12)


def test_honest_clients_draw_the_same_rows_under_every_attack(federation):
    first = []
    for attack in (None, Zeros()):
        federation.run(keeping(first, mean), attack=attack, rounds=1)
    bad = ~first[1].any(axis=1)
    assert bad.sum() == 2
    np.testing.assert_array_equal(first[0][~bad], first[1][~bad])


def test_bytes_depend_on_the_seed_and_not_on_threads(federation):
    found = []
    for threads, seed in ((1, 3), (2, 3), (1, 4)):
        with threadpool_limits(threads):
            found.append(federation.run(mean, attack=Zeros(), seed=seed).weights.tobytes())
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("knowledge", ["own", "updates", "rule"])
def test_an_attack_sees_what_it_declares(federation, knowledge):
    attack = Zeros(knowledge)
    run = federation.run(mean, attack=attack, rounds=3)
    assert [(view.round, view.rounds, view.clients, view.malicious) for view in attack.seen] == [
        (number, 3, 10, 2) for number in (1, 2, 3)
    ]
    for view in attack.seen:
        assert view.own.shape == (2, federation.model.size)
        assert view.poisoned is None
        assert (view.honest is None) == (knowledge == "own")
        assert (view.rule is None) == (knowledge != "rule")
    assert len(run.malicious_clients) == 2


def test_kappa_and_heterogeneity_are_measured_against_the_honest_mean(federation):
    attack, sent = Zeros("updates"), []
    run = federation.run(keeping(sent, mean), attack=attack, rounds=4)
    centres = [view.honest.mean(axis=0) for view in attack.seen]
    spreads = [((view.honest - c) ** 2).sum(axis=1).mean() for view, c in zip(attack.seen, centres, strict=True)]
    ratios = [((mean(x) - c) ** 2).sum() / s for x, c, s in zip(sent, centres, spreads, strict=True)]
    assert run.kappa == pytest.approx(max(ratios))
    assert run.heterogeneity == pytest.approx(np.mean(spreads))


def test_a_round_that_the_rule_refuses_leaves_the_model(federation):
    calls = []

    def refusing(updates):
        calls.append(1)
        if len(calls) > 1:
            raise InvalidInput("no")
        return mean(updates)

    run = federation.run(refusing, attack=Garbage(kinds=("nan",)), rounds=5)
    assert (run.unchanged_rounds, run.refused) == (5, 0.2)
    assert not run.weights.any()
    assert np.isnan(run.kappa)


def test_a_rule_for_more_clients_is_refused_at_once(federation):
    with pytest.raises(InvalidInput, match=r"^Krum needs n >= 2f \+ 3: got n = 10, f = 4$"):
        federation.run("krum", malicious=4)


def test_the_mean_guards_against_nobody_and_is_attacked_all_the_same(federation):
    assert federation.run("mean", attack=SignFlip()).final < 0.5 < federation.run("mean", malicious=2).final


@pytest.mark.parametrize("rule", ["trimmed-mean", "nnm+trimmed-mean", "krum", "geometric-median", "centred-clipping"])
def test_robust_rules_hold(federation, rule):
    assert federation.run(rule, attack=SignFlip()).final > 0.9


def test_garbage_is_refused_and_counted(federation):
    run = federation.run("median", malicious=4, attack=Garbage(kinds=("nan", "short", "empty", "late")))
    assert run.refused == pytest.approx(0.4)
    assert run.final > 0.95
    assert run.unchanged_rounds == 0


def test_the_condition_is_checked_again_without_the_refused(federation):
    krum = federation.run("krum", malicious=3, attack=Garbage(kinds=("nan",)))
    assert krum.unchanged_rounds == 0
    assert krum.refused == pytest.approx(0.3)


def test_shares_without_weight_are_told_where_the_rule_filters(federation):
    krum = federation.run("krum", attack=SignFlip())
    assert krum.malicious_filtered == 1.0
    assert krum.honest_filtered == pytest.approx(7 / 8)
    assert federation.run("trimmed-mean", attack=SignFlip()).malicious_filtered is None
    assert federation.run("krum").malicious_filtered is None


def test_the_servers_own_rows_weigh_clients(federation):
    X, y = federation.test
    with pytest.raises(InvalidArgument, match="`root`: expected rows that the server trusts, for the rule fltrust"):
        federation.run("fltrust")
    for rule in ("fltrust", "arc+fltrust"):
        run = federation.run(rule, malicious=4, attack=SignFlip(), root=(X[:60], y[:60]))
        assert run.final > 0.9
        assert run.malicious_filtered > 0.9


def test_a_round_in_which_nobody_agrees_with_the_server_leaves_the_model(federation):
    X, y = federation.test
    run = federation.run("fltrust", malicious=0, root=(X, (y + 1) % 3), rounds=1)
    assert run.unchanged_rounds == 1


def test_a_rule_carries_its_state_from_round_to_round(federation):
    seen = []

    class Counting(Rule):
        name = "counting"

        def __init__(self, number):
            self.number = number

        def weigh(self, rows, malicious, behind=""):
            seen.append(self.number)
            return Weighed(vector=np.zeros(rows.rows.shape[1]))

        def following(self, vector):
            return Counting(self.number + 1)

    federation.run(Counting(0), malicious=0, rounds=3)
    assert seen == [0, 0, 1, 2]


def test_a_model_beyond_float32_is_reported_and_not_trained_any_more(federation):
    run = federation.run(lambda updates: np.full(updates.shape[1], 1e300), malicious=0, rounds=5)
    assert run.unchanged_rounds == 4
    assert run.final < 0.5


def test_success_excludes_the_target_and_rows_already_given_it():
    # Class 1 for a positive first feature; the trigger is a large second one, which calls up class 0.
    model, weights = SoftmaxModel(features=2, classes=2), np.array([0.0, 1.0, 5.0, 0.0, 0.0, 0.0])
    X = np.array([[1.0, 0.0], [-1.0, 0.0], [2.0, 0.0], [30.0, 0.0], [-2.0, 0.0], [4.0, 0.0]])
    y = np.array([1, 1, 1, 1, 0, 0])
    trigger = BackdoorTrigger(features=(1,), values=(3.0,), target=0)
    assert backdoor_hits(model, weights, (X, y), trigger) == (2, 3)
    assert backdoor_hits(model, weights, (X[1:2], y[1:2]), trigger) == (0, 0)


def test_success_is_that_of_the_trained_model(federation):
    trigger = BackdoorTrigger(features=(0, 1, 2), values=(9.0, 0.0, 0.0), target=0)
    run = federation.run("mean", malicious=0, trigger=trigger)
    assert run.success == backdoor_hits(federation.model, run.weights, federation.test, trigger)
    assert run.success[0] == run.success[1] >= 90


def test_worst_is_of_the_second_half_and_area_is_a_mean():
    numbers = {"success": None, "refused": 0.0, "malicious_filtered": None, "honest_filtered": None}
    run = FederationRun(
        rounds_at=(0, 2, 6, 8),
        accuracy=(0.1, 0.2, 0.9, 0.8),
        unchanged_rounds=0,
        heterogeneity=1.0,
        kappa=0.0,
        malicious_clients=(),
        weights=np.zeros(1),
        **numbers,
    )
    assert (run.final, run.worst) == (0.8, 0.8)
    assert run.area == pytest.approx((0.15 * 2 + 0.55 * 4 + 0.85 * 2) / 8)


def test_input_that_cannot_be_used(federation):
    with pytest.raises(InvalidArgument, match="`malicious`: expected less than 10, the number of clients, got 10"):
        federation.run(mean, malicious=10)
    with pytest.raises(InvalidArgument, match="`malicious`: expected a whole number from 1, got 0"):
        federation.run(mean, malicious=0, attack=Zeros())
    with pytest.raises(InvalidArgument, match=r"`momentum`: expected a number in \[0, 1\), got 1"):
        FederationSetting(momentum=1)
    X, y = federation.test
    with pytest.raises(InvalidData, match="clients: expected at least one row each, got none for client 1"):
        run_federation(federation.model, [(X, y), (X[:0], y[:0])], (X, y), rule="mean", malicious=0)
    with pytest.raises(InvalidData, match="clients: expected a class for each of 150 rows of client 0, got 149"):
        run_federation(federation.model, [(X, y[1:])], (X, y), rule="mean", malicious=0)
    for wrong in (3, -1):
        with pytest.raises(InvalidData, match=f"clients: expected classes from 0 to 2, got {wrong} for client 1"):
            run_federation(federation.model, [(X, y), (X[:2], np.array([0, wrong]))], (X, y), rule="mean", malicious=0)
    with pytest.raises(InvalidArgument, match="`target`: expected a class from 0 to 2, got 3"):
        federation.run("mean", malicious=0, trigger=BackdoorTrigger(features=(0,), values=(1.0,), target=3))
    with pytest.raises(InvalidData, match="test: expected at least one row, got none"):
        run_federation(federation.model, [(X, y)], (X[:0], y[:0]), rule="mean", malicious=0)


@pytest.mark.slow
def test_a_thousand_rounds_need_no_more_memory_than_a_hundred(federation):
    def peak(rounds):
        tracemalloc.start()
        federation.run("median", attack=Mimic(), rounds=rounds, evaluate_every=100)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(10)
    assert peak(1000) < 1.1 * peak(100)
