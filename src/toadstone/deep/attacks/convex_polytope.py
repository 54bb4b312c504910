"""Convex polytope: the target within the hull of the poisons, as each network sees them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from toadstone.core.checks import check_count
from toadstone.deep.attacks.feature_ascent import check_rate, craft_in_batches, descend
from toadstone.deep.attacks.linf_ball import PixelBall, PixelBounds
from toadstone.deep.attacks.surrogates import Surrogate, goals_of, surrogates_of

_CHANGE = 1e-6
_ROUNDS_A_STEP = 20
"""The weights start from those of the step before, so that they converge along with the images."""


@dataclass(frozen=True, kw_only=True)
class ConvexPolytope:
    """Images whose features enclose the target's, in each of several networks with weights of its own.

    A linear head that gives all of them one label gives it to the target.

    Parameters
    ----------
    radius : int
        In levels of 8 bits.
    steps : int
        Of Adam; the weights are solved for before each.
    learning_rate : float
        In units of the whole range of a pixel; the paper's 0.04 is for pixels
        divided by a deviation of about a quarter.
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
    .. [1] Zhu, Huang, Shafahi, Li, Taylor, Studer and Goldstein,
       "Transferable clean-label poisoning attacks on deep neural nets",
       ICML 2019, algorithm 1.
    """

    radius: int = 8
    steps: int = 1200
    learning_rate: float = 0.01
    draws: int = 0
    targets_at_once: int = 32

    def __post_init__(self) -> None:
        PixelBall(radius=self.radius)
        check_count(steps=self.steps, targets_at_once=self.targets_at_once)
        check_rate(self.learning_rate)

    def craft(
        self, networks: Sequence[nn.Module], head: str, bases: Tensor, targets: Tensor, *, generator: Generator
    ) -> Tensor:
        """Perturb the bases of many targets; parameters, result and errors as of `BullseyePolytope.craft`."""
        surrogates = surrogates_of(networks, head, draws=self.draws)
        ball, at_once = PixelBall(radius=self.radius), self.targets_at_once
        return craft_in_batches(
            self._perturb, surrogates, bases, targets, ball=ball, targets_at_once=at_once, generator=generator
        )

    def _perturb(self, surrogates: Sequence[Surrogate], start: Tensor, bounds: PixelBounds, targets: Tensor) -> Tensor:
        goals = [goal for (goal,) in goals_of(surrogates, targets)]
        even = torch.full(start.shape[:2], 1 / start.shape[1], dtype=start.dtype, device=start.device)
        weights = [even for _ in goals]

        def objective(images: Tensor) -> Iterator[Tensor]:
            for place, (surrogate, goal) in enumerate(zip(surrogates, goals, strict=True)):
                (features,) = surrogate.groups(images)
                weights[place] = hull_weights(features.detach(), goal, weights[place], rounds=_ROUNDS_A_STEP)
                apart = torch.einsum("tk,tkd->td", weights[place], features) - goal
                yield 0.5 * apart.square().sum(1) / goal.square().sum(1)

        return descend(objective, start, bounds, steps=self.steps, learning_rate=self.learning_rate)


def hull_weights(features: Tensor, goals: Tensor, start: Tensor, *, rounds: int = 1000) -> Tensor:
    """Weights of the point of each hull that is nearest to its goal, by projected gradient.

    The step is the inverse of a bound on the curvature, with which the distance
    never grows. A hull is done once no weight moves by more than 1e-6.

    Parameters
    ----------
    features : Tensor of shape (t, k, d)
        The corners of t hulls.
    goals : Tensor of shape (t, d)
    start : Tensor of shape (t, k)
        On the simplex.
    rounds : int
        At most.

    Returns
    -------
    Tensor of shape (t, k)
        On the simplex.

    References
    ----------
    .. [1] Zhu and others, "Transferable clean-label poisoning attacks on deep
       neural nets", ICML 2019, algorithm 1.

    Examples
    --------
    >>> corners = torch.tensor([[[0.0, 0.0], [4.0, 0.0]]])
    >>> hull_weights(corners, torch.tensor([[1.0, 5.0]]), torch.tensor([[0.5, 0.5]])).round(decimals=3)
    tensor([[0.7500, 0.2500]])
    """
    gram = features @ features.mT
    towards = torch.einsum("tkd,td->tk", features, goals)
    curvature = torch.linalg.matrix_norm(gram, ord="fro").clamp(min=torch.finfo(gram.dtype).tiny)[:, None]
    weights, moving = start, torch.ones_like(curvature, dtype=torch.bool)
    for _ in range(rounds):
        gradient = torch.einsum("tkj,tj->tk", gram, weights) - towards
        moved = onto_simplex(weights - gradient / curvature)
        still = (moved - weights).abs().amax(1, keepdim=True) > _CHANGE
        weights = torch.where(moving, moved, weights)
        moving = moving & still
        if not bool(moving.any()):
            break
    return weights


def onto_simplex(points: Tensor) -> Tensor:
    """The nearest points with coordinates that are not negative and sum to one.

    Parameters
    ----------
    points : Tensor of shape (t, k)

    Returns
    -------
    Tensor of shape (t, k)

    References
    ----------
    .. [1] Duchi, Shalev-Shwartz, Singer and Chandra, "Efficient projections
       onto the l1-ball for learning in high dimensions", ICML 2008, figure 1.

    Examples
    --------
    >>> onto_simplex(torch.tensor([[0.5, 0.7], [3.0, -1.0]]))
    tensor([[0.4000, 0.6000],
            [1.0000, 0.0000]])
    """
    ordered = points.sort(dim=1, descending=True).values
    counts = torch.arange(1, points.shape[1] + 1, dtype=points.dtype, device=points.device)
    surplus = (ordered.cumsum(1) - 1) / counts
    last = (ordered > surplus).sum(1, keepdim=True).clamp(min=1) - 1
    return (points - surplus.gather(1, last)).clamp(min=0)
