"""The attacks on features through what they share: batches, budget, progress and refusals."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
from torch import nn

from toadstone.core.errors import InvalidArgument, InvalidData, UnknownName
from toadstone.deep.attacks.bullseye_polytope import BullseyePolytope
from toadstone.deep.attacks.convex_polytope import ConvexPolytope, hull_weights
from toadstone.deep.attacks.feature_ascent import descend
from toadstone.deep.attacks.feature_collision import FeatureCollision
from toadstone.deep.attacks.surrogates import surrogates_of
from toadstone.deep.tensors.networks import resnet8

HEAD = "head"


class Tiny(nn.Module):
    """A convolution, dropout that can be drawn, and a head; features of 24 numbers."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.body = nn.Conv2d(3, 6, 4, stride=4)
        self.drop = nn.Dropout(0.3)
        self.head = nn.Linear(24, 4)
        for weight in self.parameters():
            weight.data = torch.randn(weight.shape, generator=generator) / 4

    def forward(self, images):
        return self.head(self.drop(self.body(images).tanh()).flatten(1))


def networks(count: int = 2) -> list[nn.Module]:
    return [Tiny(seed).double() for seed in range(count)]


def bases(t: int = 3, k: int = 4) -> torch.Tensor:
    """Every second image at the edge of what is legal."""
    images = torch.randint(0, 256, (t, k, 3, 8, 8), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    images[:, 0, :, :4], images[:, 1, :, :4] = 0, 255
    return images


def targets(t: int = 3) -> torch.Tensor:
    return torch.rand(t, 3, 8, 8, generator=torch.Generator().manual_seed(2))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def bullseye_loss(crafted, wanted, several):
    """Mean over networks of the relative distance of the poisons' mean, in the definition's own words."""
    losses = []
    for surrogate in surrogates_of(several, HEAD):
        surrogate.network.eval()
        (seen,), (goal,) = surrogate.groups(crafted.double() / 255), surrogate.features(wanted.double())
        losses.append((seen.mean(1) - goal).norm(dim=1) / goal.norm(dim=1))
    return torch.stack(losses).mean(0)


def polytope_loss(crafted, wanted, several):
    losses = []
    for surrogate in surrogates_of(several, HEAD):
        surrogate.network.eval()
        (seen,), (goal,) = surrogate.groups(crafted.double() / 255), surrogate.features(wanted.double())
        weights = hull_weights(seen, goal, torch.full(seen.shape[:2], 1 / seen.shape[1], dtype=seen.dtype))
        nearest = (weights[:, :, None] * seen).sum(1)
        losses.append((nearest - goal).square().sum(1) / goal.square().sum(1) / 2)
    return torch.stack(losses).mean(0)


def collision_loss(crafted, wanted, several):
    losses = []
    for surrogate in surrogates_of(several, HEAD):
        surrogate.network.eval()
        (seen,), (goal,) = surrogate.groups(crafted.double() / 255), surrogate.features(wanted.double())
        losses.append((seen - goal[:, None]).square().sum(2).amax(1))
    return torch.stack(losses).mean(0)


ATTACKS = {
    "bullseye": (BullseyePolytope(radius=16, steps=12), bullseye_loss),
    "bullseye-dropout": (BullseyePolytope(radius=16, steps=12, draws=3), bullseye_loss),
    "bullseye-layers": (BullseyePolytope(radius=16, steps=12, layers=("drop",)), bullseye_loss),
    "convex": (ConvexPolytope(radius=16, steps=12), polytope_loss),
    "collision": (FeatureCollision(radius=16, pull=0.0, watermark=0.0, step_size=0.1, steps=12), collision_loss),
}


@pytest.fixture(scope="module", params=ATTACKS)
def attack(request):
    return ATTACKS[request.param]


@pytest.fixture(scope="module")
def made(attack):
    return attack[0].craft(networks(), HEAD, bases(), targets(), generator=seeded())


class TestAll:
    def test_within_the_radius_of_levels_and_it_is_used(self, made):
        assert made.dtype == torch.uint8
        assert made.shape == bases().shape
        moved = (made.int() - bases().int()).abs()
        assert moved.max() == 16

    def test_closer_to_the_target_after_rounding_than_the_bases(self, attack, made):
        several = networks()
        before, after = attack[1](bases(), targets(), several), attack[1](made, targets(), several)
        assert (after < 0.9 * before).all()

    def test_refusals(self, attack):
        crafted, good = attack[0], (networks(), HEAD, bases(), targets())
        for position, wrong, error, word in (
            (0, [], InvalidArgument, "networks"),
            (0, networks(1)[0], InvalidArgument, "networks"),
            (1, "haed", UnknownName, "head"),
            (2, bases().float(), InvalidData, "bases"),
            (2, bases()[0], InvalidData, "bases"),
            (3, targets() * 255, InvalidData, r"\[0, 1\]"),
            (3, targets()[:2], InvalidData, "targets"),
            (3, targets()[:, :, :4], InvalidData, "targets"),
            (3, (targets() * 255).to(torch.uint8), InvalidData, "targets"),
        ):
            given = [*good[:position], wrong, *good[position + 1 :]]
            with pytest.raises(error, match=word):
                crafted.craft(*given, generator=seeded())


@pytest.mark.parametrize("name", ["bullseye", "bullseye-layers", "convex", "collision"])
def test_batched_is_one_by_one(name):
    attack = ATTACKS[name][0]
    together = attack.craft(networks(), HEAD, bases(), targets(), generator=seeded())
    for row in range(3):
        rows = slice(row, row + 1)
        alone = attack.craft(networks(), HEAD, bases()[rows], targets()[rows], generator=seeded())
        assert torch.equal(alone, together[rows])


def test_convex_polytope_has_weights_of_its_own():
    """With a target that is one of the bases, it needs the mean far less than bullseye polytope does."""
    several, wanted = networks(), bases()[:, 2].float() / 255
    convex, bullseye = (
        bullseye_loss(ATTACKS[name][0].craft(several, HEAD, bases(), wanted, generator=seeded()), wanted, several)
        for name in ("convex", "bullseye")
    )
    assert (convex > 1.15 * bullseye).all()


@pytest.mark.parametrize("name", ["bullseye", "convex"])
def test_networks_count_alike_whatever_the_scale_of_their_features(name):
    """A power of two leaves the digits of relative distances as they are."""

    def linear(seed, scale):
        made = nn.Sequential(nn.Flatten(), nn.Linear(192, 8), nn.Linear(8, 2)).double()
        for weight in made[1].parameters():
            weight.data = scale * torch.randn(weight.shape, generator=seeded(seed)).double()
        return made

    plain, scaled = (
        ATTACKS[name][0].craft([linear(0, 1), linear(1, scale)], "2", bases(), targets(), generator=seeded())
        for scale in (1, 64)
    )
    assert torch.equal(plain, scaled)


def test_the_best_images_are_kept_where_a_step_goes_too_far():
    start = torch.tensor([0.49, 0.2]).reshape(2, 1, 1, 1, 1)
    bounds = torch.zeros_like(start), torch.ones_like(start)

    def objective(images):
        yield (images - 0.5).abs().sum((1, 2, 3, 4))

    found = descend(objective, start, bounds, steps=1, learning_rate=0.3)
    assert found.flatten().tolist() == pytest.approx([0.49, 0.5])


def test_terms_add_up_and_no_gradient_is_left_from_the_step_before():
    """Under a constant gradient each step of Adam is as long as its rate."""
    start = torch.full((1, 1, 1, 1, 1), 0.5)

    def objective(images):
        yield 3 * images.sum((1, 2, 3, 4))
        yield -images.sum((1, 2, 3, 4))

    found = descend(objective, start, (torch.zeros_like(start), torch.ones_like(start)), steps=5, learning_rate=0.01)
    assert float(found) == pytest.approx(0.45, abs=1e-6)


def test_dropout_is_drawn_from_the_generator():
    attack = BullseyePolytope(radius=16, steps=5, draws=2)
    one, two = (attack.craft(networks(), HEAD, bases(), targets(), generator=seeded(seed)) for seed in (0, 1))
    assert not torch.equal(one, two)


@pytest.mark.parametrize("attack", [BullseyePolytope, ConvexPolytope])
def test_networks_of_half_precision_do_not_make_pixels_coarse(attack):
    """A step of a tenth of a level, which bright pixels of half precision cannot take, is taken."""
    bright = bases() // 4 + 180
    several = [network.bfloat16() for network in networks()]
    slow = attack(radius=16, steps=12, learning_rate=0.0004)
    made = slow.craft(several, HEAD, bright, targets(), generator=seeded())
    assert (made != bright).float().mean() > 0.2


@pytest.mark.parametrize("name", ["bullseye", "convex", "collision"])
def test_the_number_of_threads_makes_no_difference(name):
    model, made = resnet8(width=4), []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        attack = replace(ATTACKS[name][0], steps=4)
        made.append(attack.craft([model], "linear", bases(), targets(), generator=seeded()))
    assert torch.equal(*made)


def test_several_images_of_a_target_are_averaged_in_features():
    """A target given twice is that target; two images are not one of them."""
    attack, wanted = BullseyePolytope(radius=16, steps=20), targets()
    alone = attack.craft(networks(), HEAD, bases(), wanted, generator=seeded())
    twice = attack.craft(networks(), HEAD, bases(), torch.stack([wanted, wanted], 1), generator=seeded())
    assert torch.equal(alone, twice)
    both = attack.craft(networks(), HEAD, bases(), torch.stack([wanted, wanted.flip(0)], 1), generator=seeded())
    assert not torch.equal(alone, both)


def test_targets_without_features_are_refused():
    dead = networks(1)
    dead[0].body.weight.data.zero_()
    dead[0].body.bias.data.zero_()
    for attack, _ in ATTACKS.values():
        with pytest.raises(InvalidData, match="features"):
            attack.craft(dead, HEAD, bases(), targets(), generator=seeded())


@pytest.mark.parametrize("name", ["bullseye", "convex", "collision"])
def test_bases_that_are_no_numbers_to_a_network_are_refused(name):
    class Odd(Tiny):
        def forward(self, images):
            return super().forward(images / (images.mean((1, 2, 3), keepdim=True) > 0))

    black = torch.zeros(1, 2, 3, 8, 8, dtype=torch.uint8)
    attack = replace(ATTACKS[name][0], **({"step_size": 1e-9} if name == "collision" else {"learning_rate": 1e-9}))
    with pytest.raises(InvalidData, match="bases"):
        attack.craft([Odd(0).double()], HEAD, black, targets(1), generator=seeded())


@pytest.mark.parametrize(
    ("attack", "wrong"),
    [
        (BullseyePolytope, {"radius": 0}),
        (BullseyePolytope, {"radius": 8 / 255}),
        (ConvexPolytope, {"steps": 0}),
        (ConvexPolytope, {"learning_rate": 8}),
        (FeatureCollision, {"pull": -1.0}),
        (FeatureCollision, {"watermark": 1.0}),
        (FeatureCollision, {"step_size": 0.0}),
        (FeatureCollision, {"radius": 256}),
        (ConvexPolytope, {"targets_at_once": 0}),
    ],
)
def test_options_out_of_range(attack, wrong):
    (name,) = wrong
    with pytest.raises(InvalidArgument, match=f"`{name}`"):
        attack(**wrong)


def test_draws_below_zero():
    with pytest.raises(InvalidArgument, match="draws"):
        BullseyePolytope(draws=-1).craft(networks(), HEAD, bases(), targets(), generator=seeded())


def test_arguments_of_other_kinds_are_refused_by_name():
    def craft(attack=None, **changes):
        given = {"networks": networks(), "head": HEAD, "bases": bases(), "targets": targets(), "generator": seeded()}
        return (attack or BullseyePolytope(steps=1)).craft(**(given | changes))

    for changes, error, message in (
        ({"generator": None}, InvalidArgument, r"`generator`: expected a torch\.Generator, got NoneType"),
        ({"networks": [None]}, InvalidArgument, r"`model`: expected a torch\.nn\.Module, got NoneType"),
        ({"bases": bases().numpy()}, InvalidData, "bases: expected a torch tensor, got ndarray"),
        ({"targets": targets().numpy()}, InvalidData, "targets: expected a torch tensor, got ndarray"),
        ({"attack": BullseyePolytope(layers=("9",))}, UnknownName, "`layers`: expected the name of a layer"),
        ({"attack": BullseyePolytope(draws=1.5)}, InvalidArgument, "`draws`: expected a whole number from 0, got 1.5"),
    ):
        with pytest.raises(error, match=message):
            craft(**changes)
