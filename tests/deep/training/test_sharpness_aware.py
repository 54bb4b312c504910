"""The sharpness-aware loss against its definition, and what it does to a backdoor."""

from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch")
from torch import nn
from torch.nn.functional import cross_entropy

from toadstone.core.errors import InvalidArgument
from toadstone.deep.training.sharpness_aware import SharpnessAware


@pytest.fixture
def problem():
    generator = torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)).double()
    for weight in model.parameters():
        weight.data = torch.randn(weight.shape, generator=generator, dtype=torch.float64)
    images = torch.randn(20, 3, generator=generator, dtype=torch.float64)
    return model, images, torch.randint(2, (20,), generator=generator)


def test_the_gradient_is_that_at_the_worst_weights(problem):
    model, images, labels = problem
    loss, logits = SharpnessAware(radius=0.3)(model, images, labels, torch.Generator())
    found = torch.autograd.grad(loss, list(model.parameters()))
    assert torch.equal(logits, model(images).float())
    # The definition, step by step: move each weight by the adaptive ascent step, and differentiate there.
    slopes = torch.autograd.grad(cross_entropy(model(images).float(), labels), list(model.parameters()))
    scaled = [weight.abs() * slope for weight, slope in zip(model.parameters(), slopes, strict=True)]
    length = torch.cat([part.flatten() for part in scaled]).norm()
    moved = copy.deepcopy(model)
    with torch.no_grad():
        for weight, part in zip(moved.parameters(), scaled, strict=True):
            weight += 0.3 * weight.abs() * part / length
    worst = cross_entropy(moved(images).float(), labels)
    assert loss.item() == pytest.approx(worst.item(), rel=1e-6)
    for mine, theirs in zip(found, torch.autograd.grad(worst, list(moved.parameters())), strict=True):
        assert torch.allclose(mine, theirs, rtol=1e-4, atol=1e-7)


def test_a_tiny_radius_is_plain_training(problem):
    model, images, labels = problem
    loss, _ = SharpnessAware(radius=1e-9)(model, images, labels, torch.Generator())
    assert loss.item() == pytest.approx(cross_entropy(model(images), labels).item(), rel=1e-5)


def test_weights_stay_until_the_step(problem):
    model, images, labels = problem
    before = copy.deepcopy(model.state_dict())
    SharpnessAware()(model, images, labels, torch.Generator())[0].backward()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_radius_must_be_positive():
    with pytest.raises(InvalidArgument, match="`radius`"):
        SharpnessAware(radius=0)
