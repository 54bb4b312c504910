import numpy as np
import pytest

from toadstone.federated.flower.updates.adapters import Adapter
from toadstone.federated.flower.updates.model import ServerModel

RANK, OUT, IN = 2, 30, 40


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def server(rng):
    return Adapter("A", "B", rng.standard_normal((RANK, IN)), 0.1 * rng.standard_normal((OUT, RANK)))


@pytest.fixture
def sent(rng, server):
    return [
        (server.down + 0.1 * rng.standard_normal((RANK, IN)), server.up + 0.1 * rng.standard_normal((OUT, RANK)))
        for _ in range(5)
    ]


def products(factors):
    return np.array([(up @ down).ravel() for down, up in factors])


@pytest.mark.parametrize("clients", [5, 100])
def test_cores_have_the_distances_of_the_products(server, sent, clients):
    cores = server.cores(sent, clients=clients)
    exact = products(sent) - (server.up @ server.down).ravel()
    np.testing.assert_allclose(cores.updates @ cores.updates.T, exact @ exact.T, rtol=1e-9, atol=1e-12)
    assert cores.updates.shape == (5, server.width(clients))


def test_cores_of_few_clients_are_smaller_than_products():
    adapter = Adapter("A", "B", np.zeros((8, 4096)), np.zeros((4096, 8)))
    assert adapter.width(10) == (8 * 11) ** 2
    assert adapter.width(10**6) == 4096**2


@pytest.mark.parametrize("factor", [2.0**40, 2.0**-40, -1.0])
def test_a_client_that_scales_its_factors_changes_nothing(server, sent, factor):
    scaled = [*sent[:-1], (sent[-1][0] * factor, sent[-1][1] / factor)]
    one, other = (server.cores(them, clients=5) for them in (sent, scaled))
    middles = [np.median(cores.updates, axis=0) for cores in (one, other)]
    (down, up), _ = one.moved(middles[0])
    (other_down, other_up), _ = other.moved(middles[1])
    np.testing.assert_allclose(up @ down, other_up @ other_down, rtol=1e-9, atol=1e-12)


def test_factors_of_1e30_do_not_drown_the_others(server, sent):
    loud = [*sent[:-1], (sent[-1][0] * 1e30, sent[-1][1] * 1e30)]
    cores = server.cores(loud, clients=5)
    exact = products(sent[:-1]) - (server.up @ server.down).ravel()
    np.testing.assert_allclose(np.linalg.norm(cores.updates[:-1], axis=1), np.linalg.norm(exact, axis=1), rtol=1e-9)


def test_a_product_of_the_rank_is_moved_exactly_and_near_the_old_factors(server, rng):
    target_down = server.down + 1e-3 * rng.standard_normal(server.down.shape)
    target_up = server.up + 1e-3 * rng.standard_normal(server.up.shape)
    cores = server.cores([(target_down, target_up)], clients=1)
    (down, up), lost = cores.moved(cores.updates[0])
    np.testing.assert_allclose(up @ down, target_up @ target_down, rtol=1e-9, atol=1e-12)
    assert lost < 1e-20
    # Balanced factors, turned towards the server's: a second step stays where it is.
    again = Adapter("A", "B", down, up).cores([(down + 1e-6, up)], clients=1)
    (down_again, up_again), _ = again.moved(again.updates[0])
    assert np.abs(down_again - down).max() < 1e-4
    assert np.abs(up_again - up).max() < 1e-4


def test_what_the_rank_cannot_hold_is_said(server, sent):
    cores = server.cores(sent, clients=5)
    _, lost = cores.moved(cores.updates.mean(axis=0))
    assert 0 < lost < 1


def test_an_update_of_zero_keeps_the_factors_to_the_bit(server, sent):
    cores = server.cores(sent, clients=5)
    (down, up), lost = cores.moved(np.zeros(cores.updates.shape[1]))
    assert down is server.down
    assert up is server.up
    assert lost == 0


