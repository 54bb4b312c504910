"""Laws of the attacks on networks, over all that toadstone.deep exports: budget, labels, repeatability, inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from toadstone.attacks.backdoors.image_shape import ImageShape
from toadstone.attacks.backdoors.trigger import BlendedTrigger, PatchTrigger

torch = pytest.importorskip("torch")
deep = pytest.importorskip("toadstone.deep")

pytestmark = [pytest.mark.deep, pytest.mark.filterwarnings("ignore:hidden trigger")]

HEAD, SIDE, COUNT = "head", 8, 3
SHAPE = ImageShape(height=SIDE, width=SIDE, channels=3)
PATCH = PatchTrigger(shape=SHAPE, size=2)


class Small(torch.nn.Module):
    """A convolution, a batch norm, dropout and a head for three classes."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.body = torch.nn.Conv2d(3, 6, 4, stride=4)
        self.norm = torch.nn.BatchNorm2d(6)
        self.drop = torch.nn.Dropout(0.3)
        self.head = torch.nn.Linear(24, 3)
        generator = torch.Generator().manual_seed(seed)
        for weight in self.parameters():
            weight.data = torch.randn(weight.shape, generator=generator) / 4

    def forward(self, images):
        return self.head(self.drop(self.norm(self.body(images)).tanh()).flatten(1))


def drawn(*shape: int, seed: int) -> Any:
    """8-bit images, half of the first one black and half of the second one white."""
    images = torch.randint(0, 256, (*shape, 3, SIDE, SIDE), generator=seeded(seed), dtype=torch.uint8)
    images.view(-1, 3, SIDE, SIDE)[0, :, :4] = 0
    images.view(-1, 3, SIDE, SIDE)[1, :, :4] = 255
    return images


def seeded(seed: int) -> Any:
    return torch.Generator().manual_seed(seed)


@dataclass(frozen=True, eq=False)
class Inputs:
    """Everything that the attacks are given; new tensors and networks each time."""

    networks: list[Any] = field(default_factory=lambda: [Small(seed) for seed in range(2)])
    bases: Any = field(default_factory=lambda: drawn(2, 4, seed=1))
    sources: Any = field(default_factory=lambda: drawn(2, 5, seed=2))
    targets: Any = field(default_factory=lambda: torch.rand(2, 3, SIDE, SIDE, generator=seeded(3)))
    intended: Any = field(default_factory=lambda: torch.tensor([2, 0]))
    images: Any = field(default_factory=lambda: drawn(9, seed=4))
    labels: Any = field(default_factory=lambda: torch.arange(9) % 3)

    def state(self) -> list[Any]:
        """Copies of all tensors, weights and statistics, and all modes."""
        tensors = [self.bases, self.sources, self.targets, self.intended, self.images, self.labels]
        weights = [value for network in self.networks for value in network.state_dict().values()]
        modes = [module.training for network in self.networks for module in network.modules()]
        needed = [weight.requires_grad for network in self.networks for weight in network.parameters()]
        return [value.clone() for value in (*tensors, *weights, torch.get_rng_state())] + [torch.tensor(modes + needed)]


@dataclass(frozen=True, eq=False)
class Crafted:
    """Images, their bases, and their labels before and after; the pixels that a trigger may cover are exempt."""

    images: Any
    bases: Any
    before: Any
    after: Any
    free: Any = field(default_factory=lambda: torch.zeros(SIDE, SIDE, dtype=torch.bool))


def on_features(attack: Any, given: Inputs, generator: Any) -> Crafted:
    made = attack.craft(given.networks, HEAD, given.bases, given.targets, generator=generator)
    return clean_label(made, given)


def gradient_matching(attack: Any, given: Inputs, generator: Any) -> Crafted:
    made = attack.craft(given.networks, HEAD, given.bases, given.targets, given.intended, generator=generator)
    return clean_label(made, given)


def hidden_trigger(attack: Any, given: Inputs, generator: Any) -> Crafted:
    made = attack.craft(given.networks, HEAD, given.bases, given.sources, generator=generator)
    return clean_label(made, given)


def sleeper_agent(attack: Any, given: Inputs, generator: Any) -> Crafted:
    bases, label = given.bases[0], int(given.intended[0])
    made = attack.craft(given.networks, HEAD, bases, given.targets, label, generator=generator)
    kept = given.intended[:1].repeat(len(bases))
    return Crafted(made, bases, kept, kept)


def clean_label(made: Any, given: Inputs) -> Crafted:
    """Crafted images alone: they keep the labels of their bases."""
    kept = given.intended.repeat_interleave(given.bases.shape[1])
    return Crafted(made.flatten(0, 1), given.bases.flatten(0, 1), kept, kept)


def label_consistent(attack: Any, given: Inputs, generator: Any) -> Crafted:
    made = attack.craft(given.networks, HEAD, given.images, given.labels)
    return Crafted(made, given.images, given.labels, given.labels, corner())


def visible(attack: Any, given: Inputs, generator: Any) -> Crafted:
    made = attack.craft(given.images, given.labels, count=COUNT, generator=generator)
    assert ((made.images != given.images).flatten(1).any(1).nonzero()[:, 0] == made.rows).all()
    rows = made.rows
    free = corner() if attack.trigger is PATCH else ~torch.zeros_like(corner())
    return Crafted(made.images[rows], given.images[rows], given.labels[rows], made.labels[rows], free)


