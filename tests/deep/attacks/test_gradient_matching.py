"""Gradient matching: budget, restarts, augmentation and refusals."""

from __future__ import annotations

from functools import partial

import pytest

torch = pytest.importorskip("torch")
from torch import nn
from torch.nn.functional import cross_entropy

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.attacks.gradient_alignment import Alignment, goal_gradient, mismatch
from toadstone.deep.attacks.gradient_matching import GradientMatching
from toadstone.deep.tensors.augmentation import flip_shift

HEAD = "4"
FAST = {"steps": 8, "restarts": 1, "radius": 16}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network(seed: int = 0, dtype: torch.dtype = torch.float64) -> nn.Sequential:
    """Smooth, with a batch norm that has seen something."""
    made = nn.Sequential(nn.Conv2d(3, 4, 4, stride=4), nn.BatchNorm2d(4), nn.Tanh(), nn.Flatten(), nn.Linear(16, 3))
    for weight in made.parameters():
        weight.data = torch.randn(weight.shape, generator=seeded(seed)) / 3
    made[1].running_mean += 0.1
    made[1].running_var *= 0.5
    return made.to(dtype).eval()


class Reciprocal(nn.Module):
    """Not a number where an image is dark."""

    def forward(self, images):
        return images * (images.mean((1, 2, 3), keepdim=True) - 0.1).sqrt()


def bases(t: int = 2, k: int = 5) -> torch.Tensor:
    return torch.randint(0, 256, (t, k, 3, 8, 8), generator=seeded(1), dtype=torch.uint8)


def targets(t: int = 2) -> torch.Tensor:
    return torch.rand(t, 3, 8, 8, generator=seeded(2))


def labels() -> torch.Tensor:
    return torch.tensor([2, 0])


def unchanged(images, generator):
    return images


def own_loss(model, images, target, label) -> float:
    """The definition in plain words, from one flat vector for each gradient."""

    def gradient(pictures):
        loss = cross_entropy(model(pictures.double()), torch.full((len(pictures),), int(label)))
        return torch.cat([part.flatten() for part in torch.autograd.grad(loss, list(model.parameters()))])

    return 1 - float(torch.cosine_similarity(gradient(images), gradient(target), dim=0))


def craft(attack: GradientMatching, *models: nn.Module, generator=None, **changed):
    given = {"bases": bases(), "targets": targets(), "labels": labels(), **changed}
    return attack.craft(list(models) or [network()], HEAD, **given, generator=generator or seeded())


