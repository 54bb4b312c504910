"""Agreement with Flower's own strategies where they are right, on the same replies."""

import flwr.serverapp.strategy as flower
import numpy as np
import pytest
from flwr.serverapp.exception import InconsistentMessageReplies

from toadstone.federated import MultiKrum

NODES = 9
MODEL = {"w": np.zeros((2, 3)), "b": np.array(0.0)}


def own(name, **options):
    found = getattr(flower, name, None)
    if found is None:
        pytest.skip(f"this version of Flower has no {name}")
    return found(**options)


@pytest.fixture
def sent():
    rng = np.random.default_rng(5)
    return {node: {"w": rng.standard_normal((2, 3)), "b": rng.standard_normal()} for node in range(1, NODES + 1)}


@pytest.fixture
def theirs(federation, make_reply):
    """What a strategy of Flower makes of the same replies."""

    def aggregate(strategy, sent, metrics):
        asked = federation(MODEL, nodes=NODES).ask(1)
        replies = [
            make_reply(asked[node], {key: np.asarray(value) for key, value in arrays.items()}, metrics[node])
            for node, arrays in sent.items()
        ]
        return strategy.aggregate_train(1, replies)

    return aggregate


EQUAL = {node: {"num-examples": 10, "loss": 0.1 * node} for node in range(1, NODES + 1)}


@pytest.mark.parametrize(
    ("name", "options", "rule"),
    [
        ("FedMedian", {}, "median"),
        ("FedTrimmedAvg", {"beta": 2 / NODES + 1e-9}, "trimmed-mean"),
        ("Krum", {"num_malicious_nodes": 2}, "krum"),
        ("MultiKrum", {"num_malicious_nodes": 2, "num_nodes_to_select": 4}, MultiKrum(keep=4)),
    ],
)
def test_rules_agree_where_flowers_are_right(federation, theirs, sent, name, options, rule):
    expected, _ = theirs(own(name, **options), sent, EQUAL)
    table = federation(MODEL, nodes=NODES, rule=rule, malicious=2)
    table.round(sent, metrics=EQUAL)
    for key in MODEL:
        np.testing.assert_allclose(table.model()[key], expected[key].numpy(), rtol=1e-12, atol=1e-15)
        assert table.model()[key].shape == MODEL[key].shape


def test_the_weighted_mean_agrees_where_declarations_are_believed(federation, theirs, sent):
    declared = {node: {"num-examples": node**2} for node in sent}
    expected, _ = theirs(own("FedAvg"), sent, declared)
    table = federation(MODEL, nodes=NODES, rule="mean", malicious=0, weights="declared")
    table.round(sent, metrics=declared)
    for key in MODEL:
        np.testing.assert_allclose(table.model()[key], expected[key].numpy(), rtol=1e-12, atol=1e-15)


def test_2_three_clients_are_too_few_for_krum_and_one_malicious(federation):
    """Flower's own test asks for a result here; `max(1, n - f - 2)` hides that there is none."""
    table = federation({"w": np.zeros(4)}, nodes=3, rule="krum", malicious=1)
    with pytest.raises(ValueError, match=r"Krum needs n >= 2f \+ 3: got n = 3, f = 1"):
        table.ask(1)


def test_one_malformed_reply_ends_flowers_run_and_is_refused_here(federation, theirs, make_reply, sent):
    without_metrics = {**EQUAL, 3: {"loss": 1.0}}
    with pytest.raises(InconsistentMessageReplies):
        theirs(own("FedAvg"), sent, without_metrics)
    table = federation(MODEL, nodes=NODES)
    said = table.round({**sent, 3: lambda message: make_reply(message, {"other": np.zeros(1)}, {"num-examples": 1})})
    assert (said["aggregated"], said["refused"]) == (1, 1)
