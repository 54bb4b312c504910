"""The loss of gradient matching: definition, gradient, blocks and networks."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn
from torch.nn.functional import cross_entropy

from toadstone.deep.attacks import gradient_alignment as alignment
from toadstone.deep.attacks.gradient_alignment import Alignment, goal_gradient, mismatch

HEAD = "4"


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


def bases(t: int = 2, k: int = 5) -> torch.Tensor:
    return torch.randint(0, 256, (t, k, 3, 8, 8), generator=seeded(1), dtype=torch.uint8)


def targets(t: int = 2) -> torch.Tensor:
    return torch.rand(t, 3, 8, 8, generator=seeded(2))


def own_loss(model, images, target, label) -> float:
    """The definition in plain words, from one flat vector for each gradient."""

    def gradient(pictures):
        loss = cross_entropy(model(pictures.double()), torch.full((len(pictures),), int(label)))
        return torch.cat([part.flatten() for part in torch.autograd.grad(loss, list(model.parameters()))])

    return 1 - float(torch.cosine_similarity(gradient(images), gradient(target), dim=0))


class TestLoss:
    def setup_method(self):
        self.model, self.label = network(), torch.tensor(1)
        self.images, self.target = bases()[0].double() / 255, targets()[:1].double()
        self.goal = goal_gradient(self.model, HEAD, self.target, self.label)

    def loss(self, images, block=512):
        return mismatch(self.model, HEAD, self.goal, images, self.label, block=block)

    def alignment(self, models, goals):
        return Alignment(networks=models, head=HEAD, goals=goals, label=self.label, block=512)

    def test_is_one_minus_the_cosine_over_all_weights_jointly(self):
        found = float(self.loss(self.images)[0])
        assert found == pytest.approx(own_loss(self.model, self.images, self.target, self.label), abs=1e-12)

    @pytest.mark.parametrize("block", [512, 2])
    def test_gradient_by_the_poison_equals_finite_differences(self, block):
        slope = self.loss(self.images, block)[1]
        step = 1e-6
        for place in [(0, 0, 0, 0), (1, 2, 3, 4), (4, 1, 7, 7), (2, 0, 5, 1)]:
            above, below = self.images.clone(), self.images.clone()
            above[place] += step
            below[place] -= step
            expected = float(self.loss(above)[0] - self.loss(below)[0]) / (2 * step)
            assert float(slope[place]) == pytest.approx(expected, rel=1e-5, abs=1e-10)
            assert abs(expected) > 1e-6

    def test_blocks_add_up(self):
        (whole, slope), (parts, slopes) = self.loss(self.images), self.loss(self.images, 2)
        assert float(whole) == pytest.approx(float(parts), abs=1e-12)
        assert torch.allclose(slope, slopes, atol=1e-12)

    def test_zero_where_poisons_are_the_target(self):
        loss, slope = self.loss(self.target.repeat(3, 1, 1, 1))
        assert float(loss) == pytest.approx(0, abs=1e-12)
        assert slope.abs().max() < 1e-8

    def test_networks_are_averaged(self):
        models = [self.model, network(5)]
        goals = [goal_gradient(model, HEAD, self.target, self.label) for model in models]
        loss, slope = self.alignment(models, goals).measure(self.images)
        single = [
            mismatch(model, HEAD, goal, self.images, self.label, block=512)
            for model, goal in zip(models, goals, strict=True)
        ]
        assert float(loss) == pytest.approx(sum(float(one) for one, _ in single) / 2)
        assert torch.allclose(slope, (single[0][1] + single[1][1]) / 2)

    def test_out_of_memory_goes_on_in_smaller_blocks_and_says_so(self, monkeypatch):
        expected, together = self.loss(self.images), self.alignment([self.model], [self.goal])
        asked = []

        def greedy(*given, **named):
            images = given[2]
            asked.append(len(images))
            if len(images) > 2:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return original(*given, **named)

        original = alignment.loss_gradient
        monkeypatch.setattr(alignment, "loss_gradient", greedy)
        with pytest.warns(RuntimeWarning, match="blocks of 2"):
            loss, slope = together.measure(self.images)
        assert asked[:2] == [5, 2]
        assert together.block == 2
        assert float(loss) == pytest.approx(float(expected[0]))
        assert torch.allclose(slope, expected[1])
