"""TRADES: adversarial training on cross entropy plus the divergence of predictions within a radius."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy, kl_div

from toadstone.core.checks import check_count, check_within
from toadstone.core.errors import InvalidArgument
from toadstone.deep.tensors.features import evaluating, float_logits

_START = 0.001
"""Standard deviation of the initial noise: at the image itself the divergence has no slope."""


@dataclass(frozen=True, kw_only=True)
class Trades:
    """Cross entropy plus the largest divergence of predictions within a radius [1]_.

    An objective of `toadstone.deep.training.loop.train`, or of any loop.

    Parameters
    ----------
    radius : float
        Of the maximum-norm ball, in 8-bit levels; the paper's 0.031 is 7.9
        levels.
    step : float
        Size of an ascent step, in 8-bit levels; the paper's 0.003 is 0.77.
    steps : int
        Number of ascent steps.
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
        """Return the loss of a batch and the logits of its images.

        Parameters
        ----------
        model : Module
            In training mode; the ascent is in evaluation mode.
        images : Tensor of shape (n, channels, height, width)
            Floating-point, in [0, 1].
        labels : Tensor of shape (n,), int64
        generator : torch.Generator
            On the CPU; draws the initial noise.

        Returns
        -------
        loss : Tensor
            A scalar.
        logits : Tensor of shape (n, n_classes)
        """
        worst = self.worst(model, images, generator)
        clean = float_logits(model, images)
        divergence = _divergence(float_logits(model, worst), clean)
        return cross_entropy(clean, labels) + self.weight * divergence, clean

    def worst(self, model: nn.Module, images: Tensor, generator: Generator) -> Tensor:
        """Return images within the radius and [0, 1] with the largest divergence found, detached."""
        radius, step = self.radius / 255, self.step / 255
        lowest, highest = (images - radius).clamp(min=0), (images + radius).clamp(max=1)
        noise = _START * torch.randn(images.shape, generator=generator)
        moved = images.detach() + noise.to(images.device, images.dtype)
        # In evaluation mode: the ascent must not move the statistics of batch norms.
        with evaluating(model):
            with torch.no_grad():
                clean = float_logits(model, images)
            for _ in range(self.steps):
                moved.requires_grad_()
                (slope,) = torch.autograd.grad(_divergence(float_logits(model, moved), clean), moved)
                moved = torch.clamp(moved.detach() + step * slope.sign(), lowest, highest)
        return moved.detach()


def _divergence(others: Tensor, clean: Tensor) -> Tensor:
    """Return the mean Kullback-Leibler divergence of the others' class probabilities from the clean ones, in nats."""
    return kl_div(others.log_softmax(dim=1), clean.log_softmax(dim=1), log_target=True, reduction="batchmean")
