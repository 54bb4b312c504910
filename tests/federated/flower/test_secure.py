"""Trap 7 of Flower's interface: a sum of encrypted updates leaves no rule a client to act on."""

import numpy as np
import pytest

from toadstone.federated import plan_groups, read_log

MODEL = {"w": np.zeros(3, np.float32)}


def bad(value):
    return {"w": np.full(3, value)}


def test_7_with_groups_only_their_means_are_seen(federation, tmp_path):
    plan = plan_groups(20, 2, privacy_floor=4)
    table = federation(MODEL, nodes=20, rule="median", groups=plan, log=tmp_path / "log.jsonl")
    updates = {node: {"w": np.full(3, 1 + 0.01 * node)} for node in range(1, 21)}
    said = table.round({**updates, 5: bad(1e6), 11: bad(np.nan)})
    assert said["aggregated"] == 1
    assert ((table.model()["w"] > 1.01) & (table.model()["w"] < 1.21)).all()
    lines = read_log(tmp_path / "log.jsonl").clients
    assert [line.client for line in lines] == [f"group {number}" for number in range(1, plan.groups + 1)]
    assert [line.status for line in lines].count("refused") == 1
    assert table.strategy.reputation.scores() == {}
    # Node 5 is well formed; node 11 is not, but the rule sees only its group.
    assert (said["clients"], said["groups"], said["refused"]) == (20, plan.groups - 1, 0)
    (closing,) = read_log(tmp_path / "log.jsonl").rounds
    assert (closing.admitted, closing.groups, closing.selected) == (20, plan.groups - 1, 20)
    assert closing.notes == ("1 mean of a group was refused",)


def test_7_a_group_of_which_half_are_missing_is_not_opened(federation, tmp_path):
    plan = plan_groups(20, 2, privacy_floor=4)
    first = set((plan.draw(range(20), round=1)[0][:2] + 1).tolist())
    table = federation(MODEL, nodes=20, rule="median", malicious=1, groups=plan, log=tmp_path / "log.jsonl")
    said = table.round({node: {"w": np.full(3, 1.0)} for node in set(range(1, 21)) - first})
    assert (said["aggregated"], said["missing"], said["clients"], said["groups"]) == (1, 2, 18, 4)
    assert read_log(tmp_path / "log.jsonl").rounds[0].notes == (
        "1 group was not opened, of which half of the planned clients or fewer replied",
    )
    groups = [line.client for line in read_log(tmp_path / "log.jsonl").clients if line.client.startswith("group")]
    assert groups == ["group 2", "group 3", "group 4", "group 5"]


def test_7_fewer_clients_than_planned_for_are_no_round(federation):
    table = federation(MODEL, nodes=7, rule="median", groups=plan_groups(20, 2))
    with pytest.raises(ValueError, match="`clients`: expected the 20 of the plan, got 7"):
        table.ask(1)


def test_7_a_fixed_minority_does_not_stay_in_one_group(federation, one_array):
    plan = plan_groups(20, 2, privacy_floor=4)
    drawn = [plan.draw(range(20), round=server_round) for server_round in range(30)]
    together = sum(any({0, 1} <= set(group.tolist()) for group in groups) for groups in drawn)
    assert 0 < together < 30


def test_7_clients_are_counted_as_clients_where_nothing_is_aggregated(federation):
    table = federation(MODEL, nodes=20, rule="median", groups=plan_groups(20, 2))
    table.ask(1)
    said = table.round({node: {"w": np.ones(3)} for node in range(1, 5)})
    assert (said["aggregated"], said["clients"], said["groups"]) == (0, 4, 0)
    assert "groups" not in federation(MODEL).round({node: {"w": np.ones(3)} for node in range(1, 8)})
