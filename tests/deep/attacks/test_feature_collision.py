"""Feature collision where the answer is known: a linear network."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn

from toadstone.deep.attacks.feature_collision import FeatureCollision

HEAD, SIZE = "2", (3, 2, 2)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def network() -> nn.Sequential:
    made = nn.Sequential(nn.Flatten(), nn.Linear(12, 12, bias=False), nn.Linear(12, 2)).double()
    made[1].weight.data = torch.eye(12).double() + 0.2 * torch.randn(12, 12, generator=seeded()).double()
    return made


def bases() -> torch.Tensor:
    return torch.randint(60, 190, (2, 3, *SIZE), generator=seeded(), dtype=torch.uint8)


def targets() -> torch.Tensor:
    return 0.3 + 0.4 * torch.rand(2, *SIZE, generator=seeded())


def craft(**options) -> torch.Tensor:
    return FeatureCollision(**options).craft([network()], HEAD, bases(), targets(), generator=seeded())


@pytest.mark.parametrize("step_size", [0.1, 100.0])
def test_the_soft_budget_has_its_minimiser_in_closed_form(step_size):
    """Whatever the step at first: those that go too far are not taken, and shorten the next."""
    pull, weight = 2.0, network()[1].weight.detach()
    curvature = 2 * weight.T @ weight + pull * torch.eye(12).double()
    wanted = (2 * targets().double().flatten(1) @ weight.T @ weight)[:, None] + pull * bases().flatten(2).double() / 255
    exact = 255 * torch.linalg.solve(curvature, wanted.mT).mT.reshape(bases().shape)
    assert exact.min() > 0
    assert exact.max() < 255
    found = craft(radius=255, pull=pull, watermark=0.0, steps=300, step_size=step_size)
    assert (found.double() - exact).abs().max() <= 0.51


def test_a_ball_that_binds_cuts_off_each_pixel():
    found = craft(radius=3, pull=0.0, watermark=0.0, steps=50, step_size=0.1)
    assert (found.int() - bases().int()).abs().max() == 3


@pytest.mark.parametrize("radius", [255, 20])
def test_the_watermark_is_where_it_starts(radius):
    found = craft(radius=radius, watermark=0.3, steps=1, step_size=1e-12)
    blend = 0.7 * bases().double() + 0.3 * 255 * targets()[:, None].double()
    moved = (blend - bases().int()).clamp(-radius, radius)
    assert (found.int() - bases().int() - moved).abs().max() <= 0.51
    assert (moved.abs() == 20).any() == (radius == 20)
