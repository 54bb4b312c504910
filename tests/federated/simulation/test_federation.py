"""Rounds of a federated training."""

import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from toadstone.core.errors import InvalidArgument, InvalidData, InvalidInput
from toadstone.federated import BackdoorTrigger, FederationSetting, Mimic, run_federation


def mean(updates):
    return updates.mean(axis=0)


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
    sent = []

    def watching(updates):
        sent.append(updates.copy())
        return np.zeros(updates.shape[1])

    plain = []
    federation.run(watching, malicious=0, momentum=0.75, rounds=3)
    federation.run(
        lambda updates: plain.append(updates.copy()) or np.zeros(updates.shape[1]), malicious=0, momentum=0.0
    )
    np.testing.assert_array_equal(sent[0], plain[0])
    np.testing.assert_allclose(sent[2], 0.75 * (0.75 * plain[0] + 0.25 * plain[1]) + 0.25 * plain[2], rtol=1e-12)


def test_honest_clients_draw_the_same_rows_under_every_attack(federation):
    first = []
    for attack in (None, Zeros()):
        federation.run(lambda updates: first.append(updates.copy()) or mean(updates), attack=attack, rounds=1)
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
    attack, told = Zeros("updates"), []
    run = federation.run(lambda updates: told.append(mean(updates)) or told[-1], attack=attack, rounds=4)
    centres = [view.honest.mean(axis=0) for view in attack.seen]
    spreads = [((view.honest - c) ** 2).sum(axis=1).mean() for view, c in zip(attack.seen, centres, strict=True)]
    ratios = [((t - c) ** 2).sum() / s for t, c, s in zip(told, centres, spreads, strict=True)]
    assert run.kappa == pytest.approx(max(ratios))
    assert run.heterogeneity == pytest.approx(np.mean(spreads))


def test_a_round_that_the_rule_refuses_leaves_the_model(federation):
    def refusing(updates):
        raise InvalidInput("no")

    run = federation.run(refusing, malicious=0, rounds=5)
    assert run.unchanged_rounds == 5
    assert not run.weights.any()
    assert np.isnan(run.kappa)


def test_a_model_beyond_float32_is_reported_and_not_trained_any_more(federation):
    run = federation.run(lambda updates: np.full(updates.shape[1], 1e300), malicious=0, rounds=5)
    assert run.unchanged_rounds == 4
    assert run.final < 0.5


def test_success_excludes_the_target_and_rows_already_given_it(federation):
    trigger = BackdoorTrigger(features=(0, 1, 2), values=(9.0, 0.0, 0.0), target=0)
    run = federation.run(mean, malicious=0, trigger=trigger)
    X, y = federation.test
    said = federation.model.predict(run.weights, X)
    assert run.success == (np.sum((y != 0) & (said != 0)),) * 2
    assert 90 <= run.success[1] <= 100


def test_input_that_cannot_be_used(federation):
    with pytest.raises(InvalidArgument, match="`malicious`: expected less than 10, the number of clients, got 10"):
        federation.run(mean, malicious=10)
    with pytest.raises(InvalidArgument, match="`malicious`: expected a whole number from 1, got 0"):
        federation.run(mean, malicious=0, attack=Zeros())
    with pytest.raises(InvalidArgument, match=r"`momentum`: expected a number in \[0, 1\), got 1"):
        FederationSetting(momentum=1)
    X, y = federation.test
    with pytest.raises(InvalidData, match="clients: expected at least one row each, got none for client 1"):
        run_federation(federation.model, [(X, y), (X[:0], y[:0])], (X, y), rule=mean, malicious=0)
    with pytest.raises(InvalidData, match="test: expected at least one row, got none"):
        run_federation(federation.model, [(X, y)], (X[:0], y[:0]), rule=mean, malicious=0)


@pytest.mark.slow
def test_a_thousand_rounds_need_no_more_memory_than_a_hundred(federation):
    def peak(rounds):
        tracemalloc.start()
        federation.run(mean, attack=Mimic(), rounds=rounds, evaluate_every=100)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(10)
    assert peak(1000) < 1.1 * peak(100)
