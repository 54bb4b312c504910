"""The traps of Flower's interface that lie in its strategies, one test each (docs/federated.md)."""

import json
import logging

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, Error, Message, MetricRecord, RecordDict
from flwr.serverapp.strategy import FedAvg

from toadstone.federated import CappedWeights, read_log, robust

MODEL = {"w": np.zeros(3, np.float32)}


def bad(values):
    return {"w": np.asarray(values, dtype=float) * np.ones(3)}


def test_1_a_client_that_declares_a_billion_examples_moves_the_model_less_than_the_rules_bound(federation, one_array):
    table = federation(MODEL, malicious=1)
    table.round({**one_array, 7: bad(1e6)}, metrics={7: {"num-examples": 10**12}})
    # The trimmed mean stays between the honest clients.
    assert ((table.model()["w"] > 1.01) & (table.model()["w"] < 1.06)).all()


def test_1_flowers_own_average_is_whatever_that_client_sends(make_record, make_reply, federation, one_array):
    table = federation(MODEL)
    asked = table.ask(1)
    replies = [
        make_reply(asked[n], {"w": u["w"].astype(np.float32)}, {"num-examples": 10}) for n, u in one_array.items()
    ]
    replies[6] = make_reply(asked[7], {"w": np.full(3, 1e6, np.float32)}, {"num-examples": 10**12})
    arrays, _ = FedAvg().aggregate_train(1, replies)
    assert (arrays["w"].numpy() > 9e5).all()


@pytest.mark.parametrize(("declared", "admitted"), [(0, 7), (-5, 6), (float("nan"), 6), (float("inf"), 6), ([10], 6)])
def test_1_impossible_numbers_of_examples_are_refused_and_none_divides(federation, one_array, declared, admitted):
    table = federation(MODEL)
    said = table.round(one_array, metrics={3: {"num-examples": declared}})
    assert (said["aggregated"], said["clients"], said["refused"]) == (1, admitted, 7 - admitted)


@pytest.mark.parametrize("weights", ["equal", "capped", "declared"])
def test_1_nobody_with_examples_weighs_all_alike(federation, one_array, weights):
    table = federation(MODEL, rule="multi-krum", weights=weights)
    said = table.round(one_array, metrics={node: {"num-examples": 0} for node in one_array})
    assert said["aggregated"] == 1
    assert np.isfinite(table.model()["w"]).all()


def test_4_one_nan_changes_nothing_but_the_count(federation, one_array):
    table = federation(MODEL)
    said = table.round({**one_array, 7: bad(np.nan)})
    assert (said["aggregated"], said["refused"]) == (1, 1)
    expected = np.sort([1 + 0.01 * node for node in range(1, 7)])[1:-1].mean()
    np.testing.assert_allclose(table.model()["w"], expected, rtol=1e-6)


def test_4_three_nan_and_three_1e30_of_fifteen_change_nothing_beyond_six(federation):
    updates = {node: {"w": np.full(3, 1 + 0.01 * node)} for node in range(1, 16)}
    for node in (1, 2, 3):
        updates[node] = bad(np.nan)
    for node in (4, 5, 6):
        updates[node] = bad(1e30)
    table = federation(MODEL, nodes=15, malicious=6)
    said = table.round(updates)
    assert (said["aggregated"], said["refused"]) == (1, 3)
    assert ((table.model()["w"] >= 1.07) & (table.model()["w"] <= 1.15)).all()


def test_4_stragglers_do_not_lower_the_trim(federation, one_array):
    """Flower trims a share of the replies received; here five of seven replies still face two malicious clients."""
    table = federation(MODEL)
    updates = {node: one_array[node] for node in (1, 2, 3)} | {6: bad(1e6), 7: bad(1e6)}
    said = table.round(updates)
    assert (said["aggregated"], said["missing"]) == (1, 2)
    assert (table.model()["w"] < 1.04).all()


def test_5_attackers_cannot_move_a_dashboard(federation, one_array):
    table = federation(MODEL)
    honest = {node: {"accuracy": 0.5 + 0.01 * node, "history": [0.1, 0.2]} for node in range(1, 6)}
    lies = {node: {"accuracy": 1e9, "history": [9.0], "backdoor": 0.0, "num-examples": 10**12} for node in (6, 7)}
    said = table.round(one_array, metrics={**honest, **lies})
    assert 0.51 <= said["accuracy"] <= 0.55
    assert said["accuracy-spread"] < 0.05
    assert said["history"] == [0.1, 0.2]
    assert "backdoor" not in said
    evaluated = table.evaluate({**honest, **lies})
    assert 0.51 <= evaluated["accuracy"] <= 0.55


