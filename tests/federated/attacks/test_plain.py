"""Sign flip, IPM, noise, flipped labels, sleepers and garbage."""

import numpy as np
import pytest

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.federated import (
    BackdoorTrigger,
    Garbage,
    GaussianNoise,
    InnerProduct,
    LabelFlip,
    ModelReplacement,
    SignFlip,
    Sleeper,
)

HONEST = np.array([[1.0, 2.0], [3.0, 0.0], [2.0, 4.0]])


def test_sign_flip_turns_each_or_the_mean(view, rng):
    here = view(HONEST)
    np.testing.assert_array_equal(SignFlip(scale=2.0).send(here, rng), -2 * HONEST[:2])
    np.testing.assert_array_equal(SignFlip(scale=2.0, knowledge="updates").send(here, rng), [[-4.0, -4.0]] * 2)
    np.testing.assert_array_equal(InnerProduct(scale=2.0).send(here, rng), [[-4.0, -4.0]] * 2)


def test_the_default_scales_turn_the_mean_round_at_one_client_in_five(view, rng):
    honest = np.ones((8, 3))
    for attack in (SignFlip(), InnerProduct()):
        assert (np.concatenate([honest, attack.send(view(honest), rng)]).mean(axis=0) < 0).all()


def test_noise_is_as_long_as_it_says(view):
    honest = np.zeros((4, 5000))
    honest[:, 0] = 2.0
    made = GaussianNoise(scale=3.0).send(view(honest), np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 6.0, rtol=0.05)
    assert abs(made.mean()) < 0.01
    assert not np.allclose(made[0], made[1])


def test_flipped_labels_are_trained_on_and_nothing_else(view, rng):
    here = view(HONEST, poisoned=-HONEST[:2])
    np.testing.assert_array_equal(LabelFlip().send(here, rng), -HONEST[:2])
    with pytest.raises(InvalidData, match="poisoned: expected updates trained on the attack's rows, got none"):
        LabelFlip().send(view(HONEST), rng)


@pytest.mark.parametrize(("number", "awake"), [(1, False), (5, False), (6, True), (10, True)])
def test_a_sleeper_is_honest_until_it_wakes(view, rng, number, awake):
    here = view(HONEST, round=number)
    made = Sleeper(wakes=0.5, attack=SignFlip(scale=1.0)).send(here, rng)
    np.testing.assert_array_equal(made, -here.own if awake else here.own)


def test_a_sleeper_has_the_rows_the_trigger_and_the_knowledge_of_its_attack():
    inner = ModelReplacement(trigger=BackdoorTrigger(features=(0,), values=(9.0,)), knowledge="updates")
    attack = Sleeper(attack=inner)
    assert (attack.trigger, attack.knowledge) == (inner.trigger, "updates")
    rows = np.zeros((2, 2)), np.array([0, 1])
    assert attack.poison_rows(*rows, 0, 2)[0].max() == 9.0
    assert Sleeper().trigger is None
    assert Sleeper().poison_rows(*rows, 0, 2)[0] is rows[0]


def test_every_kind_of_garbage(view, rng):
    here = view(HONEST, malicious=8)
    made = dict(zip(Garbage().kinds, Garbage().send(here, rng), strict=True))
    assert np.isnan(made["nan"]).all()
    assert np.isinf(made["infinite"]).all()
    assert made["huge"].tolist() == [1e30, 1e30]
    assert (len(made["short"]), len(made["empty"]), made["late"]) == (1, 0, None)
    np.testing.assert_array_equal(made["twice"], -here.own[Garbage().kinds.index("twice")])
    np.testing.assert_array_equal(made["declared"], -here.own[Garbage().kinds.index("declared")])


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (lambda: SignFlip(scale=0.0), "scale"),
        (lambda: InnerProduct(knowledge="none"), "knowledge"),
        (lambda: GaussianNoise(scale=np.nan), "scale"),
        (lambda: Sleeper(wakes=1.5), "wakes"),
        (lambda: Garbage(kinds=()), "kinds"),
        (lambda: Garbage(kinds=("rude",)), "kinds"),
    ],
)
def test_options_that_are_refused(build, named):
    with pytest.raises(InvalidArgument, match=f"`{named}`"):
        build()
