"""Surrogates: the attacker's networks in place of the victim's, and their features of images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Generator, Tensor, nn

from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.tensors.checks import check_generator
from toadstone.deep.tensors.features import check_model, evaluating, find_head
from toadstone.deep.tensors.images import as_input

_DROPOUT = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


@dataclass(frozen=True, eq=False, kw_only=True)
class Surrogate:
    """A network and the modules whose inputs are its features of an image.

    Parameters
    ----------
    network : Module
    places : tuple of Module
        Modules of the network.
    draws : int
        Forward passes, each with dropout of its own, to average; 0 for one
        pass without dropout.
    """

    network: nn.Module
    places: tuple[nn.Module, ...]
    draws: int = 0

    def features(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the inputs of the places, flattened and differentiable by the images.

        Parameters
        ----------
        images : Tensor of shape (n, C, H, W)

        Returns
        -------
        tuple of Tensor of shape (n, d)
            One for each place.
        """
        passes = [self._seen(images) for _ in range(max(self.draws, 1))]
        return tuple(torch.stack(several).mean(0) for several in zip(*passes, strict=True))

    def _seen(self, images: Tensor) -> list[Tensor]:
        seen: dict[int, Tensor] = {}

        def note(place: int, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            seen[place] = inputs[0].flatten(1).to(images)

        with ExitStack() as hooks:
            for place, module in enumerate(self.places):
                hooks.callback(module.register_forward_pre_hook(partial(note, place)).remove)
            anchor = next(self.network.parameters(), images)
            self.network(as_input(images, anchor))
        if len(seen) < len(self.places):
            raise InvalidArgument("layers", "modules that the network uses", f"{len(seen)} of {len(self.places)}")
        return [seen[place] for place in range(len(self.places))]

    def groups(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the features of images of shape (t, k, C, H, W), a tensor of shape (t, k, d) for each place."""
        return tuple(seen.reshape(*images.shape[:2], -1) for seen in self.features(images.flatten(0, 1)))

    def means(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the mean features of each group, a tensor of shape (t, d) for each place."""
        return tuple(seen.mean(1) for seen in self.groups(images))


def surrogates_of(
    networks: Sequence[nn.Module], head: str, *, layers: Sequence[str] = (), draws: int = 0
) -> tuple[Surrogate, ...]:
    """Find the modules of these names in each network.

    Parameters
    ----------
    networks : sequence of Module
        At least one.
    head : str
        Name of the last layer in all of them.
    layers : sequence of str
        Further modules whose inputs are features.
    draws : int

    Raises
    ------
    InvalidArgument
        If there is no network, or `draws` is not a whole number from 0.
    UnknownName
        If a network has no module of a name.
    """
    check_networks(networks)
    check_count(0, draws=draws)
    return tuple(
        Surrogate(
            network=network,
            places=(find_head(network, head), *(find_head(network, name, option="layers") for name in layers)),
            draws=draws,
        )
        for network in networks
    )


def check_networks(networks: Sequence[nn.Module]) -> None:
    """Check for a list of at least one network."""
    if not isinstance(networks, Sequence) or not networks:
        raise InvalidArgument("networks", "a list of one network or more", type(networks).__name__)
    for network in networks:
        check_model(network)


@contextmanager
def all_evaluating(networks: Sequence[nn.Module]) -> Iterator[None]:
    """Put networks in evaluation mode, and afterwards each module back in the mode that it had."""
    with ExitStack() as modes:
        for network in networks:
            modes.enter_context(evaluating(network))
        yield


def home(network: nn.Module) -> tuple[torch.device, torch.dtype]:
    """Return the device of a network's weights and the dtype of images for it, of at least single precision."""
    # Near 1, bfloat16 has steps of a whole level: smaller perturbations would vanish.
    for weight in network.parameters():
        return weight.device, torch.promote_types(weight.dtype, torch.float32)
    return torch.device("cpu"), torch.float32


def seed_from(generator: Generator) -> int:
    """Draw a seed from a generator on any device."""
    return int(torch.randint(2**62, (), generator=generator, device=generator.device))


@contextmanager
def at_rest(surrogates: Sequence[Surrogate], *, generator: Generator) -> Iterator[None]:
    """Switch off training mode and gradients of weights, keep drawn dropout on, and restore all of it afterwards.

    Torch draws dropout from its global generators, which are seeded here and
    restored.
    """
    check_generator(generator)
    networks = [surrogate.network for surrogate in surrogates]
    modes = [(module, module.training) for network in networks for module in network.modules()]
    trainable = [(weight, weight.requires_grad) for network in networks for weight in network.parameters()]
    devices = [device for device in {home(network)[0] for network in networks} if device.type == "cuda"]
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed_from(generator))
        try:
            # Dropout alone is in training mode: batch norms keep their statistics.
            for surrogate in surrogates:
                for module in surrogate.network.modules():
                    module.training = surrogate.draws > 0 and isinstance(module, _DROPOUT)
            for weight, _ in trainable:
                weight.requires_grad = False
            yield
        finally:
            for module, mode in modes:
                module.training = mode
            for weight, required in trainable:
                weight.requires_grad = required


def goals_of(surrogates: Sequence[Surrogate], targets: Tensor) -> list[tuple[Tensor, ...]]:
    """Return each surrogate's features of the targets, averaged over the images of a target.

    Parameters
    ----------
    surrogates : sequence of Surrogate
    targets : Tensor of shape (t, m, C, H, W)

    Returns
    -------
    list of tuple of Tensor of shape (t, d)

    Raises
    ------
    InvalidData
        If features are not finite, or all zero: losses are relative to their
        norm.
    """
    with torch.no_grad():
        goals = [surrogate.means(targets) for surrogate in surrogates]
    for goal in (one for several in goals for one in several):
        lengths = goal.norm(dim=1)
        if not bool((torch.isfinite(lengths) & (lengths > 0)).all()):
            wrong = "zero" if bool((lengths == 0).any()) else "infinite or NaN"
            raise InvalidData(f"networks: expected finite features of each target, not all zero, got {wrong}")
    return goals
