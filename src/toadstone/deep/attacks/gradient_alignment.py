"""Cosine distance between the gradients of two sets of images, over all weights, and its gradient by the images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.tensors.batched_memory import halved, out_of_memory
from toadstone.deep.tensors.features import outputs

Gradient: TypeAlias = tuple[Tensor, ...]
"""One tensor for each weight that is trained."""


def loss_gradient(
    network: nn.Module, head: str, images: Tensor, label: Tensor, *, create_graph: bool = False
) -> Gradient:
    """Return the gradient of the summed cross entropy of images by all weights that require one.

    Parameters
    ----------
    network : Module
        Used in the mode that it is in.
    head : str
    images : Tensor of shape (n, C, H, W)
    label : int64 Tensor of shape ()
        Label of all images.
    create_graph : bool
        True if the result is to be differentiated by the images.

    Returns
    -------
    tuple of Tensor

    Raises
    ------
    InvalidArgument
        If no weight requires a gradient.
    """
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    if not weights:
        raise InvalidArgument("networks", "weights that require gradients", "none")
    logits = outputs(network, head, images)[1]
    loss = cross_entropy(logits, label.expand(len(logits)), reduction="sum")
    # Weights that the network does not use get zeros, so that the gradients of two passes have the same parts.
    return torch.autograd.grad(loss, weights, create_graph=create_graph, allow_unused=True, materialize_grads=True)


def goal_gradient(network: nn.Module, head: str, targets: Tensor, label: Tensor) -> Gradient:
    """Return the gradient of targets under the intended label, scaled to norm one.

    Raises
    ------
    InvalidData
        If its norm is zero, as where the network predicts the intended label
        with certainty, or not finite.
    """
    gradient = loss_gradient(network, head, targets, label)
    length = _length(gradient)
    if not (bool(torch.isfinite(length)) and length > 0):
        raise InvalidData(f"targets: expected a gradient under label {int(label)}, got one of norm {float(length):g}")
    return tuple(part / length for part in gradient)


def mismatch(
    network: nn.Module, head: str, goal: Gradient, images: Tensor, label: Tensor, *, block: int
) -> tuple[Tensor, Tensor]:
    """Return one minus the cosine between the images' gradient and a goal, and its gradient by the images.

    The cosine depends on the sum over all images, so blocks are passed twice:
    the first pass adds up their gradients, the second differentiates each
    block's summand. A single block is passed once.

    Parameters
    ----------
    network : Module
    head : str
    goal : tuple of Tensor
        Of norm one, as `goal_gradient` returns it.
    images : Tensor of shape (n, C, H, W)
    label : int64 Tensor of shape ()
    block : int

    Returns
    -------
    loss : Tensor of shape ()
        In [0, 2].
    slope : Tensor of shape (n, C, H, W)

    References
    ----------
    .. [1] Geiping and others, "Witches' Brew", ICLR 2021, algorithm 1.
    """
    parts = [part.detach().requires_grad_() for part in torch.split(images, block)]
    single = len(parts) == 1
    total: Gradient = ()
    for part in parts:
        last = loss_gradient(network, head, part, label, create_graph=single)
        seen = tuple(share.detach() for share in last)
        total = tuple(map(torch.add, total, seen)) if total else seen
    length = _length(total).clamp(min=torch.finfo(images.dtype).tiny)
    cosine = _inner(goal, total) / length
    # Derivative of 1 - cosine by the summed gradient; by linearity each block's images see only their own summand.
    turn = tuple((cosine * mean / length - wanted) / length for mean, wanted in zip(total, goal, strict=True))
    slopes: list[Tensor] = []
    for part in parts:
        if not single:
            last = loss_gradient(network, head, part, label, create_graph=True)
        slopes += torch.autograd.grad(_inner(turn, last), part)
    return 1 - cosine, torch.cat(slopes)


@dataclass(eq=False, kw_only=True)
class Alignment:
    """The mean of `mismatch` over networks for one target.

    Parameters
    ----------
    networks : sequence of Module
    head : str
    goals : sequence of tuple of Tensor
        One for each network.
    label : int64 Tensor of shape ()
    block : int
        Images in one pass; halved with a warning where memory runs out, and
        then for all later passes.
    """

    networks: Sequence[nn.Module]
    head: str
    goals: Sequence[Gradient]
    label: Tensor
    block: int

    def measure(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss and its gradient by the images, as `mismatch` does."""
        while True:
            try:
                return self._measure(images)
            except RuntimeError as error:
                if self.block == 1 or not out_of_memory(error):
                    raise
            # Outside the handler, where no traceback keeps the block's tensors alive.
            self.block = halved(min(self.block, len(images)))

    def _measure(self, images: Tensor) -> tuple[Tensor, Tensor]:
        found = [
            mismatch(network, self.head, goal, images, self.label, block=self.block)
            for network, goal in zip(self.networks, self.goals, strict=True)
        ]
        losses, slopes = zip(*found, strict=True)
        return torch.stack(losses).mean(), torch.stack(slopes).mean(0)


def _inner(one: Gradient, other: Gradient) -> Tensor:
    """Return the inner product, in at least single precision: sums over all weights lose too much in half."""
    wide = torch.promote_types(one[0].dtype, torch.float32)
    products = [(mine.to(wide) * theirs).sum() for mine, theirs in zip(one, other, strict=True)]
    return torch.stack(products).sum()


def _length(gradient: Gradient) -> Tensor:
    return _inner(gradient, gradient).sqrt()
