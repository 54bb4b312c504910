"""Laws that every attack of clients keeps."""

from dataclasses import replace

import numpy as np
import pytest

from toadstone.catalogue import names, resolve
from toadstone.federated import BackdoorTrigger, RoundView, aggregate
from toadstone.federated.attacks.view import PoisonsRows

CLIENTS, MALICIOUS, SIZE, CLASSES = 11, 3, 12, 3
TRIGGER = BackdoorTrigger(features=(0, 1), values=(5.0, 5.0), target=2)
ATTACKS = pytest.mark.parametrize("name", names("client-attack"))
SENDS_GARBAGE = {"garbage"}


def build(name, **options):
    kind = resolve("client-attack", name)
    fields = kind.__dataclass_fields__
    return kind(**({"trigger": TRIGGER} if "trigger" in fields else {}), **options)


def median(updates):
    return np.median(updates, axis=0)


def view_of(attack, seed=0, **changes):
    rng = np.random.default_rng(seed)
    honest = 1.0 + rng.normal(size=(CLIENTS - MALICIOUS, SIZE))
    own, poisoned = 1.0 + rng.normal(size=(MALICIOUS, SIZE)), rng.normal(size=(MALICIOUS, SIZE))
    knows = attack.knowledge
    view = RoundView(
        round=3,
        rounds=4,
        clients=CLIENTS,
        malicious=MALICIOUS,
        server=rng.normal(size=SIZE),
        own=own,
        poisoned=poisoned if isinstance(attack, PoisonsRows) else None,
        honest=None if knows == "own" else honest,
        rule=median if knows == "rule" else None,
    )
    return replace(view, **changes)


def sent(attack, seed=0, **changes):
    return attack.send(view_of(attack, seed, **changes), np.random.default_rng(seed))


def bytes_of(messages):
    return [None if message is None else np.asarray(message).tobytes() for message in messages]


@ATTACKS
@pytest.mark.parametrize("seed", range(3))
def test_one_finite_update_a_malicious_client(name, seed):
    made = sent(build(name), seed)
    assert len(made) == MALICIOUS
    if name not in SENDS_GARBAGE:
        assert made.shape == (MALICIOUS, SIZE)
        assert made.dtype == np.float64
        assert np.isfinite(made).all()


@ATTACKS
def test_one_malicious_client_is_enough(name):
    attack = build(name)
    whole = view_of(attack)
    alone = replace(
        whole, malicious=1, clients=9, own=whole.own[:1], poisoned=None if whole.poisoned is None else whole.own[:1]
    )
    assert len(attack.send(alone, np.random.default_rng(0))) == 1


@ATTACKS
def test_the_view_is_left_alone_and_not_handed_back(name):
    attack = build(name)
    view = view_of(attack)
    arrays = {part: getattr(view, part) for part in ("server", "own", "poisoned", "honest")}
    before = {part: None if array is None else array.copy() for part, array in arrays.items()}
    made = attack.send(view, np.random.default_rng(0))
    for message in made:
        if message is not None:
            message[:] = 7.0
    for part, array in arrays.items():
        np.testing.assert_array_equal(array, before[part])


@ATTACKS
def test_the_same_seed_gives_the_same_bytes(name):
    one, two = (sent(build(name), 5) for _ in range(2))
    assert bytes_of(one) == bytes_of(two)


@ATTACKS
def test_the_attack_itself_remembers_nothing(name):
    attack = build(name)
    first = sent(attack, 1)
    sent(attack, 2)
    assert bytes_of(first) == bytes_of(sent(attack, 1))
    assert attack == build(name)


@ATTACKS
@pytest.mark.parametrize("knowledge", ["own", "updates", "rule"])
def test_no_more_is_needed_than_what_is_declared(name, knowledge):
    if "knowledge" not in resolve("client-attack", name).__dataclass_fields__:
        knowledge = None
    attack = build(name) if knowledge is None else build(name, knowledge=knowledge)
    assert knowledge in (None, attack.knowledge)
    # The view holds None for all that the declared knowledge does not cover; using it would fail.
    assert len(sent(attack)) == MALICIOUS


@ATTACKS
def test_what_honest_clients_send_matters_only_to_those_who_see_it(name):
    attack = build(name)
    one = view_of(attack)
    other = replace(one, memory={}, **({} if one.honest is None else {"honest": one.honest * 1.5 + 1}))
    answers = [bytes_of(attack.send(view, np.random.default_rng(0))) for view in (one, other)]
    assert (answers[0] == answers[1]) == (attack.knowledge == "own")


@ATTACKS
def test_poisoned_rows_are_rows_and_the_clean_ones_are_left_alone(name):
    attack = build(name)
    if not isinstance(attack, PoisonsRows):
        assert view_of(attack).poisoned is None
        return
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 4)), rng.integers(0, CLASSES, 20)
    before = X.copy(), y.copy()
    made, labels = attack.poison_rows(X, y, 1, CLASSES)
    assert made.shape == X.shape
    assert set(labels.tolist()) <= set(range(CLASSES))
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(y, before[1])


@pytest.mark.parametrize("name", [name for name in names("client-attack") if name.startswith("adaptive-")])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rule", ["mean", "median", "krum", "nnm+trimmed-mean", "geometric-median"])
def test_an_adaptive_attack_is_at_least_as_strong_as_the_plain_one_through_that_rule(name, rule, seed):
    def answer(updates):
        return aggregate(updates, rule, malicious=0 if rule == "mean" else MALICIOUS)

    attack = build(name)
    view = view_of(attack, seed, rule=answer)
    alike = {"scale": 1.0} if name == "adaptive-ipm" else {"direction": attack.direction}
    plain = build(name.removeprefix("adaptive-"), **alike)

    def moved(made):
        return np.linalg.norm(answer(np.concatenate([view.honest, made])) - view.honest.mean(axis=0))

    rng = np.random.default_rng(0)
    assert moved(attack.send(view, rng)) >= moved(plain.send(view, rng))


@pytest.mark.parametrize("name", [name for name in names("client-attack") if name.startswith("adaptive-")])
@pytest.mark.parametrize("evaluations", [2, 3, 7, 20])
def test_an_adaptive_attack_calls_the_rule_as_often_as_it_says(name, evaluations):
    calls = []

    def counting(updates):
        calls.append(updates.shape)
        return median(updates)

    sent(build(name, evaluations=evaluations), rule=counting)
    assert calls == [(CLIENTS, SIZE)] * evaluations
