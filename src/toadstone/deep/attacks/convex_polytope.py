"""Convex polytope: clean-label poisons whose features enclose the target's in their convex hull."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from toadstone.core.checks import check_count
from toadstone.deep.attacks.feature_ascent import check_rate, craft_in_batches, descend
from toadstone.deep.attacks.linf_ball import PixelBall, PixelBounds
from toadstone.deep.attacks.surrogates import Surrogate, goals_of, surrogates_of

_TOLERANCE = 1e-6
_ROUNDS_PER_STEP = 20
"""Few suffice: weights start from those of the step before and converge along with the images."""


@dataclass(frozen=True, kw_only=True)
class ConvexPolytope:
    """Perturb images so that the convex hull of their features contains the target's, in several networks.

    A linear head that assigns one label to all poisons assigns it to the
    target. Each network has convex weights of its own.

    Parameters
    ----------
    radius : int
        Of the maximum-norm ball around each base, in 8-bit levels.
    steps : int
        Steps of Adam; the weights are solved for before each.
    learning_rate : float
        In units of the pixel range [0, 1]; the paper's 0.04 is for pixels
        divided by a standard deviation of about a quarter.
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
        """Perturb the bases of many targets; parameters, result and errors as for `BullseyePolytope.craft`."""
        surrogates = surrogates_of(networks, head, draws=self.draws)
        return craft_in_batches(self, surrogates, bases, targets, generator=generator)

    def perturb(self, surrogates: Sequence[Surrogate], bases: Tensor, bounds: PixelBounds, targets: Tensor) -> Tensor:
        """Return perturbed bases of one batch, as for `FeatureAttack`."""
        goals = [goal for (goal,) in goals_of(surrogates, targets)]
        even = torch.full(bases.shape[:2], 1 / bases.shape[1], dtype=bases.dtype, device=bases.device)
        weights = [even for _ in goals]

        def objective(images: Tensor) -> Iterator[Tensor]:
            for place, (surrogate, goal) in enumerate(zip(surrogates, goals, strict=True)):
                (features,) = surrogate.groups(images)
                weights[place] = hull_weights(features.detach(), goal, weights[place], rounds=_ROUNDS_PER_STEP)
                # At the optimal weights the gradient by the images needs no derivative of the weights (Danskin).
                offset = torch.einsum("tk,tkd->td", weights[place], features) - goal
                yield 0.5 * offset.square().sum(1) / goal.square().sum(1)

        return descend(objective, bases, bounds, steps=self.steps, learning_rate=self.learning_rate)


def hull_weights(features: Tensor, goals: Tensor, start: Tensor, *, rounds: int = 1000) -> Tensor:
    """Return the convex weights of the point of each hull that is nearest to its goal, by projected gradient.

    A hull is done once no weight moves by more than 1e-6.

    Parameters
    ----------
    features : Tensor of shape (t, k, d)
        Corners of t hulls.
    goals : Tensor of shape (t, d)
    start : Tensor of shape (t, k)
        Initial weights, on the simplex.
    rounds : int
        Largest number of gradient steps.

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
    # The Frobenius norm bounds the largest eigenvalue, so a step of its inverse never increases the distance.
    curvature = torch.linalg.matrix_norm(gram, ord="fro").clamp(min=torch.finfo(gram.dtype).tiny)[:, None]
    weights, moving = start, torch.ones_like(curvature, dtype=torch.bool)
    for _ in range(rounds):
        gradient = torch.einsum("tkj,tj->tk", gram, weights) - towards
        moved = onto_simplex(weights - gradient / curvature)
        still = (moved - weights).abs().amax(1, keepdim=True) > _TOLERANCE
        # A finished hull keeps its weights, so that its result does not depend on the others of its batch.
        weights = torch.where(moving, moved, weights)
        moving = moving & still
        if not bool(moving.any()):
            break
    return weights


def onto_simplex(points: Tensor) -> Tensor:
    """Project points onto the probability simplex.

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