def test_5_values_that_are_not_finite_are_no_metrics(federation, one_array):
    said = federation(MODEL).round(one_array, metrics={n: {"loss": float("nan") if n > 5 else 0.5} for n in one_array})
    assert said["loss"] == 0.5


def test_a_round_that_aggregates_nothing_says_so(federation, one_array, tmp_path, caplog):
    table = federation(MODEL, rule="krum", malicious=2, log=tmp_path / "log.jsonl")
    before = table.model()["w"].copy()
    with caplog.at_level(logging.WARNING, logger="flwr"):
        logging.getLogger("flwr").propagate = True
        said = table.round({node: one_array[node] for node in (1, 2, 3, 4)})
    assert (said["aggregated"], said["clients"]) == (0, 4)
    assert "Krum needs n >= 2f + 3: got n = 4, f = 2" in caplog.text
    (closing,) = read_log(tmp_path / "log.jsonl").rounds
    assert not closing.aggregated
    assert "Krum needs" in closing.reason
    assert (table.model()["w"] == before).all()


def test_a_federation_whose_rounds_all_fail_ends_with_the_model_that_it_began_with(federation):
    # Its clients answer without metrics.
    table = federation(MODEL, rule="krum", malicious=2)
    result = table.strategy.start(table.grid, table.arrays, num_rounds=2)
    assert (result.arrays["w"].numpy() == 0).all()
    assert result.train_metrics_clientapp[2]["aggregated"] == 0


def late(sender):
    def make(asked):
        return sender

    return make


def test_8_a_late_reply_is_refused(federation, one_array, make_reply, tmp_path):
    table = federation(MODEL, log=tmp_path / "log.jsonl")
    old = table.ask(1)[7]
    stale = make_reply(old, {"w": np.full(3, 1e6, np.float32)}, {"num-examples": 10})
    updates = {node: one_array[node] for node in range(1, 7)}
    said = table.round(updates, server_round=2, others=[late(stale)])
    assert (said["clients"], said["refused"], said["missing"]) == (6, 1, 1)
    refused = [line for line in read_log(tmp_path / "log.jsonl").clients if line.status == "refused"]
    assert refused[0].reason == "it answers no message of round 2"
    assert not refused[0].counted


def test_8_a_second_reply_of_a_node_is_refused(federation, one_array, make_reply):
    table = federation(MODEL)
    again = [lambda asked: make_reply(asked[7], {"w": np.full(3, 1e6, np.float32)}, {"num-examples": 10})] * 5
    said = table.round(one_array, others=again)
    assert (said["clients"], said["refused"]) == (7, 5)
    assert (table.model()["w"] < 1.07).all()


def test_8_a_stranger_is_refused_and_counts_for_nothing(federation, one_array):
    table = federation(MODEL)

    def strange(asked):
        arrays = ArrayRecord({"w": Array(np.full(3, 1e6, np.float32))})
        content = RecordDict({"arrays": arrays, "metrics": MetricRecord({"num-examples": 10})})
        message = Message(content, reply_to=asked[1])
        message.metadata.__dict__["_src_node_id"] = 4711
        return message

    said = table.round({**one_array, 6: bad(1e6), 7: bad(1e6)}, others=[strange])
    assert (said["clients"], said["refused"]) == (7, 1)
    # Were the stranger counted, one of the two malicious clients would be believed.
    assert (table.model()["w"] < 1.07).all()


