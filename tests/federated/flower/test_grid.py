import logging

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp.strategy import FedAvg

from toadstone.federated import InProcessGrid


def counting(partition):
    """A client that counts its rounds in its own state, and tries to change what it was sent."""
    app = ClientApp()

    @app.train()
    def train(message, context):
        if partition == 2:
            raise RuntimeError("out of memory")
        rounds = context.state.get("rounds", MetricRecord({"count": 0}))
        context.state["rounds"] = MetricRecord({"count": rounds["count"] + 1})
        message.content["config"]["server-round"] = -1
        message.content["arrays"].clear()
        metrics = {
            "num-examples": 1,
            "count": context.state["rounds"]["count"],
            "of": context.node_config["partition-id"],
        }
        arrays = ArrayRecord({"w": Array(np.full(2, float(partition)))})
        return Message(RecordDict({"arrays": arrays, "metrics": MetricRecord(metrics)}), reply_to=message)

    return app


def messages(grid):
    strategy = FedAvg(min_train_nodes=3, min_available_nodes=3)
    sent = list(strategy.configure_train(1, ArrayRecord({"w": Array(np.zeros(2))}), ConfigRecord(), grid))
    return sent


def test_clients_answer_with_their_own_state_and_cannot_change_what_others_get():
    grid = InProcessGrid(counting, nodes=3, run_config={"rate": 0.1})
    assert grid.get_node_ids() == [1, 2, 3]
    for expected in (1, 2):
        sent = messages(grid)
        replies = {reply.metadata.src_node_id: reply for reply in grid.send_and_receive(sent)}
        assert replies[3].has_error()
        assert replies[3].error.reason == "RuntimeError: out of memory"
        assert replies[1].content["metrics"]["count"] == expected
        assert replies[2].content["metrics"]["of"] == 1
        assert [message.content["config"]["server-round"] for message in sent] == [1, 1, 1]
        assert len(sent[0].content["arrays"]) == 1


def test_replies_are_pulled_once_by_the_messages_identifiers():
    grid = InProcessGrid(counting, nodes=2)
    strategy = FedAvg()
    sent = strategy.configure_train(1, ArrayRecord({"w": Array(np.zeros(2))}), ConfigRecord(), grid)
    identifiers = grid.push_messages(sent)
    assert len(set(identifiers)) == 2
    replies = grid.pull_messages(identifiers)
    assert [reply.metadata.reply_to_message_id for reply in replies] == identifiers
    assert grid.pull_messages(identifiers) == []


def test_it_is_no_deployment(caplog):
    logging.getLogger("flwr").propagate = True
    grid = InProcessGrid(ClientApp(), nodes=1)
    grid.set_run(None)
    with pytest.raises(NotImplementedError, match="no run is deployed"):
        _ = grid.run
    message = grid.create_message(RecordDict({}), "train", 1, "1")
    (reply,) = grid.send_and_receive([message])
    assert reply.has_error()
    with pytest.raises(ValueError, match="nodes"):
        InProcessGrid(ClientApp(), nodes=0)
