"""Optimisation shared by the attacks on features: batches of targets, and projected Adam in a ball of pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import torch
from torch import Generator, Tensor

from toadstone.core.checks import check_within
from toadstone.core.errors import InvalidData
from toadstone.deep.attacks.linf_ball import PixelBall, PixelBounds, check_groups, check_targets, unit
from toadstone.deep.attacks.surrogates import Surrogate, at_rest, home
from toadstone.deep.tensors.batched_memory import in_blocks


def check_rate(learning_rate: float) -> None:
    """Check that a step is positive and less than the pixel range."""
    check_within("(0, 1)", learning_rate=learning_rate)


class FeatureAttack(Protocol):
    """An attack that perturbs the bases of many targets in one batch."""

    @property
    def radius(self) -> int:
        """Radius of the ball around each base, in 8-bit levels."""

    @property
    def targets_at_once(self) -> int:
        """Targets in one batch."""

    def perturb(self, surrogates: Sequence[Surrogate], bases: Tensor, bounds: PixelBounds, targets: Tensor) -> Tensor:
        """Return perturbed bases within bounds.

        Bases are in [0, 1], of shape (t, k, C, H, W), targets of shape
        (t, m, C, H, W), all on the surrogates' device.
        """


def craft_in_batches(
    attack: FeatureAttack, surrogates: Sequence[Surrogate], bases: Tensor, targets: Tensor, *, generator: Generator
) -> Tensor:
    """Perturb the bases of many targets, batch by batch, and check that they stay in the ball.

    Parameters
    ----------
    attack : FeatureAttack
        Its batches are halved with a warning where memory runs out.
    surrogates : sequence of Surrogate
    bases : uint8 Tensor of shape (t, k, C, H, W)
    targets : float Tensor of shape (t, C, H, W) or (t, m, C, H, W)
    generator : Generator
        Draws dropout.

    Returns
    -------
    uint8 Tensor of shape (t, k, C, H, W)
        On the bases' device.

    Raises
    ------
    InvalidArgument, InvalidData
        If an argument is invalid, or shapes do not match.
    BudgetExceeded
        If the attack left the ball.
    """
    check_groups(bases)
    several = check_targets(targets, bases)
    ball, (device, dtype) = PixelBall(radius=attack.radius), home(surrogates[0].network)
    start, goals = bases.to(device), several.to(device=device, dtype=dtype)

    def work(rows: slice) -> Tensor:
        base = start[rows]
        images = attack.perturb(surrogates, unit(base, dtype), ball.bounds(base, dtype=dtype), goals[rows])
        return ball.rounded(images, base)

    with at_rest(surrogates, generator=generator):
        return in_blocks(work, len(bases), block=attack.targets_at_once).to(bases.device)


def descend(
    objective: Callable[[Tensor], Iterator[Tensor]],
    start: Tensor,
    bounds: PixelBounds,
    *,
    steps: int,
    learning_rate: float,
) -> Tensor:
    """Minimise an objective over images within bounds, by projected Adam.

    Parameters
    ----------
    objective : callable
        Takes images of shape (t, k, C, H, W) and yields summands of shape
        (t,). Those of one target depend on its own images only.
    start : Tensor of shape (t, k, C, H, W)
    bounds : pair of Tensor of that shape
    steps : int
    learning_rate : float
        In units of the pixel range [0, 1].

    Returns
    -------
    Tensor of shape (t, k, C, H, W)
        The best images of each target over all steps, the start included.

    Raises
    ------
    InvalidData
        If all losses of a target are infinite or NaN.
    """
    images = start.clone().requires_grad_()
    adam = torch.optim.Adam([images], lr=learning_rate)
    best, least = start.clone(), torch.full((len(start),), torch.inf, dtype=start.dtype, device=start.device)
    for step in range(steps + 1):
        adam.zero_grad()
        losses = torch.zeros_like(least)
        # Each summand is differentiated before the next is computed, so that one graph is in memory at a time.
        for term in objective(images):
            term.sum().backward()  # type: ignore[no-untyped-call]
            losses += term.detach()
        with torch.no_grad():
            # Adam overshoots; per target, and false for NaN.
            better = losses < least
            best = torch.where(better[:, None, None, None, None], images, best)
            least = torch.where(better, losses, least)
            if step < steps:
                adam.step()
                images.clamp_(*bounds)
    check_finite(least)
    return best


def check_finite(losses: Tensor) -> None:
    """Check that the networks give finite losses for images of legal pixels."""
    if not bool(torch.isfinite(losses).all()):
        raise InvalidData("networks: expected finite losses for the bases, got infinite or NaN")
