"""Clients, servers and rounds of Flower within one process; the tests are left out where Flower is not installed."""

from __future__ import annotations

import importlib.util
import os
import warnings
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
FOUND = importlib.util.find_spec("flwr") is not None
if os.environ.get("TOADSTONE_FEDERATED") and not FOUND:
    raise ModuleNotFoundError(
        "TOADSTONE_FEDERATED asks for the tests of toadstone.federated.flower, but flwr is missing"
    )
os.environ["FLWR_TELEMETRY_ENABLED"] = "0"
if FOUND:
    with warnings.catch_warnings():
        # Flower pins a typer that asks click for what its next version drops.
        warnings.simplefilter("ignore")
        import flwr.clientapp
        import flwr.serverapp.strategy  # noqa: F401
collect_ignore_glob = [] if FOUND else ["*"]


def pytest_collection_modifyitems(items):
    """Everything below this folder needs Flower."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.federated)


class Federation:
    """A server's model, and nodes that answer what they are told."""

    def __init__(self, strategy, model, *, nodes=7):
        from flwr.app import ConfigRecord

        from toadstone.federated import InProcessGrid

        self.strategy = strategy
        self.config = ConfigRecord
        self.sent = {}
        self.grid = InProcessGrid(self._app(), nodes=nodes)
        self.arrays = record(model)

    def _app(self):
        from flwr.clientapp import ClientApp

        app = ClientApp()

        @app.train()
        def train(message, context):
            return message

        @app.evaluate()
        def evaluate(message, context):
            return message

        return app

    def ask(self, server_round, *, stage="train"):
        """Have the strategy select clients; return its messages by node."""
        configure = getattr(self.strategy, f"configure_{stage}")
        messages = list(configure(server_round, self.arrays, self.config(), self.grid))
        # The tests answer by themselves; pushing gives messages their identifiers.
        self.grid.pull_messages(self.grid.push_messages(messages))
        return {message.metadata.dst_node_id: message for message in messages}

    def round(self, updates, *, server_round=1, metrics=None, others=None):
        """Play a round: by node, what a client adds to each array of the model, or its whole reply."""
        asked = self.ask(server_round)
        replies = []
        for node, update in updates.items():
            if isinstance(update, dict):
                arrays = {key: array.numpy() + np.asarray(update[key]) for key, array in self.arrays.items()}
                arrays = {key: value.astype(self.arrays[key].dtype) for key, value in arrays.items()}
                said = {"num-examples": 10, **(metrics or {}).get(node, {})}
                replies.append(reply(asked[node], arrays, said))
            else:
                replies.append(update(asked[node]))
        replies += [make(asked) for make in others or []]
        arrays, said = self.strategy.aggregate_train(server_round, replies)
        if arrays is not None:
            self.arrays = arrays
        return said

    def evaluate(self, metrics, *, server_round=1):
        asked = self.ask(server_round, stage="evaluate")
        replies = [reply(asked[node], None, {"num-examples": 10, **said}) for node, said in metrics.items()]
        return self.strategy.aggregate_evaluate(server_round, replies)

    def model(self):
        return {key: array.numpy() for key, array in self.arrays.items()}


def record(arrays):
    from flwr.app import Array, ArrayRecord

    return ArrayRecord({key: Array(np.asarray(array)) for key, array in arrays.items()})


def reply(message, arrays, metrics):
    from flwr.app import Message, MetricRecord, RecordDict

    content = RecordDict({"metrics": MetricRecord(metrics)})
    if arrays is not None:
        content["arrays"] = arrays if not isinstance(arrays, dict) else record(arrays)
    return Message(content, reply_to=message)


@pytest.fixture(scope="session")
def make_record():
    return record


@pytest.fixture(scope="session")
def make_reply():
    return reply


@pytest.fixture
def federation():
    """Puts a model and its nodes around a strategy; FedAvg made robust by default."""

    def build(model, *, nodes=7, strategy=None, rule="trimmed-mean", malicious=2, **options):
        from flwr.serverapp.strategy import FedAvg

        from toadstone.federated import robust

        inner = strategy or FedAvg(min_train_nodes=nodes, min_evaluate_nodes=nodes, min_available_nodes=nodes)
        return Federation(robust(inner, rule=rule, malicious=malicious, **options), model, nodes=nodes)

    return build


@pytest.fixture
def one_array():
    """Updates of seven clients to an array of three numbers: honest ones near 1."""
    return {node: {"w": np.full(3, 1 + 0.01 * node)} for node in range(1, 8)}
