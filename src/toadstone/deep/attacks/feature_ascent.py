"""What attacks on features share: targets in batches, and Adam within a ball of pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Generator, Tensor

from toadstone.core.checks import check_within
from toadstone.core.errors import InvalidData
from toadstone.deep.attacks.linf_ball import PixelBall, PixelBounds, check_groups, check_targets, unit
from toadstone.deep.attacks.surrogates import Surrogate, at_rest, home
from toadstone.deep.tensors.batched_memory import in_blocks


def check_rate(learning_rate: float) -> None:
    """Refuse steps of nothing, or of more than the whole range of a pixel."""
    check_within("(0, 1)", learning_rate=learning_rate)


def craft_in_batches(
    perturb: Callable[[Sequence[Surrogate], Tensor, PixelBounds, Tensor], Tensor],
    surrogates: Sequence[Surrogate],
    bases: Tensor,
    targets: Tensor,
    *,
    ball: PixelBall,
    targets_at_once: int,
    generator: Generator,
) -> Tensor:
    """Perturb the bases of many targets, batch by batch, and check what came out.

    Parameters
    ----------
    perturb : callable
        Takes surrogates, bases in [0, 1] of shape (t, k, C, H, W), the bounds
        of their pixels, and targets of shape (t, m, C, H, W), all on the
        surrogates' device; returns the perturbed bases.
    surrogates : sequence of Surrogate
    bases : uint8 Tensor of shape (t, k, C, H, W)
    targets : float Tensor of shape (t, C, H, W) or (t, m, C, H, W)
    ball : PixelBall
    targets_at_once : int
        Halved with a warning where memory runs out.
    generator : Generator

    Returns
    -------
    uint8 Tensor of shape (t, k, C, H, W)
        On the bases' device.

    Raises
    ------
    InvalidArgument, InvalidData
        If arguments do not fit each other.
    BudgetExceeded
        If `perturb` left the ball.
    """
    check_groups(bases)
    several = check_targets(targets, bases)
    device, dtype = home(surrogates[0].network)
    start, goals = bases.to(device), several.to(device=device, dtype=dtype)

    def work(rows: slice) -> Tensor:
        base = start[rows]
        return ball.rounded(perturb(surrogates, unit(base, dtype), ball.bounds(base, dtype=dtype), goals[rows]), base)

    with at_rest(surrogates, generator=generator):
        return in_blocks(work, len(bases), block=targets_at_once).to(bases.device)


def descend(
    objective: Callable[[Tensor], Iterator[Tensor]],
    start: Tensor,
    bounds: PixelBounds,
    *,
    steps: int,
    learning_rate: float,
) -> Tensor:
    """Images within bounds that make an objective small, by projected Adam.

    Parameters
    ----------
    objective : callable
        Gives, for images (t, k, C, H, W), terms of shape (t,) that add up;
        each is differentiated before the next is asked for. The terms of one
        target depend on its own images only.
    start : Tensor of shape (t, k, C, H, W)
    bounds : pair of Tensor of that shape
    steps : int
    learning_rate : float
        In units of the whole range of a pixel.

    Returns
    -------
    Tensor of shape (t, k, C, H, W)
        For each target the best images met, those at the start among them.

    Raises
    ------
    InvalidData
        If all losses of a target are infinite or no numbers.
    """
    images = start.clone().requires_grad_()
    adam = torch.optim.Adam([images], lr=learning_rate)
    best, least = start.clone(), torch.full((len(start),), torch.inf, dtype=start.dtype, device=start.device)
    for step in range(steps + 1):
        adam.zero_grad()
        losses = torch.zeros_like(least)
        for term in objective(images):
            term.sum().backward()  # type: ignore[no-untyped-call]
            losses += term.detach()
        with torch.no_grad():
            better = losses < least
            best = torch.where(better[:, None, None, None, None], images, best)
            least = torch.where(better, losses, least)
            if step < steps:
                adam.step()
                images.clamp_(*bounds)
    check_finite(least)
    return best


def check_finite(losses: Tensor) -> None:
    """Refuse networks to whom images of legal pixels are not a number."""
    if not bool(torch.isfinite(losses).all()):
        raise InvalidData("networks: expected finite numbers for the bases, got others")
