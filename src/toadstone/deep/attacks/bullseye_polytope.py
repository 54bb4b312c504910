"""Bullseye polytope: clean-label poisons whose mean feature vector is the target's."""

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
    """Perturb images so that the mean of their features is close to the target's, in several networks.

    A last layer trained on the poisons assigns their label to the target.
    Convex polytope with equal weights: faster, and better in transfer.

    Parameters
    ----------
    radius : int
        Of the maximum-norm ball around each base, in 8-bit levels.
    steps : int
        Steps of Adam.
    learning_rate : float
        In units of the pixel range [0, 1]; the paper's 0.04 is for pixels
        divided by a standard deviation of about a quarter.
    draws : int
        Forward passes with dropout to average; 0 for one pass without dropout.
    layers : tuple of str
        Further modules whose inputs are matched besides the head's, against
        victims that train the whole network; all with equal weight.
    targets_at_once : int
        Targets in one batch; halved where memory runs out. The result is the
        same up to rounding.

    Raises
    ------
    InvalidArgument
        If a number is out of range.

    References
    ----------
    .. [1] Aghakhani, Meng, Wang, Kruegel and Vigna, "Bullseye polytope: a
       scalable clean-label poisoning attack with improved transferability",
       EuroS&P 2021. Its multi-target mode takes several images of
       one object, its end-to-end variant several layers.

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
            The attacker's surrogates; unchanged.
        head : str
            Name of their last layer.
        bases : uint8 Tensor of shape (t, k, C, H, W)
            k images for each target, of the class that the target is to be
            classified as.
        targets : float Tensor of shape (t, C, H, W) or (t, m, C, H, W)
            In [0, 1]; with the axis m, several images of one object.
        generator : Generator
            Draws dropout; not used otherwise.

        Returns
        -------
        uint8 Tensor of shape (t, k, C, H, W)
            Perturbed copies, on the bases' device.

        Raises
        ------
        InvalidArgument, InvalidData
            If an argument is invalid, or shapes do not match.
        """
        surrogates = surrogates_of(networks, head, layers=self.layers, draws=self.draws)
        return craft_in_batches(self, surrogates, bases, targets, generator=generator)

    def perturb(self, surrogates: Sequence[Surrogate], bases: Tensor, bounds: PixelBounds, targets: Tensor) -> Tensor:
        """Return perturbed bases of one batch, as for `FeatureAttack`."""
        goals = goals_of(surrogates, targets)

        def objective(images: Tensor) -> Iterator[Tensor]:
            for surrogate, goal in zip(surrogates, goals, strict=True):
                yield off_centre(surrogate.means(images), goal) / len(surrogates)

        return descend(objective, bases, bounds, steps=self.steps, learning_rate=self.learning_rate)


def off_centre(centres: Sequence[Tensor], goals: Sequence[Tensor]) -> Tensor:
    """Return the distances of centres from their goals, relative to the goals' norms, averaged over layers.

    Parameters
    ----------
    centres, goals : sequence of Tensor of shape (t, d)
        One for each layer.

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
