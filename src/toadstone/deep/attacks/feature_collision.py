"""Feature collision: poisons that look like their bases and are, to a network, the target."""

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

_SLOWER = 0.2


@dataclass(frozen=True, kw_only=True)
class FeatureCollision:
    """Each poison on its own collides with the target: forward-backward splitting.

    A poison x of base b minimises
    ``mean_m |phi_m(x) - phi_m(t)|^2 + pull / 2 * |x - b|^2`` within the ball: a
    gradient step for the first term, then the exact proximal step for the
    second and the ball. A step that does not lower a poison's objective is
    not taken, and its next ones are shorter.

    Parameters
    ----------
    radius : int
        In levels of 8 bits; 255 leaves the paper's soft budget, the pull, alone.
    pull : float
        Towards the base; 0 leaves the ball alone. The paper's 4.
    watermark : float
        How much of the target shines through at the start, in [0, 1).
    steps : int
    step_size : float
        At first; a fifth of it after a step that did not help.
    draws : int
        Passes with dropout that are averaged; 0 switches dropout off.
    targets_at_once : int
        How many are worked on together; fewer where memory runs out. The
        result is the same up to rounding.

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
        """Perturb the bases of many targets; parameters, result and errors as of `BullseyePolytope.craft`."""
        surrogates = surrogates_of(networks, head, draws=self.draws)
        ball, at_once = PixelBall(radius=self.radius), self.targets_at_once
        return craft_in_batches(
            self._perturb, surrogates, bases, targets, ball=ball, targets_at_once=at_once, generator=generator
        )

    def _perturb(self, surrogates: Sequence[Surrogate], base: Tensor, bounds: PixelBounds, targets: Tensor) -> Tensor:
        goals = [goal for (goal,) in goals_of(surrogates, targets)]
        overlaid = (1 - self.watermark) * base + self.watermark * targets.mean(1, keepdim=True)
        images = overlaid.clamp(*bounds)
        step = torch.full_like(images[:, :, :1, :1, :1], self.step_size)
        loss, slope = self._measure(surrogates, goals, images, base)
        check_finite(loss)
        for _ in range(self.steps):
            pulled = (images - step * slope + step * self.pull * base) / (1 + step * self.pull)
            moved = pulled.clamp(*bounds)
            loss_there, slope_there = self._measure(surrogates, goals, moved, base)
            helped = loss_there < loss
            images, slope = torch.where(helped, moved, images), torch.where(helped, slope_there, slope)
            loss, step = torch.where(helped, loss_there, loss), torch.where(helped, step, step * _SLOWER)
        return images

    def _measure(
        self, surrogates: Sequence[Surrogate], goals: Sequence[Tensor], images: Tensor, base: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Each poison's objective, shape (t, k, 1, 1, 1), and the gradient of the part that is about features."""
        slope = torch.zeros_like(images)
        loss = self.pull / 2 * (images - base).square().sum((2, 3, 4))
        for surrogate, goal in zip(surrogates, goals, strict=True):
            asked = images.detach().requires_grad_()
            (features,) = surrogate.groups(asked)
            apart = (features - goal[:, None]).square().sum(2) / len(surrogates)
            slope += torch.autograd.grad(apart.sum(), asked)[0]
            loss = loss + apart.detach()
        return loss[:, :, None, None, None], slope
