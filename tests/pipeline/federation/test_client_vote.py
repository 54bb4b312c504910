"""A certified vote of groups of clients, on two classes that lie apart."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.datasets.split import Split
from toadstone.federated.attacks.trigger import BackdoorTrigger
from toadstone.pipeline.federation.client_vote import certify_client_vote
from toadstone.pipeline.federation.part import FederatedPart
from toadstone.pipeline.federation.plan import FederationPlan, prepare_federation
from toadstone.pipeline.federation.run import run_federation_matrix


def rows(seed, count=240):
    rng = np.random.default_rng(seed)
    y = np.resize([0, 1], count)
    return Dataset(rng.normal(size=(count, 3)) + 3.0 * y[:, None] - 1.5, y)


@pytest.fixture(scope="module")
def part():
    train = rows(0)
    dealt = tuple(np.array_split(np.random.default_rng(1).permutation(len(train)), 12))
    return FederatedPart(0, train, dealt, rows(2, 80), 2, None, BackdoorTrigger(features=(0,), values=(9.0,)), None)


@pytest.fixture(scope="module")
def plan():
    return FederationPlan(clients=12, malicious=(2,), rounds=5, vote_groups=5)


def test_shares_fall_with_the_clients_and_begin_with_the_vote(part, plan):
    found = certify_client_vote(part, plan)
    assert [one.malicious for one in found] == list(range(len(found)))
    assert found[0].unchanged == 1.0
    assert found[0].accuracy > 0.9
    assert all(a.unchanged >= b.unchanged and a.accuracy >= b.accuracy for a, b in pairwise(found))
    assert len(found) > 1


def test_what_any_client_sends_changes_no_certified_prediction(part, plan):
    """Each client in turn has its labels turned round, which is one of the things that it can send."""
    (_, one, *_) = certify_client_vote(part, plan)
    for client in part.dealt:
        y = np.asarray(part.rows.y).copy()
        y[client] = 1 - y[client]
        turned = certify_client_vote(replace(part, rows=Dataset(part.rows.X, y)), plan)
        assert turned[0].accuracy >= one.accuracy


def test_the_record_has_the_vote():
    split = Split("built", rows(0), rows(2, 80), "none", "own")
    plan = FederationPlan(
        clients=12, malicious=(1,), attacks=("ipm",), rules=("median",), split="iid", rounds=3, seeds=1, vote_groups=3
    )
    record = run_federation_matrix(prepare_federation(split, plan))
    assert record.vote_groups == 3
    assert record.majority == 0.5
    assert record.certified[0].malicious == 0
    assert any("certificate of the vote" in warning for warning in record.warnings)
    assert run_federation_matrix(prepare_federation(split, replace(plan, vote_groups=0))).certified == ()


def test_more_groups_than_clients_are_refused():
    with pytest.raises(InvalidArgument, match="`vote_groups`: expected at most 12, one a client, got 13"):
        FederationPlan(clients=12, malicious=(1,), vote_groups=13)
