"""Surrogates: features of the attacker's networks."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn

from toadstone.core.errors import InvalidArgument
from toadstone.deep.attacks.surrogates import home, surrogates_of


def network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 6, 4, stride=4), nn.Dropout(0.3), nn.Flatten(), nn.Linear(24, 4))


def image() -> torch.Tensor:
    return torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def test_draws_of_dropout_are_averaged():
    model = network().train()
    (drawn,) = surrogates_of([model], "3", draws=3)
    torch.manual_seed(0)
    (found,) = drawn.features(image())
    torch.manual_seed(0)
    passes = [model[:3](image()) for _ in range(3)]
    assert torch.equal(found, torch.stack(passes).mean(0))


def test_features_of_groups_and_their_means():
    model = network().eval()
    (surrogate,) = surrogates_of([model], "3", layers=("1",))
    several = torch.rand(2, 5, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    for found, mean, part in zip(
        surrogate.groups(several), surrogate.means(several), (model[:3], model[:1]), strict=True
    ):
        expected = part(several.flatten(0, 1)).reshape(2, 5, -1)
        assert torch.equal(found, expected)
        assert torch.equal(mean, expected.mean(1))


def test_a_layer_that_the_network_does_not_use_is_refused():
    model = network()
    model.spare = nn.Linear(1, 1)
    model.forward = lambda images: model[3](model[2](model[0](images)))
    (surrogate,) = surrogates_of([model], "3", layers=("spare",))
    with pytest.raises(InvalidArgument, match="`layers`: expected modules that the network uses, got 1 of 2"):
        surrogate.features(image())


def test_images_for_a_network_are_of_single_precision_at_least():
    assert home(network().bfloat16()) == (torch.device("cpu"), torch.float32)
    assert home(network().double())[1] == torch.float64
    assert home(nn.Flatten()) == (torch.device("cpu"), torch.float32)
