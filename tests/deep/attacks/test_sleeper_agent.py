"""Sleeper Agent: budget, alignment, retraining and refusals."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.attacks.gradient_alignment import Alignment, goal_gradient
from toadstone.deep.attacks.linf_ball import unit
from toadstone.deep.attacks.sleeper_agent import SleeperAgent, strongest_bases
from toadstone.deep.tensors.features import activations, logits

HEAD = "4"


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def network(seed=0):
    made = nn.Sequential(nn.Conv2d(3, 4, 4, stride=4), nn.BatchNorm2d(4), nn.Tanh(), nn.Flatten(), nn.Linear(16, 3))
    for weight in made.parameters():
        weight.data = torch.randn(weight.shape, generator=seeded(seed)) / 3
    return made.double().eval()


def unchanged(images, generator):
    return images


BASES = torch.randint(0, 256, (6, 3, 8, 8), generator=seeded(1), dtype=torch.uint8)
SOURCES = torch.rand(4, 3, 8, 8, generator=seeded(2))
FAST = SleeperAgent(steps=30, retrainings=2, augmentation=unchanged)


def loss(poisons, model):
    goal = goal_gradient(model, HEAD, SOURCES.double(), torch.tensor(2))
    aligned = Alignment(networks=[model], head=HEAD, goals=[goal], label=torch.tensor(2), block=128)
    return float(aligned.measure(unit(poisons, torch.float64))[0])


def test_poisons_stay_within_the_radius_and_align_with_the_triggered_sources():
    model = network()
    made = FAST.craft([model], HEAD, BASES, SOURCES, 2, generator=seeded())
    assert made.dtype == torch.uint8
    assert 0 < (made.int() - BASES.int()).abs().max() <= 16
    assert loss(made, model) < 0.5 * loss(BASES, model)
    assert torch.equal(made, FAST.craft([model], HEAD, BASES, SOURCES, 2, generator=seeded()))


def test_surrogates_are_retrained_on_the_poisons_so_far():
    seen = []

    def retrain(poisons):
        seen.append(poisons)
        return [network(seed=len(seen))]

    made = FAST.craft([network()], HEAD, BASES, SOURCES, 2, generator=seeded(), retrain=retrain)
    assert len(seen) == 2
    assert all(part.dtype == torch.uint8 and (part.int() - BASES.int()).abs().max() <= 16 for part in seen)
    assert not torch.equal(seen[0], seen[1])
    assert not torch.equal(made, FAST.craft([network()], HEAD, BASES, SOURCES, 2, generator=seeded()))


def test_networks_are_left_as_they_were():
    model = network()
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    FAST.craft([model], HEAD, BASES, SOURCES, 2, generator=seeded())
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_the_strongest_bases_have_the_largest_gradients_of_the_last_layer():
    model, labels = network(), torch.arange(30) % 3
    images = torch.randint(0, 256, (30, 3, 8, 8), generator=seeded(3), dtype=torch.uint8)
    found = strongest_bases(model, HEAD, images, labels, 1, count=4)
    sizes = []
    for row in range(30):
        shares = logits(model, images[row : row + 1]).softmax(1)[0]
        shares[labels[row]] -= 1
        inputs = activations(model, HEAD, images[row : row + 1])[0]
        sizes.append(float(torch.outer(shares, inputs).norm()) if labels[row] == 1 else -1.0)
    assert sorted(found.tolist()) == sorted(sorted(range(30), key=lambda row: -sizes[row])[:4])
    with pytest.raises(InvalidData, match="images: expected 11 or more of label 1, got 10"):
        strongest_bases(model, HEAD, images, labels, 1, count=11)


def test_unfit_requests_are_refused():
    with pytest.raises(InvalidArgument, match="`retrainings`"):
        SleeperAgent(retrainings=-1)
    with pytest.raises(InvalidData, match="labels: expected"):
        FAST.craft([network()], HEAD, BASES, SOURCES, 3, generator=seeded())
    with pytest.raises(InvalidData, match="bases: expected uint8 images of shape"):
        FAST.craft([network()], HEAD, BASES.float() / 255, SOURCES, 2, generator=seeded())
