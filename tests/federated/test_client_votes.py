"""Votes of client groups: the counts hold against every choice of malicious clients, and no larger ones do."""

import itertools

import numpy as np
import pytest

from toadstone.core.errors import InvalidArgument, InvalidData, InvalidInput
from toadstone.federated.client_votes import ClientPartitionEnsemble, deal_clients

NAMES = [f"clinic-{number}" for number in range(12)]
X = np.arange(6.0)[:, None]


def fitted(sent, groups=5, n_classes=3):
    """Train groups whose model is a line through what their clients sent; a malicious client moves it anywhere."""

    def train(clients, seed):
        level = sent[clients].sum()
        return lambda rows: ((rows[:, 0] * 0.7 + level) % n_classes).astype(int)

    return ClientPartitionEnsemble(groups=groups, key="k").fit(train, NAMES, classes=range(n_classes))


@pytest.fixture(scope="module")
def honest():
    return fitted(np.random.default_rng(3).uniform(0, 0.4, len(NAMES)))


def test_a_client_is_in_exactly_one_group():
    dealt = deal_clients(NAMES, groups=5, key="k")
    assert sorted(itertools.chain.from_iterable(dealt)) == list(range(12))


def test_no_client_moves_another_one():
    whole, without = (deal_clients(names, groups=4, key="k") for names in (NAMES, NAMES[:5] + NAMES[6:]))
    named = [[NAMES[at] for at in group if at != 5] for group in whole]
    assert named == [[(NAMES[:5] + NAMES[6:])[at] for at in group] for group in without]


def test_the_key_decides_the_groups():
    dealt = [[group.tolist() for group in deal_clients(NAMES, groups=4, key=key)] for key in ("a", "b")]
    assert dealt[0] != dealt[1]


def test_no_choice_of_as_many_clients_changes_a_prediction_and_one_more_does(honest):
    """Every subset of clients, each of whose groups may vote anything at all."""
    counts, predictions, votes = honest.certify(X).count, honest.predict(X), honest.votes(X)
    group_of = {client: group for group, members in enumerate(honest.members_) for client in members}

    def changed(row, clients):
        groups = sorted({group_of[client] for client in clients})
        for choice in itertools.product(range(3), repeat=len(groups)):
            cast = votes[row].copy()
            cast[groups] = choice
            if np.bincount(cast[cast >= 0], minlength=3).argmax() != predictions[row]:
                return True
        return False

    for row, count in enumerate(counts):
        assert not any(changed(row, chosen) for chosen in itertools.combinations(range(12), count))
        assert any(changed(row, chosen) for chosen in itertools.combinations(range(12), count + 1))
    assert counts.max() > 0


def test_a_malicious_client_changes_no_model_but_its_own(honest):
    sent = np.random.default_rng(3).uniform(0, 0.4, len(NAMES))
    sent[4] = 1e30
    differ = (fitted(sent).votes(X) != honest.votes(X)).any(axis=0)
    assert differ.sum() <= 1


def test_the_collective_count_is_at_least_the_pointwise_one(honest):
    for malicious in range(4):
        pointwise = int((honest.certify(X).count >= malicious).sum())
        assert pointwise <= honest.unchanged_at_least(X, malicious) <= len(X)


def test_a_group_without_clients_does_not_vote():
    vote = fitted(np.zeros(12), groups=12)
    empty = [group for group, members in enumerate(vote.members_) if not len(members)]
    assert empty
    assert (vote.votes(X)[:, empty] == -1).all()


def test_more_groups_than_clients_are_refused():
    with pytest.raises(InvalidArgument, match="`groups`: expected at most one for each of the 2 clients, got 3"):
        deal_clients(["a", "b"], groups=3)


def test_an_identity_given_twice_is_refused():
    with pytest.raises(InvalidArgument, match="each identity once"):
        deal_clients(["a", "b", "a"], groups=2)


def test_a_label_of_no_class_is_refused():
    vote = ClientPartitionEnsemble(groups=1).fit(
        lambda clients, seed: lambda rows: np.full(len(rows), 7), ["a"], classes=[0, 1]
    )
    with pytest.raises(InvalidData, match="got 7"):
        vote.votes(X)


def test_a_model_gives_one_label_for_each_row():
    vote = ClientPartitionEnsemble(groups=1).fit(lambda clients, seed: lambda rows: [0, 1], ["a"], classes=[0, 1])
    with pytest.raises(
        InvalidData, match=r"^labels: expected one for each of the 6 rows, got shape \(2,\) from group 0"
    ):
        vote.predict(X)


def test_a_vote_needs_a_model():
    vote = ClientPartitionEnsemble(groups=1).fit(lambda clients, seed: None, ["a"], classes=[0, 1])
    with pytest.raises(InvalidData, match=r"^models: expected that of a group at least, got none$"):
        vote.certify(X)


@pytest.mark.parametrize("ask", ["certify", "predict", "votes"])
def test_before_training_there_is_no_vote(ask):
    with pytest.raises(InvalidInput, match=r"^ClientPartitionEnsemble has no models yet: call fit first$"):
        getattr(ClientPartitionEnsemble(groups=2), ask)(X)


def test_a_key_is_a_text():
    with pytest.raises(InvalidArgument, match="`key`: expected a text, got int"):
        deal_clients(NAMES, groups=2, key=7)
