"""TRADES: a network is asked to say of the worst nearby image what it says of the image itself."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy, kl_div

from toadstone.core.checks import check_count, check_within
from toadstone.core.errors import InvalidArgument
from toadstone.deep.tensors.features import evaluating

_START = 0.001
"""Deviation of the noise that leaves the image, where the divergence has no slope."""


@dataclass(frozen=True, kw_only=True)
class Trades:
    """Cross entropy, and how far answers diverge within a radius [1]_.

    An objective of `toadstone.deep.training.loop.train`, or of any loop.

    Parameters
    ----------
    radius : float
        Of the ball in the largest norm, in levels of eight bits; the paper
        has 0.031 of the range, 7.9 levels.
    step : float
        Of each ascent, in the same unit; the paper's 0.003 is 0.77 levels.
    steps : int
        How many.
    weight : float
        Of the divergence; the paper's 1 / lambda, 1 to 6.

    Raises
    ------
    InvalidArgument
        If a number is out of range.

    References
    ----------
    .. [1] Zhang and others, "Theoretically principled trade-off between
       robustness and accuracy", ICML 2019, equation 5 and algorithm 1.
    """

    radius: float = 8.0
    step: float = 0.77
    steps: int = 10
    weight: float = 6.0

    def __post_init__(self) -> None:
        check_within("(0, 255]", radius=self.radius, step=self.step)
        check_count(steps=self.steps)
        if not 0 <= self.weight < float("inf"):
            raise InvalidArgument("weight", "a number from 0", self.weight)

    def __call__(self, model: nn.Module, images: Tensor, labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """The loss of a batch, and the logits of its images.

        Parameters
        ----------
        model : Module
            In the mode to train in; the ascent is in evaluation mode.
        images : Tensor of shape (n, channels, height, width)
            Floating-point, in [0, 1].
        labels : Tensor of shape (n,), int64
        generator : torch.Generator
            On the host; draws where the ascent starts.

        Returns
        -------
        loss : Tensor
            A scalar.
        logits : Tensor of shape (n, n_classes)
        """
        worst = self.worst(model, images, generator)
        clean = _logits(model, images)
        divergence = _divergence(_logits(model, worst), clean)
        return cross_entropy(clean, labels) + self.weight * divergence, clean

    def worst(self, model: nn.Module, images: Tensor, generator: Generator) -> Tensor:
        """Images within the radius, and of legal values, whose answers diverge; gradients do not pass."""
        radius, step = self.radius / 255, self.step / 255
        lowest, highest = (images - radius).clamp(min=0), (images + radius).clamp(max=1)
        noise = _START * torch.randn(images.shape, generator=generator)
        moved = images.detach() + noise.to(images.device, images.dtype)
        with evaluating(model):
            with torch.no_grad():
                clean = _logits(model, images)
            for _ in range(self.steps):
                moved.requires_grad_()
                (slope,) = torch.autograd.grad(_divergence(_logits(model, moved), clean), moved)
                moved = torch.clamp(moved.detach() + step * slope.sign(), lowest, highest)
        return moved.detach()


def _divergence(others: Tensor, clean: Tensor) -> Tensor:
    """Mean Kullback-Leibler divergence of the others' classes from the clean ones', in nats."""
    return kl_div(others.log_softmax(dim=1), clean.log_softmax(dim=1), log_target=True, reduction="batchmean")


def _logits(model: nn.Module, images: Tensor) -> Tensor:
    given = model(images)
    return getattr(given, "logits", given).float()
