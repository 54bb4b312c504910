"""Bullseye polytope: the target in the middle of the poisons, as the networks see them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from toadstone.core.checks import check_count
from toadstone.deep.attacks.feature_ascent import check_rate, craft_in_batches, descend
from toadstone.deep.attacks.linf_ball import PixelBall, PixelBounds
from toadstone.deep.attacks.surrogates import Surrogate, goals_of, surrogates_of


@dataclass(frozen=True, kw_only=True)
class BullseyePolytope:
    """Images whose mean is the target's neighbour in the features of several networks.

    Whoever trains a last layer on them draws the target to their label. The
    weights of convex polytope are fixed to be equal, which is faster and
    transfers better.

    Parameters
    ----------
    radius : int
        In levels of 8 bits.
    steps : int
        Of Adam.
    learning_rate : float
        In units of the whole range of a pixel; the paper's 0.04 is for pixels
        divided by a deviation of about a quarter.
    draws : int
        Passes with dropout that are averaged; 0 switches dropout off.
    layers : tuple of str
        Further modules whose inputs are matched besides the head's, for
        victims who train all of the network. Each counts as much.
    targets_at_once : int
        How many are worked on together; fewer where memory runs out. The
        result is the same up to rounding.

    Raises
    ------
    InvalidArgument
        If a number is out of range.

    References
    ----------
    .. [1] Aghakhani, Meng, Wang, Kruegel and Vigna, "Bullseye polytope: a
       scalable clean-label poisoning attack with improved transferability",
       EuroS&P 2021; its multi-target mode is for several images of one
       object, its end-to-end variant for several layers.

    Examples
    --------
    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.Linear(4, 2))
    >>> bases, targets = torch.zeros(1, 3, 3, 2, 2, dtype=torch.uint8), torch.ones(1, 3, 2, 2)
    >>> attack = BullseyePolytope(radius=8, steps=10)
    >>> poisons = attack.craft([network], "2", bases, targets, generator=torch.Generator())
    >>> poisons.shape, int(poisons.max())
    (torch.Size([1, 3, 3, 2, 2]), 8)
    """

    radius: int = 8
    steps: int = 1500
    learning_rate: float = 0.01
    draws: int = 0
    layers: tuple[str, ...] = ()
    targets_at_once: int = 32

    def __post_init__(self) -> None:
        PixelBall(radius=self.radius)
        check_count(steps=self.steps, targets_at_once=self.targets_at_once)
        check_rate(self.learning_rate)

    def craft(
        self, networks: Sequence[nn.Module], head: str, bases: Tensor, targets: Tensor, *, generator: Generator
    ) -> Tensor:
        """Perturb the bases of many targets.

        Parameters
        ----------
        networks : sequence of Module
            The attacker's; left as they are.
        head : str
            Name of their last layer.
        bases : uint8 Tensor of shape (t, k, C, H, W)
            k images for each target, of the label that it is to get.
        targets : float Tensor of shape (t, C, H, W) or (t, m, C, H, W)
            In [0, 1]; m images of one object where there are several.
        generator : Generator
            For dropout only.

        Returns
        -------
        uint8 Tensor of shape (t, k, C, H, W)
            New, on the bases' device.

        Raises
        ------
        InvalidArgument, InvalidData
            If arguments do not fit each other.
        """
        surrogates = surrogates_of(networks, head, layers=self.layers, draws=self.draws)
        ball, at_once = PixelBall(radius=self.radius), self.targets_at_once
        return craft_in_batches(
            self._perturb, surrogates, bases, targets, ball=ball, targets_at_once=at_once, generator=generator
        )

    def _perturb(self, surrogates: Sequence[Surrogate], start: Tensor, bounds: PixelBounds, targets: Tensor) -> Tensor:
        goals = goals_of(surrogates, targets)

        def objective(images: Tensor) -> Iterator[Tensor]:
            for surrogate, goal in zip(surrogates, goals, strict=True):
                yield off_centre(surrogate.means(images), goal) / len(surrogates)

        return descend(objective, start, bounds, steps=self.steps, learning_rate=self.learning_rate)


def off_centre(centres: Sequence[Tensor], goals: Sequence[Tensor]) -> Tensor:
    """How far centres lie from their goals, in lengths of the goal, averaged over places.

    Parameters
    ----------
    centres, goals : sequence of Tensor of shape (t, d)
        One for each place.

    Returns
    -------
    Tensor of shape (t,)

    Examples
    --------
    >>> off_centre([torch.tensor([[3.0, 1.0]])], [torch.tensor([[3.0, 4.0]])])
    tensor([0.6000])
    """
    apart = [(centre - goal).norm(dim=1) / goal.norm(dim=1) for centre, goal in zip(centres, goals, strict=True)]
    return torch.stack(apart).mean(0)