def corner() -> Any:
    """The pixels of the patch, bottom right."""
    mask = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    mask[-2:, -2:] = True
    return mask


Crafting = Callable[[Any, Inputs, Any], Crafted]
BUILDERS: Mapping[str, tuple[Crafting, Callable[[int], list[Any]]]] = {
    "BullseyePolytope": (
        on_features,
        lambda radius: [
            deep.BullseyePolytope(radius=radius, steps=4, learning_rate=0.05),
            deep.BullseyePolytope(radius=radius, steps=3, learning_rate=0.05, draws=2, layers=("norm",)),
        ],
    ),
    "ConvexPolytope": (
        on_features,
        lambda radius: [deep.ConvexPolytope(radius=radius, steps=4, learning_rate=0.05)],
    ),
    "SleeperAgent": (
        sleeper_agent,
        lambda radius: [deep.SleeperAgent(radius=radius, steps=4, retrainings=1, learning_rate=0.05)],
    ),
    "FeatureCollision": (
        on_features,
        lambda radius: [
            deep.FeatureCollision(radius=radius, steps=4),
            deep.FeatureCollision(radius=radius, steps=4, pull=0.0, watermark=0.0, step_size=0.1),
        ],
    ),
    "GradientMatching": (
        gradient_matching,
        lambda radius: [deep.GradientMatching(radius=radius, steps=3, restarts=2, block=3)],
    ),
    "HiddenTrigger": (
        hidden_trigger,
        lambda radius: [deep.HiddenTrigger(trigger=PATCH, radius=radius, steps=4, learning_rate=0.2, enough=0.0)],
    ),
    "LabelConsistentBackdoor": (
        label_consistent,
        lambda radius: [deep.LabelConsistentBackdoor(trigger=PATCH, radius=radius, steps=4)],
    ),
    "VisibleBackdoor": (
        visible,
        lambda radius: [
            deep.VisibleBackdoor(trigger=PATCH, target=1),
            deep.VisibleBackdoor(trigger=BlendedTrigger(shape=SHAPE, picture=blend(), opacity=0.2), target=0, source=2),
        ],
    ),
}
"""By class: how it is called, and attacks of that class within a radius."""

RELABELS = {"VisibleBackdoor"}
"""Classes of attacks that change labels, to their target."""

SUMS_GRADIENTS = {"GradientMatching"}
"""Classes of attacks that sum gradients of weights in an order that depends on the number of threads."""


def blend() -> Any:
    return torch.rand(SIDE, SIDE, 3, generator=seeded(5), dtype=torch.float64).numpy()


ATTACKS = pytest.mark.parametrize("name", sorted(BUILDERS))


def crafted(name: str, radius: int = 8, given: Inputs | None = None, seed: int = 0) -> Iterator[tuple[Any, Crafted]]:
    """Each attack of a class, and what it makes of the inputs."""
    call, build = BUILDERS[name]
    for attack in build(radius):
        yield attack, call(attack, given or Inputs(), seeded(seed))


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_every_exported_attack_keeps_these_laws():
    exported = {name for name in deep.__all__ if hasattr(getattr(deep, name), "craft")}
    assert exported == set(BUILDERS), "BUILDERS has to say how to build and call each of them"


@ATTACKS
@pytest.mark.parametrize("radius", [1, 8, 255])
def test_pixels_stay_within_the_ball_and_some_move(name, radius):
    for attack, made in crafted(name, radius):
        assert made.images.dtype == torch.uint8
        assert made.images.shape == made.bases.shape
        bound = getattr(attack, "radius", 0)
        moved = (made.images.int() - made.bases.int()).abs()
        assert int(moved[..., ~made.free].max() if not made.free.all() else 0) <= bound
        assert bool(moved.any())


@ATTACKS
def test_labels_are_as_the_threat_model_says(name):
    for attack, made in crafted(name):
        if name in RELABELS:
            assert len(made.images) == COUNT
            assert (made.before != attack.target).all()
            assert (made.after == attack.target).all()
        else:
            assert torch.equal(made.after, made.before)


@ATTACKS
def test_the_same_seed_gives_the_same_bytes(name):
    for (_, one), (_, two) in zip(crafted(name, seed=3), crafted(name, seed=3), strict=True):
        assert torch.equal(one.images, two.images)
        assert torch.equal(one.after, two.after)


@ATTACKS
def test_nothing_given_is_changed(name):
    given = Inputs()
    given.networks[0].train()
    given.networks[1].eval()
    given.networks[1].head.bias.requires_grad = False
    before = given.state()
    for _ in crafted(name, given=given):
        assert all(map(torch.equal, before, given.state()))
        assert all(weight.grad is None for network in given.networks for weight in network.parameters())
        assert not any(module._forward_pre_hooks for network in given.networks for module in network.modules())


@ATTACKS
def test_the_mode_of_the_networks_is_irrelevant(name):
    training, evaluating = Inputs(), Inputs()
    for one, two in zip(training.networks, evaluating.networks, strict=True):
        one.train()
        two.eval()
    for (_, one), (_, two) in zip(crafted(name, given=training), crafted(name, given=evaluating), strict=True):
        assert torch.equal(one.images, two.images)


@ATTACKS
def test_the_number_of_threads_is_irrelevant(name):
    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found.append([made.images for _, made in crafted(name)])
    for one, two in zip(*found, strict=True):
        assert float((one != two).double().mean()) <= (0.01 if name in SUMS_GRADIENTS else 0)