class TestAttack:
    def test_within_the_radius_of_levels_and_nothing_given_is_changed(self):
        model, given, wanted = network().train(), bases(), targets()
        weights = [value.clone() for value in model.state_dict().values()]
        made = craft(GradientMatching(**FAST), model, bases=given, targets=wanted)
        assert made.dtype == torch.uint8
        assert (made.int() - bases().int()).abs().max() == 16
        assert torch.equal(given, bases())
        assert torch.equal(wanted, targets())
        assert all(map(torch.equal, weights, model.state_dict().values()))
        assert model[1].training
        assert all(weight.grad is None for weight in model.parameters())

    @pytest.mark.parametrize(
        ("block", "augmentation", "share"),
        [(512, unchanged, 0.5), (2, unchanged, 0.5), (512, partial(flip_shift, reach=1.0), 0.9)],
    )
    def test_the_loss_is_lower_than_at_the_start(self, block, augmentation, share):
        models = [network(), network(5)]
        attack = GradientMatching(**FAST | {"steps": 20, "block": block}, augmentation=augmentation)
        made = craft(attack, *models)
        for poisons, base, target, label in zip(made, bases(), targets(), labels(), strict=True):
            before, after = (
                sum(own_loss(model, images.double() / 255, target[None], label) for model in models) / 2
                for images in (base, poisons)
            )
            assert after < share * before

    def test_same_seed_same_bytes(self):
        one, two, other = (craft(GradientMatching(**FAST), generator=seeded(seed)) for seed in (0, 0, 1))
        assert torch.equal(one, two)
        assert not torch.equal(one, other)

    def test_the_best_restart_is_kept(self):
        """More restarts begin with the same ones; targets are worked on in turn, so only the first compares."""
        losses = []
        for restarts in range(1, 6):
            made = craft(GradientMatching(**FAST | {"restarts": restarts, "steps": 3}))
            losses.append(own_loss(network(), made[0].double() / 255, targets()[:1], labels()[0]))
        assert losses == sorted(losses, reverse=True)
        assert losses[-1] < losses[0]

    def test_restarts_are_compared_after_rounding(self, monkeypatch):
        seen, measure = [], Alignment.measure

        def noted(self, images):
            seen.append(images)
            return measure(self, images)

        monkeypatch.setattr(Alignment, "measure", noted)
        attack = GradientMatching(**FAST | {"steps": 3, "restarts": 2}, augmentation=unchanged)
        craft(attack, targets=targets(1), bases=bases(1), labels=labels()[:1])
        whole = [bool(((255 * images).round() / 255 == images).all()) for images in seen]
        assert whole == [False, False, False, True] * 2

    def test_the_augmentation_is_used_and_can_be_left_out(self):
        seen = []

        def noted(images, generator):
            seen.append(images.shape)
            return images

        craft(GradientMatching(**FAST, augmentation=noted))
        assert seen == [(5, 3, 8, 8)] * 16

    def test_from_clipped_noise_adam_gets_signs_and_slows_down(self, monkeypatch):
        """Whatever the size of the slope, steps are as long as the rate, which falls by ten at 3/8, 5/8 and 7/8."""
        sizes = iter([1.0, 1e3, 1e-3, 1.0, 0.0])
        monkeypatch.setattr(Alignment, "measure", lambda _, images: (0.0, next(sizes) * torch.ones_like(images)))
        grey = torch.full((1, 5, 3, 8, 8), 128, dtype=torch.uint8)
        attack = GradientMatching(radius=16, steps=4, restarts=1, learning_rate=0.02, augmentation=unchanged)
        found = craft(attack, bases=grey, targets=targets(1), labels=labels()[:1])
        noise = torch.randn((5, 3, 8, 8), generator=seeded(), dtype=torch.float64)
        expected = 128 + torch.clamp(noise.clamp(-1, 1) * 16 - 255 * 0.02 * 1.111, -16, 16)
        assert (found[0].double() - expected).abs().max() <= 0.51

    def test_of_several_images_of_a_target_the_mean_gradient_counts(self):
        wanted = targets()
        twice = craft(GradientMatching(**FAST), targets=torch.stack([wanted, wanted], 1))
        both = craft(GradientMatching(**FAST), targets=torch.stack([wanted, wanted.flip(0)], 1))
        assert (twice != craft(GradientMatching(**FAST))).float().mean() < 0.01
        assert (both != twice).float().mean() > 0.1

    def test_a_network_of_half_precision(self):
        made = craft(GradientMatching(**FAST | {"steps": 20}, augmentation=unchanged), network().bfloat16())
        losses = [
            own_loss(network(), images.double() / 255, targets()[:1], labels()[0]) for images in (bases()[0], made[0])
        ]
        assert losses[1] < 0.7 * losses[0]

    def test_the_cosine_is_computed_in_single_precision_at_least(self):
        model, image = network().bfloat16(), targets()[:1]
        goal = goal_gradient(model, HEAD, image, torch.tensor(1))
        loss, slope = mismatch(model, HEAD, goal, bases()[0] / 255, torch.tensor(1), block=512)
        assert loss.dtype == slope.dtype == torch.float32

    def test_weights_that_the_network_does_not_use_do_not_matter(self):
        odd = network()
        odd.spare = nn.Parameter(torch.ones(2).double())
        odd.forward = lambda images: nn.Sequential(*list(odd.children())).forward(images)
        assert torch.equal(craft(GradientMatching(**FAST), odd), craft(GradientMatching(**FAST)))

    def test_frozen_weights_are_not_matched(self):
        model = network()
        model.requires_grad_(False)
        with pytest.raises(InvalidArgument, match="weight"):
            craft(GradientMatching(**FAST), model)
        model[4].requires_grad_(True)
        made = craft(GradientMatching(**FAST), model)
        assert not torch.equal(made, craft(GradientMatching(**FAST)))

    def test_a_target_without_gradient_is_refused(self):
        model = network()
        model[4].weight.data.zero_()
        model[4].bias.data = torch.tensor([-1e4, -1e4, 1e4]).double()
        with pytest.raises(InvalidData, match="label 2"):
            craft(GradientMatching(**FAST), model)

    def test_bases_that_are_no_numbers_to_a_network_are_refused(self):
        model = network()
        dark = nn.Sequential(Reciprocal(), *model)
        black = torch.zeros(2, 5, 3, 8, 8, dtype=torch.uint8)
        attack = GradientMatching(radius=1, steps=1, restarts=1, learning_rate=1e-9)
        with pytest.raises(InvalidData, match="bases"):
            attack.craft([dark], "5", black, targets(), labels(), generator=seeded())

    @pytest.mark.parametrize(
        ("wrong", "error", "word"),
        [
            ({"bases": bases().float()}, InvalidData, "bases"),
            ({"targets": targets()[:1]}, InvalidData, "targets"),
            ({"labels": torch.tensor([0, 3])}, InvalidData, "labels"),
            ({"labels": torch.tensor([0])}, InvalidData, "labels"),
        ],
    )
    def test_refusals(self, wrong, error, word):
        with pytest.raises(error, match=word):
            craft(GradientMatching(**FAST), **wrong)

    @pytest.mark.parametrize(
        "wrong", [{"radius": 0}, {"steps": 0}, {"restarts": 0}, {"block": 0}, {"learning_rate": 1}]
    )
    def test_options_out_of_range(self, wrong):
        (name,) = wrong
        with pytest.raises(InvalidArgument, match=f"`{name}`"):
            GradientMatching(**wrong)
