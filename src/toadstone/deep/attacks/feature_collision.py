"""Feature collision: clean-label poisons that look like their bases and have the features of the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from toadstone.core.checks import check_count, check_positive
from toadstone.core.errors import InvalidArgument
from toadstone.deep.attacks.feature_ascent import check_finite, craft_in_batches
from toadstone.deep.attacks.linf_ball import PixelBall, PixelBounds
from toadstone.deep.attacks.surrogates import Surrogate, goals_of, surrogates_of

_SHORTEN = 0.2
"""Factor of the step size after a step that did not lower the objective."""


@dataclass(frozen=True, kw_only=True)
class FeatureCollision:
    """Perturb each image so that its features collide with the target's, by forward-backward splitting.

    A poison x of base b minimises
    ``mean_m |phi_m(x) - phi_m(t)|^2 + pull / 2 * |x - b|^2`` within the ball: a
    gradient step for the first term, then the exact proximal step for the
    second and the ball. A step that does not lower a poison's objective is
    rejected, and its step size shortened.

    Parameters
    ----------
    radius : int
        Of the maximum-norm ball around each base, in 8-bit levels; 255 leaves
        only the paper's soft budget, the pull.
    pull : float
        Weight of the distance to the base; 0 leaves only the ball. The paper
        has 4.
    watermark : float
        Opacity of the target blended into the base at the start, in [0, 1).
    steps : int
    step_size : float
        Initial one; a fifth of it after each rejected step.
    draws : int
        Forward passes with dropout to average; 0 for one pass without dropout.
    targets_at_once : int
        Targets in one batch; halved where memory runs out. The result is the
        same up to rounding.

    Raises
    ------
    InvalidArgument
        If a number is out of range.

    References
    ----------
    .. [1] Shafahi, Huang, Najibi, Suciu, Studer, Dumitras and Goldstein,
       "Poison frogs! Targeted clean-label poisoning attacks on neural
       networks", NeurIPS 2018, equation 1 and algorithm 1.
    """

    radius: int = 8
    pull: float = 4.0
    watermark: float = 0.3
    steps: int = 120
    step_size: float = 0.001
    draws: int = 0
    targets_at_once: int = 32

    def __post_init__(self) -> None:
        PixelBall(radius=self.radius)
        check_count(steps=self.steps, targets_at_once=self.targets_at_once)
        for name, most in (("pull", torch.inf), ("watermark", 1.0)):
            if not 0 <= getattr(self, name) < most:
                raise InvalidArgument(name, f"a number in [0, {most:g})", getattr(self, name))
        check_positive(step_size=self.step_size)

    def craft(
        self, networks: Sequence[nn.Module], head: str, bases: Tensor, targets: Tensor, *, generator: Generator
    ) -> Tensor:
        """Perturb the bases of many targets; parameters, result and errors as for `BullseyePolytope.craft`."""
        surrogates = surrogates_of(networks, head, draws=self.draws)
        return craft_in_batches(self, surrogates, bases, targets, generator=generator)

    def perturb(self, surrogates: Sequence[Surrogate], bases: Tensor, bounds: PixelBounds, targets: Tensor) -> Tensor:
        """Return perturbed bases of one batch, as for `FeatureAttack`."""
        goals = [goal for (goal,) in goals_of(surrogates, targets)]
        overlaid = (1 - self.watermark) * bases + self.watermark * targets.mean(1, keepdim=True)
        images = overlaid.clamp(*bounds)
        step = torch.full_like(images[:, :, :1, :1, :1], self.step_size)
        loss, slope = self._measure(surrogates, goals, images, bases)
        check_finite(loss)
        for _ in range(self.steps):
            # Proximal step of the quadratic pull; with a box, clipping its result is exact (pixels are independent).
            pulled = (images - step * slope + step * self.pull * bases) / (1 + step * self.pull)
            moved = pulled.clamp(*bounds)
            loss_there, slope_there = self._measure(surrogates, goals, moved, bases)
            helped = loss_there < loss
            images, slope = torch.where(helped, moved, images), torch.where(helped, slope_there, slope)
            loss, step = torch.where(helped, loss_there, loss), torch.where(helped, step, step * _SHORTEN)
        return images

    def _measure(
        self, surrogates: Sequence[Surrogate], goals: Sequence[Tensor], images: Tensor, base: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return each poison's objective, shape (t, k, 1, 1, 1), and the gradient of its feature term."""
        slope = torch.zeros_like(images)
        loss = self.pull / 2 * (images - base).square().sum((2, 3, 4))
        for surrogate, goal in zip(surrogates, goals, strict=True):
            asked = images.detach().requires_grad_()
            (features,) = surrogate.groups(asked)
            distance = (features - goal[:, None]).square().sum(2) / len(surrogates)
            slope += torch.autograd.grad(distance.sum(), asked)[0]
            loss = loss + distance.detach()
        return loss[:, :, None, None, None], slope
