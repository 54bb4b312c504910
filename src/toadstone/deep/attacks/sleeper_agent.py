"""Sleeper Agent: a hidden-trigger backdoor against training from scratch, by gradient matching."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Generator, Tensor, nn

from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidData
from toadstone.deep.attacks.feature_ascent import check_finite, check_rate
from toadstone.deep.attacks.gradient_alignment import Alignment, goal_gradient
from toadstone.deep.attacks.gradient_matching import Augmentation
from toadstone.deep.attacks.linf_ball import LEVELS, PixelBall, unit
from toadstone.deep.attacks.surrogates import all_evaluating, check_networks, home
from toadstone.deep.tensors.augmentation import flip_shift
from toadstone.deep.tensors.checks import check_generator
from toadstone.deep.tensors.features import activations, head_gradients, logits
from toadstone.deep.tensors.images import check_images, check_labels

Retraining: TypeAlias = Callable[[Tensor], Sequence[nn.Module]]
"""Takes the poisons so far, uint8 of shape (k, C, H, W), and returns surrogates that were trained on them."""


@dataclass(frozen=True, kw_only=True)
class SleeperAgent:
    """Perturb images of the target label so that training on them calls it up by a trigger that they do not carry [1]_.

    The gradient of the poisons under their own label is aligned with that of
    triggered source images under the target label. The surrogates are trained
    again on the poisons `retrainings` times, since a network that has seen
    them has other gradients.

    Parameters
    ----------
    radius : int
        Of the maximum-norm ball around each base, in 8-bit levels.
    steps : int
        In all.
    retrainings : int
        Of the surrogates, evenly among the steps.
    learning_rate : float
        Of signed Adam, in units of the pixel range [0, 1].
    augmentation : callable
        Applied to the poisons anew at each step.
    block : int
        Poisons in one pass; halved where memory runs out.

    Raises
    ------
    InvalidArgument
        If a number is out of range.

    References
    ----------
    .. [1] Souri, Fowl, Chellappa, Goldblum and Goldstein, "Sleeper Agent:
       scalable hidden trigger backdoors for neural networks trained from
       scratch", NeurIPS 2022, algorithm 1.
    """

    radius: int = 16
    steps: int = 250
    retrainings: int = 4
    learning_rate: float = 0.025
    augmentation: Augmentation = flip_shift
    block: int = 128

    def __post_init__(self) -> None:
        PixelBall(radius=self.radius)
        check_count(steps=self.steps, block=self.block)
        check_count(0, retrainings=self.retrainings)
        check_rate(self.learning_rate)

    def craft(
        self,
        networks: Sequence[nn.Module],
        head: str,
        bases: Tensor,
        sources: Tensor,
        label: int,
        *,
        generator: Generator,
        retrain: Retraining | None = None,
    ) -> Tensor:
        """Perturb bases.

        Parameters
        ----------
        networks : sequence of Module
            The attacker's surrogates, trained on clean images; unchanged.
        head : str
            Name of their last layer.
        bases : uint8 Tensor of shape (k, C, H, W)
            Images of the target label; `strongest_bases` chooses them.
        sources : float Tensor of shape (m, C, H, W)
            Images of other labels with the trigger, in [0, 1].
        label : int
            Target label.
        generator : Generator
            On the CPU; draws noise and augmentation.
        retrain : callable, optional
            Trains surrogates on the poisons so far; without it they stay.

        Returns
        -------
        uint8 Tensor of shape (k, C, H, W)
            Perturbed copies, on the bases' device; none carries the trigger.

        Raises
        ------
        InvalidArgument, InvalidData
            If an argument is invalid, or the gradient of the sources vanishes.
        """
        check_networks(networks)
        check_generator(generator)
        check_images(sources)
        if bases.dtype != torch.uint8 or bases.shape[1:] != sources.shape[1:]:
            expected = f"uint8 images of shape {tuple(sources.shape[1:])}"
            raise InvalidData(f"bases: expected {expected}, got {bases.dtype} of shape {tuple(bases.shape[1:])}")
        wanted = torch.tensor([label])
        check_labels(wanted, count=1, classes=logits(networks[0], sources[:1]).shape[1])
        device, dtype = home(networks[0])
        base, triggered = bases.to(device), sources.to(device, dtype)
        ball, reach = PixelBall(radius=self.radius), self.radius / LEVELS
        bounds = ball.bounds(base, dtype=dtype)
        noise = torch.randn(base.shape, generator=generator, dtype=dtype).to(device) * reach
        images = (unit(base, dtype) + noise.clamp(-reach, reach)).clamp(*bounds).requires_grad_()
        adam = torch.optim.Adam([images], lr=self.learning_rate)
        goal, at = wanted[0].to(device), self._retrained_at()
        alignment = self._aligned(networks, head, triggered, goal)
        for step in range(self.steps):
            if retrain is not None and step in at:
                alignment = self._aligned(retrain(ball.rounded(images.detach(), base)), head, triggered, goal)
            with all_evaluating(alignment.networks):
                changed = self.augmentation(images, generator)
                _, slope = alignment.measure(changed.detach())
            images.grad = torch.autograd.grad(changed, images, slope)[0].sign()
            adam.step()
            with torch.no_grad():
                images.clamp_(*bounds)
        check_finite(images.detach())
        return ball.rounded(images.detach(), base).to(bases.device)

    def _retrained_at(self) -> set[int]:
        """Return the steps before which surrogates are trained again."""
        parts = self.retrainings + 1
        return {self.steps * part // parts for part in range(1, parts)}

    def _aligned(self, networks: Sequence[nn.Module], head: str, sources: Tensor, label: Tensor) -> Alignment:
        with all_evaluating(networks):
            goals = [goal_gradient(network, head, sources, label) for network in networks]
        return Alignment(networks=networks, head=head, goals=goals, label=label, block=self.block)


def strongest_bases(network: nn.Module, head: str, images: Tensor, labels: Tensor, label: int, *, count: int) -> Tensor:
    """Return the images of a label whose gradients by the last layer are the largest [1]_.

    Parameters
    ----------
    network : Module
    head : str
    images : Tensor of shape (n, C, H, W)
    labels : int64 Tensor of shape (n,)
    label : int
    count : int

    Returns
    -------
    int64 Tensor of shape (count,)
        Their indices, ascending.

    Raises
    ------
    InvalidData
        If there are fewer such images.

    References
    ----------
    .. [1] Souri and others, "Sleeper Agent", NeurIPS 2022, section 4.
    """
    check_labels(labels, count=len(images))
    own = (labels == label).nonzero()[:, 0]
    if len(own) < count:
        raise InvalidData(f"images: expected {count} or more of label {label}, got {len(own)}")
    shown = images[own.to(images.device)]
    # The gradient by the weights of the last layer is the outer product of these two.
    slopes = head_gradients(network, shown, labels[own]).norm(dim=1)
    inputs = activations(network, head, shown).norm(dim=1)
    order = (slopes * inputs).cpu().argsort(descending=True, stable=True)
    return own[order[:count]].sort().values
