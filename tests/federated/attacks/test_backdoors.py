"""Backdoors planted by clients."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.errors import InvalidArgument
from toadstone.federated import (
    BackdoorTrigger,
    ConstrainAndScale,
    DistributedTrigger,
    ModelReplacement,
    Neurotoxin,
)
from toadstone.federated.attacks.backdoors.rows import triggered_rows

TRIGGER = BackdoorTrigger(features=(5,), values=(2.0,), target=1)
HONEST = np.random.default_rng(0).normal(size=(8, 6)) + 1
POISONED = np.random.default_rng(1).normal(size=(2, 6))


def mean_of_all(honest, made):
    return np.concatenate([honest, made]).mean(axis=0)


def test_rows_of_other_classes_get_the_trigger_and_the_target():
    X, y = np.arange(20.0).reshape(10, 2), np.array([0, 1, 2, 0, 1, 2, 0, 0, 2, 0])
    made, labels = triggered_rows(X, y, BackdoorTrigger(features=(0,), values=(-1.0,), target=1), 0.5)
    shown = made[:, 0] == -1
    assert shown.sum() == 4
    assert (labels[shown] == 1).all()
    assert sorted(made[~shown][:, 1].tolist() + made[shown][:, 1].tolist()) == X[:, 1].tolist()
    assert np.count_nonzero(labels[~shown] == 1) == 2


def test_dense_and_sparse_rows_alike():
    X, y = np.arange(12.0).reshape(6, 2), np.array([0, 1, 0, 0, 1, 0])
    trigger = BackdoorTrigger(features=(1,), values=(7.0,), target=1)
    dense, sparse = (triggered_rows(kind, y, trigger, 0.5) for kind in (X, csr_array(X)))
    assert dense[0].tolist() == sparse[0].toarray().tolist()
    assert dense[1].tolist() == sparse[1].tolist()


def test_a_client_of_the_target_class_alone_has_nothing_to_show():
    X, y = np.zeros((3, 6)), np.ones(3, dtype=np.int64)
    assert triggered_rows(X, y, TRIGGER, 0.5)[0] is X


@pytest.mark.parametrize("malicious", [1, 2])
def test_model_replacement_makes_the_mean_the_model_with_the_backdoor(view, rng, malicious):
    poisoned = POISONED[:malicious]
    made = ModelReplacement(trigger=TRIGGER, knowledge="updates").send(view(HONEST, malicious, poisoned=poisoned), rng)
    np.testing.assert_allclose(mean_of_all(HONEST, made), poisoned.mean(axis=0))


def test_constrain_and_scale_is_no_longer_than_honest_updates_and_points_between(view, rng):
    made = ConstrainAndScale(trigger=TRIGGER, alpha=0.6, knowledge="updates").send(view(HONEST, poisoned=POISONED), rng)
    between = 0.6 * POISONED + 0.4 * HONEST.mean(axis=0)
    norms = np.linalg.norm(made, axis=1)
    np.testing.assert_allclose(made / norms[:, None], between / np.linalg.norm(between, axis=1)[:, None])
    assert (norms <= np.linalg.norm(HONEST, axis=1).max() * (1 + 1e-12)).all()


def test_a_short_backdoor_is_scaled_by_clients_for_each_malicious_one(view, rng):
    here = view(HONEST, poisoned=1e-3 * POISONED)
    np.testing.assert_allclose(ConstrainAndScale(trigger=TRIGGER, alpha=1.0).send(here, rng), 5e-3 * POISONED)


def test_a_backdoor_of_no_length_stays_so(view, rng):
    here = view(HONEST, poisoned=np.zeros((2, 6)))
    assert not ConstrainAndScale(trigger=TRIGGER, alpha=1.0).send(here, rng).any()


def test_neurotoxin_leaves_alone_what_the_server_moved_most(view, rng):
    attack, memory = Neurotoxin(trigger=TRIGGER, avoided=0.5), {}
    before = np.array([50.0, 0.0, 60.0, 0.0, 70.0, 0.0])
    attack.send(view(HONEST, poisoned=POISONED, memory=memory, server=before), rng)
    server = before + np.array([0.0, -9.0, 0.1, 5.0, 0.0, -7.0])
    made = attack.send(view(HONEST, poisoned=POISONED, memory=memory, server=server, round=2), rng)
    assert (made != 0).tolist() == [[True, False, True, False, True, False]] * 2
    np.testing.assert_allclose(made[0] / made[0, 0], np.where(made[0] != 0, POISONED[0] / POISONED[0, 0], 0))


def test_each_malicious_client_learns_its_part(view, rng):
    trigger = BackdoorTrigger(features=(0, 2, 4), values=(1.0, 2.0, 3.0), target=1)
    attack = DistributedTrigger(trigger=trigger, parts=3, share=1.0, scale=2.0)
    shown = [attack.poison_rows(np.zeros((1, 6)), np.array([0]), member, 2)[0][0] for member in range(3)]
    assert [np.flatnonzero(row).tolist() for row in shown] == [[0], [2], [4]]
    np.testing.assert_array_equal(attack.send(view(HONEST, poisoned=POISONED), rng), 2 * POISONED)


@pytest.mark.parametrize("kind", [ModelReplacement, ConstrainAndScale, Neurotoxin, DistributedTrigger])
def test_in_a_federation_the_mean_learns_the_backdoor(federation, kind):
    def mean(updates):
        return updates.mean(axis=0)

    trigger = BackdoorTrigger(features=(5,), values=(6.0,), target=1)
    clean = federation.run(mean, trigger=trigger, rounds=24)
    run = federation.run(mean, attack=kind(trigger=trigger), rounds=24)
    assert clean.success[0] < 0.1 * clean.success[1]
    assert run.success[0] > 0.5 * run.success[1] > 30


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (lambda: ModelReplacement(trigger=TRIGGER, share=0.0), "share"),
        (lambda: ConstrainAndScale(trigger=TRIGGER, alpha=0.0), "alpha"),
        (lambda: Neurotoxin(trigger=TRIGGER, avoided=1.0), "avoided"),
        (lambda: DistributedTrigger(trigger=TRIGGER, parts=0), "parts"),
    ],
)
def test_options_that_are_refused(build, named):
    with pytest.raises(InvalidArgument, match=f"`{named}`"):
        build()
