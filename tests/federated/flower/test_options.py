"""What users get wrong in the options is said at once, in one sentence."""

import logging

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord
from flwr.serverapp.strategy import FedAvg

from toadstone.federated import (
    FLAME,
    Bucketing,
    Chain,
    CoordinateMedian,
    DivideAndConquer,
    plan_groups,
    read_log,
    robust,
)

MODEL = {"w": np.zeros(3, np.float32)}


def seeds(strategy):
    rule = strategy.defence.rule
    parts = (*rule.before, rule.rule) if isinstance(rule, Chain) else (rule,)
    return [part.seed for part in parts if hasattr(part, "seed")]


@pytest.mark.parametrize("name", ["dnc", "flame", "bucketing+median", "bucketing+nnm+dnc"])
def test_a_rule_by_name_has_a_seed_that_clients_cannot_compute(name):
    first, second = (seeds(robust(FedAvg(), rule=name, malicious=1)) for _ in range(2))
    assert len(first) == len(second) == (2 if name == "bucketing+nnm+dnc" else 1)
    assert not set(first) & set(second)


def test_a_rule_as_an_object_keeps_its_seed():
    for rule in (DivideAndConquer(seed=7), FLAME(seed=7), Chain((Bucketing(seed=7),), CoordinateMedian())):
        assert seeds(robust(FedAvg(), rule=rule, malicious=1)) == [7]


def test_the_secret_seed_is_in_no_log(federation, one_array, tmp_path, caplog):
    table = federation(MODEL, rule="dnc", log=tmp_path / "log.jsonl")
    logging.getLogger("flwr").propagate = True
    (seed,) = seeds(table.strategy)
    with caplog.at_level(logging.INFO, logger="flwr"):
        table.strategy.summary()
        table.round(one_array)
    assert str(seed) not in (tmp_path / "log.jsonl").read_text() + caplog.text


def nothing(message):
    message.content.clear()
    return message


@pytest.mark.parametrize(
    ("refused", "note"),
    [
        (1, None),
        (2, "2 clients were refused, as many as the malicious that were reckoned with: the rule expected no others"),
        (3, "3 clients were refused, more than the 2 malicious that were reckoned with"),
    ],
)
def test_more_refused_than_malicious_is_said(federation, one_array, tmp_path, caplog, refused, note):
    table = federation(MODEL, log=tmp_path / "log.jsonl")
    logging.getLogger("flwr").propagate = True
    with caplog.at_level(logging.WARNING, logger="flwr"):
        table.round({**one_array, **{node: {"w": np.full(3, np.nan)} for node in range(1, refused + 1)}})
    (closing,) = read_log(tmp_path / "log.jsonl").rounds
    assert closing.notes == ((note,) if note else ())
    assert (note in caplog.text) if note else not caplog.records


def test_a_plan_must_have_as_many_groups_as_the_rule_needs():
    with pytest.raises(ValueError, match=r"`groups`: expected a plan for nnm.bulyan .* got 5 groups: Bulyan needs"):
        robust(FedAvg(), rule="nnm+bulyan", malicious=2, groups=plan_groups(20, 2))
    with pytest.raises(ValueError, match=r"`groups`: expected a plan .* Coordinate median needs .* after bucketing"):
        robust(FedAvg(), rule="bucketing+median", malicious=2, groups=plan_groups(20, 2))
    with pytest.raises(ValueError, match=r"`groups`: expected a plan of plan_groups\(\.\.\.\), got 3"):
        robust(FedAvg(), rule="median", malicious=0, groups=3)


@pytest.mark.parametrize("rule", ["krum", "nnm+krum", "mean"])
def test_too_few_clients_for_the_rule_stop_before_the_first_round(federation, rule):
    table = federation(MODEL, nodes=4, rule=rule, malicious=2)
    with pytest.raises(ValueError, match=r" needs n >= .*: got n = 4, f = 2 in round 1; lower `malicious`, or have"):
        table.ask(1)


def test_too_few_clients_in_a_later_round_keep_the_model(federation, one_array, tmp_path):
    table = federation(MODEL, rule="krum", malicious=2, log=tmp_path / "log.jsonl")
    table.round(one_array)
    table.strategy.strategy.fraction_train = 0.1
    table.strategy.strategy.min_train_nodes = 3
    asked = table.ask(2)
    assert len(asked) == 3
    assert table.strategy.aggregate_train(2, [])[0] is None


def array(values):
    return Array(np.asarray(values, np.float32))


@pytest.mark.parametrize(
    ("returned", "got"),
    [
        (None, "got NoneType"),
        (ArrayRecord({"v": array([1, 1, 1])}), "got one without 'w'"),
        (ArrayRecord({"w": array([1, 1])}), r"got 'w' of shape \(2,\), not \(3,\)"),
    ],
)
def test_what_a_root_returns_is_checked(federation, one_array, tmp_path, returned, got):
    table = federation(MODEL, rule="fltrust", root=lambda server_round, arrays: returned, log=tmp_path / "log.jsonl")
    said = table.round(one_array)
    assert said["aggregated"] == 0
    (closing,) = read_log(tmp_path / "log.jsonl").rounds
    with pytest.raises(ValueError, match=f"`root`: expected a function that returns the arrays .* {got}"):
        raise ValueError(closing.reason)


@pytest.mark.parametrize("adapters", ["lora_A", [("lora_A",)], [1], 3, [("a", "b", "c")], [("a", 1)]])
def test_adapters_are_pairs(adapters):
    with pytest.raises(ValueError, match=r"`adapters`: expected pairs of keys, such as \[.*\], got"):
        robust(FedAvg(), rule="median", malicious=1, adapters=adapters)


@pytest.mark.parametrize("log", [123, "", True])
def test_a_log_is_a_path(log):
    with pytest.raises(ValueError, match="`log`: expected the path of a file, got"):
        robust(FedAvg(), rule="median", malicious=1, log=log)