def lora(rng):
    return {
        "A": rng.standard_normal((RANK, IN)).astype(np.float32),
        "B": np.zeros((OUT, RANK), np.float32),
        "head": np.zeros(4, np.float32),
    }


@pytest.mark.parametrize("rule", ["trimmed-mean", "nnm+krum"])
def test_in_a_federation_the_product_is_robust_and_scaling_is_no_escape(federation, rng, rule):
    model = lora(rng)
    step = {
        "A": 0.01 * rng.standard_normal((RANK, IN)),
        "B": 0.1 * rng.standard_normal((OUT, RANK)),
        "head": np.ones(4),
    }
    updates = {node: {key: value * (1 + 0.001 * node) for key, value in step.items()} for node in range(1, 8)}
    honest = federation(model, rule=rule, malicious=2, adapters=[("A", "B")])
    honest.round(updates)
    expected = (model["B"] + step["B"]) @ (model["A"] + step["A"])
    product = honest.model()["B"] @ honest.model()["A"]
    assert np.linalg.norm(product - expected) < 0.02 * np.linalg.norm(expected)

    # The same product as client 7 sent, by factors a thousand times larger and smaller.
    hidden = federation(model, rule=rule, malicious=2, adapters=[("A", "B")])
    down, up = model["A"] + updates[7]["A"], model["B"] + updates[7]["B"]
    scaled = {"A": down * 1024 - model["A"], "B": up / 1024 - model["B"], "head": updates[7]["head"]}
    hidden.round({**updates, 7: scaled})
    np.testing.assert_allclose(hidden.model()["B"] @ hidden.model()["A"], product, rtol=1e-3, atol=1e-4)

    attacked = federation(model, rule=rule, malicious=2, adapters=[("A", "B")])
    evil = {key: value * -1e4 for key, value in step.items()}
    attacked.round({**updates, 6: evil, 7: evil})
    product = attacked.model()["B"] @ attacked.model()["A"]
    assert np.linalg.norm(product - expected) < 0.02 * np.linalg.norm(expected)
    assert np.allclose(attacked.model()["head"], 1, atol=0.02)


def test_adapters_that_are_none_are_refused(rng, make_record):
    record = make_record(lora(rng))
    for adapters, reason in (
        ([("A", "C")], r"`adapters`: expected keys of the model, such as 'A', got 'C'"),
        ([("B", "A")], r"whose product B @ A exists, for 'B', 'A', got shapes \(30, 2\) and \(2, 40\)"),
        ([("A", "head")], r"whose product B @ A exists"),
        ([("A", "B"), ("A", "B")], r"each array in one pair"),
    ):
        with pytest.raises(ValueError, match=reason):
            ServerModel.sent(record, clients=3, adapters=adapters)


def several(*prefixes):
    made = {}
    for prefix in prefixes:
        made |= {f"{prefix}lora_A": np.ones((1, 3), np.float32), f"{prefix}lora_B": np.ones((2, 1), np.float32)}
    return made


def test_ends_of_keys_stand_for_all_pairs_with_equal_beginnings(make_record):
    model = ServerModel.sent(make_record(several("m.", "l.")), clients=3, adapters=[("lora_A", "lora_B")])
    assert [(pair.a, pair.b) for pair in model.adapters] == [("m.lora_A", "m.lora_B"), ("l.lora_A", "l.lora_B")]


def test_keys_of_the_model_stand_for_themselves(make_record):
    model = ServerModel.sent(make_record(several("", "l.")), clients=3, adapters=[("lora_A", "lora_B")])
    assert [(pair.a, pair.b) for pair in model.adapters] == [("lora_A", "lora_B")]


def test_ends_of_keys_without_a_partner_are_refused(make_record):
    arrays = several("l.", "m.")
    del arrays["m.lora_B"]
    with pytest.raises(ValueError, match=r"`adapters`: expected a partner for each key, got 'm.lora_A' alone"):
        ServerModel.sent(make_record(arrays), clients=3, adapters=[("lora_A", "lora_B")])
