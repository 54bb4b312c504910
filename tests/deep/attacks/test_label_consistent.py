"""Label-consistent backdoors: harder images within the radius, then the trigger."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn
from torch.nn.functional import cross_entropy

from toadstone.attacks.backdoors.image_shape import ImageShape
from toadstone.attacks.backdoors.trigger import PatchTrigger
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.attacks.label_consistent import LabelConsistentBackdoor

HEAD = "3"
PATCH = PatchTrigger(shape=ImageShape(height=8, width=8, channels=3), size=3)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def networks(count: int = 2) -> list[nn.Module]:
    made = []
    for seed in range(count):
        network = nn.Sequential(nn.Conv2d(3, 6, 4, stride=4), nn.Tanh(), nn.Flatten(), nn.Linear(24, 3))
        for weight in network.parameters():
            weight.data = torch.randn(weight.shape, generator=seeded(seed)) / 4
        made.append(network.double())
    return made


def images(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randint(0, 256, (*shape, 3, 8, 8), generator=seeded(seed), dtype=torch.uint8)


class TestLabelConsistent:
    attack = LabelConsistentBackdoor(trigger=PATCH, radius=8, steps=6)
    labels = torch.tensor([0, 1, 2, 1, 0])

    def loss(self, models, several):
        with torch.no_grad():
            return sum(cross_entropy(model(several.double() / 255), self.labels, reduction="none") for model in models)

    def test_harder_within_the_radius_and_then_stamped(self):
        models, bases = networks(), images(5)
        models[1].train()
        made = self.attack.craft(models, HEAD, bases, self.labels)
        assert torch.equal(bases, images(5))
        assert models[1].training
        assert made.dtype == torch.uint8
        assert torch.equal(made[:, :, 5:, 5:], torch.full((5, 3, 3, 3), 255, dtype=torch.uint8))
        outside = torch.ones(8, 8, dtype=torch.bool)
        outside[5:, 5:] = False
        assert (made.int() - bases.int()).abs()[..., outside].max() == 8
        # The patch moves the loss too, so that only images without it can be compared.
        hard = torch.where(outside, made, bases)
        assert (self.loss(models, hard) > self.loss(models, bases) + 0.01).all()

    def test_networks_are_asked_in_evaluation_mode(self):
        model = nn.Sequential(nn.BatchNorm2d(3), *networks(1)[0]).double().train()
        before = {name: value.clone() for name, value in model.state_dict().items()}
        made = self.attack.craft([model], "4", images(5), self.labels)
        assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
        assert torch.equal(made, self.attack.craft([model.eval()], "4", images(5), self.labels))

    def test_a_step_moves_each_pixel_by_its_levels(self):
        once = LabelConsistentBackdoor(trigger=PATCH, radius=8, steps=1, step_size=3)
        moved = (once.craft(networks(), HEAD, images(5), self.labels).int() - images(5).int()).abs()[:, :, :5]
        legal = (images(5)[:, :, :5] >= 3) & (images(5)[:, :, :5] <= 252)
        assert (moved[legal] == 3).all()

    def test_blocks_make_no_difference(self):
        small = LabelConsistentBackdoor(trigger=PATCH, radius=8, steps=6, block=2)
        whole = self.attack.craft(networks(), HEAD, images(5), self.labels)
        assert torch.equal(whole, small.craft(networks(), HEAD, images(5), self.labels))

    @pytest.mark.parametrize(
        ("bases", "labels", "word"),
        [
            (images(5).float() / 255, labels, "bases"),
            (images(5), labels[:4], "labels"),
            (images(5), labels + 1, "labels"),
        ],
    )
    def test_refusals(self, bases, labels, word):
        with pytest.raises(InvalidData, match=word):
            self.attack.craft(networks(), HEAD, bases, labels)

    @pytest.mark.parametrize("name", ["radius", "steps", "step_size", "block"])
    def test_options_out_of_range(self, name):
        with pytest.raises(InvalidArgument, match=f"`{name}`"):
            LabelConsistentBackdoor(trigger=PATCH, **{name: 0})


def test_a_network_without_finite_losses_is_refused():
    models = networks()
    models[1][0].weight.data[0] = torch.nan
    attack = LabelConsistentBackdoor(trigger=PATCH, steps=2)
    with pytest.raises(InvalidData, match="networks: expected finite losses for the bases"):
        attack.craft(models, HEAD, images(3), torch.tensor([0, 1, 2]))
