"""Label-consistent backdoor: a trigger on correctly labelled images that are hard to classify without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidData
from toadstone.deep.attacks.feature_ascent import check_finite
from toadstone.deep.attacks.linf_ball import LEVELS, PixelBall, unit
from toadstone.deep.attacks.surrogates import all_evaluating, check_networks, home
from toadstone.deep.attacks.triggers import ImageTrigger, stamp
from toadstone.deep.tensors.batched_memory import in_blocks
from toadstone.deep.tensors.features import logits, outputs
from toadstone.deep.tensors.images import check_images, check_labels


@dataclass(frozen=True, eq=False, kw_only=True)
class LabelConsistentBackdoor:
    """Perturb images away from their own class by projected gradient ascent, then stamp the trigger.

    The network learns the trigger, since the rest of the image misleads.
    Labels stay correct and pass inspection.

    Parameters
    ----------
    trigger : PatchTrigger, BlendedTrigger or SinusoidalTrigger
    radius : int
        Of the maximum-norm ball of the ascent, in 8-bit levels; the trigger
        is not bound by it.
    steps : int
    step_size : int
        In 8-bit levels, along the sign of the gradient.
    block : int
        Images in one pass; halved where memory runs out.

    Raises
    ------
    InvalidArgument
        If a number is out of range.

    References
    ----------
    .. [1] Turner, Tsipras and Madry, "Label-consistent backdoor attacks",
       2019, by adversarial perturbations.
    """

    trigger: ImageTrigger
    radius: int = 8
    steps: int = 20
    step_size: int = 2
    block: int = 128

    def __post_init__(self) -> None:
        PixelBall(radius=self.radius)
        check_count(steps=self.steps, step_size=self.step_size, block=self.block)

    def craft(self, networks: Sequence[nn.Module], head: str, bases: Tensor, labels: Tensor) -> Tensor:
        """Perturb images of the target class and stamp the trigger on them.

        Parameters
        ----------
        networks : sequence of Module
            The attacker's surrogates, whose summed loss is raised; unchanged.
        head : str
            Name of their last layer.
        bases : uint8 Tensor of shape (n, C, H, W)
        labels : int64 Tensor of shape (n,)
            Labels of the bases.

        Returns
        -------
        uint8 Tensor of shape (n, C, H, W)
            Perturbed copies, on the bases' device.

        Raises
        ------
        InvalidArgument, InvalidData
            If an argument is invalid, shapes do not match, or the loss of a
            network is not finite.
        """
        check_networks(networks)
        check_images(bases)
        if bases.dtype != torch.uint8:
            raise InvalidData(f"bases: expected uint8 images, got {bases.dtype}")
        check_labels(labels, count=len(bases), classes=logits(networks[0], bases[:1]).shape[1])
        device, dtype = home(networks[0])
        ball = PixelBall(radius=self.radius)

        def work(rows: slice) -> Tensor:
            base = bases[rows].to(device)
            return ball.rounded(self._ascend(networks, head, base, labels[rows].to(device), dtype), base)

        with all_evaluating(networks):
            hard = in_blocks(work, len(bases), block=self.block)
        return stamp(hard.to(bases.device), self.trigger)

    def _ascend(
        self, networks: Sequence[nn.Module], head: str, base: Tensor, labels: Tensor, dtype: torch.dtype
    ) -> Tensor:
        bounds = PixelBall(radius=self.radius).bounds(base, dtype=dtype)
        images = unit(base, dtype)
        for _ in range(self.steps):
            asked = images.detach().requires_grad_()
            losses = [cross_entropy(outputs(network, head, asked)[1], labels, reduction="sum") for network in networks]
            check_finite(torch.stack(losses))
            (slope,) = torch.autograd.grad(torch.stack(losses).sum(), asked)
            # Steps of whole levels: the final rounding has nothing to undo.
            images = (images + self.step_size / LEVELS * slope.sign()).clamp(*bounds)
        return images