def test_a_client_that_reports_an_error_is_missing_and_lowers_no_f(federation, one_array, tmp_path):
    table = federation(MODEL, log=tmp_path / "log.jsonl")
    fails = lambda message: Message(Error(code=2, reason="out of memory"), reply_to=message)  # noqa: E731
    table.round({**one_array, 5: fails, 6: bad(1e6), 7: bad(1e6)})
    assert (table.model()["w"] < 1.07).all()
    (closing,) = read_log(tmp_path / "log.jsonl").rounds
    assert (closing.missing, closing.refused, closing.malicious_left) == (1, 0, 2)


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"w": np.zeros(4, np.float32)}, "array 'w' has shape (4,), not (3,)"),
        ({"w": np.zeros((3, 1), np.float32)}, "array 'w' has shape (3, 1), not (3,)"),
        ({"w": np.zeros(3)}, "array 'w' has type float64, not float32"),
        ({"w": np.zeros(3, np.int32)}, "array 'w' has type int32, not float32"),
        ({}, "it lacks 1 arrays, such as 'w'"),
        ({"w": np.zeros(3, np.float32), "v": np.zeros(1)}, "it has 1 arrays that the model has not, such as 'v'"),
        ({"w": np.full(3, np.inf, np.float32)}, "array 'w' is not finite, or too far from the server's"),
    ],
)
def test_what_is_not_the_servers_model_is_refused_with_its_reason(
    federation, one_array, make_reply, tmp_path, arrays, reason
):
    table = federation(MODEL, log=tmp_path / "log.jsonl")
    said = table.round({**one_array, 7: lambda message: make_reply(message, arrays, {"num-examples": 10})})
    assert (said["clients"], said["refused"]) == (6, 1)
    (refused,) = [line for line in read_log(tmp_path / "log.jsonl").clients if line.status == "refused"]
    assert (refused.client, refused.reason, refused.counted) == ("7", reason, True)


@pytest.mark.parametrize("count", [0, 2])
@pytest.mark.parametrize("kind", [ArrayRecord, MetricRecord])
def test_exactly_one_record_of_each_kind(federation, one_array, make_record, count, kind):
    def odd(message):
        parts = {
            ArrayRecord: make_record({"w": np.ones(3, np.float32)}),
            MetricRecord: MetricRecord({"num-examples": 1}),
        }
        content = RecordDict({"arrays": parts[ArrayRecord], "metrics": parts[MetricRecord]})
        for name in [name for name, part in content.items() if isinstance(part, kind)]:
            del content[name]
        for number in range(count):
            content[f"{number}"] = parts[kind]
        return Message(content, reply_to=message)

    said = federation(MODEL).round({**one_array, 7: odd})
    assert (said["clients"], said["refused"]) == (6, 1)


def test_declared_weights_say_that_any_client_can_dominate(federation, one_array, tmp_path):
    table = federation(MODEL, rule="multi-krum", weights="declared", log=tmp_path / "log.jsonl")
    table.round(one_array, metrics={2: {"num-examples": 10**12}})
    np.testing.assert_allclose(table.model()["w"], 1.02, rtol=1e-5)
    (closing,) = read_log(tmp_path / "log.jsonl").rounds
    assert closing.notes == ("weights are as declared: any client can dominate the round",)


def test_capped_weights_stay_within_their_multiple_of_the_median(federation, one_array):
    declared = {node: {"num-examples": 10 if node != 2 else 10**12} for node in one_array}
    table = federation(MODEL, rule="mean", malicious=0, weights=CappedWeights(3.0))
    table.round(one_array, metrics=declared)
    weights = np.array([3.0 if node == 2 else 1.0 for node in one_array])
    expected = weights @ np.array([1 + 0.01 * node for node in one_array]) / weights.sum()
    np.testing.assert_allclose(table.model()["w"], expected, rtol=1e-6)


def test_weights_need_a_rule_that_weighs_clients():
    with pytest.raises(
        ValueError, match=r"`weights`: expected 'equal' with trimmed-mean, .* got 'capped at 2 times the median'"
    ):
        robust(FedAvg(), rule="trimmed-mean", malicious=2, weights="capped")


def test_the_log_has_one_line_a_client_and_one_a_round(federation, one_array, tmp_path):
    table = federation(MODEL, rule="krum", malicious=2, log=tmp_path / "log.jsonl")
    table.round({**one_array, 7: bad(np.nan)}, metrics={1: {"num-examples": 12}})
    table.evaluate({node: {"accuracy": 0.5} for node in one_array})
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["run", *["client"] * 7, "round", *["client"] * 7, "round"]
    by_node = {line["client"]: line for line in lines[1:8]}
    assert by_node["1"]["declared"] == 12
    assert by_node["7"]["reason"] == "array 'w' is not finite, or too far from the server's"
    assert sum(line["coefficient"] or 0 for line in lines[1:8]) == 1
    assert sum(line["filtered"] for line in lines[1:8]) == 5
    assert all(line["suspicion"] >= 0 and line["measure"] for line in lines[1:8] if line["status"] == "admitted")
    assert (lines[8]["malicious"], lines[8]["malicious_left"], lines[8]["rule"]) == (2, 1, "krum")
