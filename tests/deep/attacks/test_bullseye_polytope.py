"""Bullseye polytope against feature collision, and on a network of the literature."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn

from toadstone.datasets.catalogue.published import load_setups
from toadstone.deep.attacks.bullseye_polytope import BullseyePolytope
from toadstone.deep.attacks.feature_collision import FeatureCollision
from toadstone.deep.tensors.checkpoints import load_arrays
from toadstone.deep.tensors.features import activations
from toadstone.deep.tensors.images import load_images
from toadstone.deep.tensors.networks import CIFAR10_DEVIATION, CIFAR10_MEAN, HEAD, Normalise, ResNet


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_with_one_poison_it_has_the_minimiser_of_feature_collision():
    """Both then ask for the image in the ball whose features are nearest to the target's."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 12), nn.Linear(12, 2)).double()
    network[1].weight.data = torch.eye(12).double() + 0.3 * torch.randn(12, 12, generator=seeded()).double()
    base = torch.randint(0, 256, (4, 1, 3, 2, 2), generator=seeded(), dtype=torch.uint8)
    target = torch.rand(4, 3, 2, 2, generator=seeded())
    one = BullseyePolytope(radius=40, steps=600, learning_rate=0.001)
    other = FeatureCollision(radius=40, pull=0.0, watermark=0.0, steps=400, step_size=0.1)
    made = [attack.craft([network], "2", base, target, generator=seeded()).int() for attack in (one, other)]
    assert (made[0] - made[1]).abs().max() <= 1
    inner = (made[0] - base.int()).abs() < 40
    assert inner.any(), "a minimiser at a corner of the ball would be no test"


def test_further_layers_are_matched_too():
    """With both counted, the second layer is met better than by an attack on the head alone."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(192, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 2))
    for module in network[1::2]:
        module.weight.data = torch.randn(module.weight.shape, generator=seeded()) / 4
        module.bias.data = torch.randn(module.bias.shape, generator=seeded()) / 4
    base = torch.randint(0, 256, (2, 2, 3, 8, 8), generator=seeded(), dtype=torch.uint8)
    target = torch.rand(2, 3, 8, 8, generator=seeded())

    def middle(images):
        return network[:3](images.flatten(0, -4)).unflatten(0, images.shape[:-3])

    missed = []
    for layers in ((), ("3",)):
        attack = BullseyePolytope(radius=8, steps=60, layers=layers)
        made = attack.craft([network.eval()], "5", base, target, generator=seeded())
        missed.append((middle(made / 255).mean(1) - middle(target)).norm(dim=1))
    assert (missed[1] < missed[0]).all()


@pytest.mark.data
def test_two_published_targets_on_a_trained_resnet(data_dir):
    """The mean of 25 poisons lands on each target, as the network sees them.

    Their bases are test pictures of the right class, which are read sooner than the training pictures.
    """
    setups = load_setups("transfer")
    images, labels = load_images("cifar10", "test", folder=data_dir)
    bases = torch.stack([images[labels == wanted][:25] for wanted in setups.base_class[:2].tolist()])
    targets = images[torch.from_numpy(setups.target_index[:2])].float() / 255
    network = ResNet((3, 3, 3), normalise=Normalise(CIFAR10_MEAN, CIFAR10_DEVIATION))
    load_arrays(network, data_dir / "cifar10_resnet20.npz")
    made = BullseyePolytope(radius=8, steps=15).craft([network], HEAD, bases, targets, generator=seeded())
    assert (made.int() - bases.int()).abs().max() == 8
    goal = activations(network, HEAD, targets)
    apart = [
        (activations(network, HEAD, several.flatten(0, 1)).reshape(2, 25, -1).mean(1) - goal).norm(dim=1)
        / goal.norm(dim=1)
        for several in (bases, made)
    ]
    assert apart[0].min() > 0.9
    assert apart[1].max() < 0.1
