"""Hidden trigger: poisons that look clean and are, to a network, images with the trigger."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from toadstone.core.checks import check_count, check_positive, check_within
from toadstone.core.errors import InvalidData
from toadstone.deep.attacks.feature_ascent import check_finite, craft_in_batches
from toadstone.deep.attacks.linf_ball import PixelBall, PixelBounds, check_groups, unit
from toadstone.deep.attacks.surrogates import Surrogate, surrogates_of
from toadstone.deep.attacks.triggers import ImageTrigger, stamp


@dataclass(frozen=True, eq=False, kw_only=True)
class HiddenTrigger:
    """Images of the target class whose features are those of source images with a trigger.

    The trigger itself is not seen before the attack: whoever trains a last
    layer on the poisons teaches it to answer the trigger with their label.
    Each step pairs every poison with a source of its own, the nearest pairs
    first, and takes a gradient step for the sum of squared distances.

    Parameters
    ----------
    trigger : PatchTrigger, BlendedTrigger or SinusoidalTrigger
    radius : int
        In levels of 8 bits.
    steps : int
        At most.
    learning_rate : float
        In units of the whole range of a pixel, for squared distances of
        features as they are: what suits one network may be too little to move
        any pixel by a level, or far too much, for another.
    enough : float
        A target is done once the sum of its squared distances is no more than
        this share of what it was at the start, in [0, 1).
    draws : int
        Passes with dropout that are averaged; 0 switches dropout off.
    targets_at_once : int
        How many are worked on together; fewer where memory runs out.

    Raises
    ------
    InvalidArgument
        If a number is out of range.

    References
    ----------
    .. [1] Saha, Subramanya and Pirsiavash, "Hidden trigger backdoor attacks",
       AAAI 2020, algorithm 1.
    """

    trigger: ImageTrigger
    radius: int = 8
    steps: int = 5000
    learning_rate: float = 0.001
    enough: float = 0.01
    draws: int = 0
    targets_at_once: int = 32

    def __post_init__(self) -> None:
        PixelBall(radius=self.radius)
        check_count(steps=self.steps, targets_at_once=self.targets_at_once)
        check_positive(learning_rate=self.learning_rate)
        check_within("[0, 1)", enough=self.enough)

    def craft(
        self, networks: Sequence[nn.Module], head: str, bases: Tensor, sources: Tensor, *, generator: Generator
    ) -> Tensor:
        """Perturb the bases of many attacks.

        Parameters
        ----------
        networks : sequence of Module
            The attacker's; left as they are.
        head : str
            Name of their last layer.
        bases : uint8 Tensor of shape (t, k, C, H, W)
            k images of the class that the trigger is to call up, for each of
            t attacks.
        sources : uint8 Tensor of shape (t, m, C, H, W)
            At least as many images of the class that will wear the trigger;
            without it.
        generator : Generator
            For dropout only.

        Returns
        -------
        uint8 Tensor of shape (t, k, C, H, W)
            New, on the bases' device; without the trigger. A warning tells how
            many attacks left all of their bases as they were.

        Raises
        ------
        InvalidArgument, InvalidData
            If arguments do not fit each other.
        """
        check_groups(bases)
        check_groups(sources, name="sources")
        t, k, *size = bases.shape
        if (len(sources), *sources.shape[2:]) != (t, *size) or sources.shape[1] < k:
            expected = f"shape ({t}, m, {', '.join(map(str, size))}) with m from {k}"
            raise InvalidData(f"sources: expected {expected}, got {tuple(sources.shape)}")
        surrogates = surrogates_of(networks, head, draws=self.draws)
        patched = unit(stamp(sources, self.trigger), torch.float32)
        ball, at_once = PixelBall(radius=self.radius), self.targets_at_once
        made = craft_in_batches(
            self._perturb, surrogates, bases, patched, ball=ball, targets_at_once=at_once, generator=generator
        )
        idle = int((made == bases).flatten(1).all(dim=1).sum())
        if idle:
            reason = f"hidden trigger: {idle} of {t} attacks left their bases as they were; try a higher learning_rate"
            warnings.warn(reason, RuntimeWarning, stacklevel=2)
        return made

    def _perturb(self, surrogates: Sequence[Surrogate], images: Tensor, bounds: PixelBounds, patched: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = [surrogate.groups(patched)[0] for surrogate in surrogates]
        best, least = images.clone(), torch.full((len(images),), torch.inf, dtype=images.dtype, device=images.device)
        aim: Tensor | None = None
        for _ in range(self.steps + 1):
            loss, slope = _distance_to_pairs(surrogates, wanted, images)
            aim = self.enough * loss if aim is None else aim
            better = loss < least
            best = torch.where(better[:, None, None, None, None], images, best)
            least = torch.where(better, loss, least)
            moving = least > aim
            if not bool(moving.any()):
                break
            moved = (images - self.learning_rate * slope).clamp(*bounds)
            images = torch.where(moving[:, None, None, None, None], moved, images)
        check_finite(least)
        return best


def _distance_to_pairs(
    surrogates: Sequence[Surrogate], wanted: Sequence[Tensor], images: Tensor
) -> tuple[Tensor, Tensor]:
    """Each attack's sum of squared distances, shape (t,), averaged over networks, and its gradient by the images."""
    asked = images.detach().requires_grad_()
    seen = [surrogate.groups(asked)[0] for surrogate in surrogates]
    with torch.no_grad():
        apart = torch.stack([torch.cdist(mine, goal) ** 2 for mine, goal in zip(seen, wanted, strict=True)]).mean(0)
        partner = greedy_pairs(apart)
    terms = []
    for mine, goal in zip(seen, wanted, strict=True):
        own = goal.gather(1, partner[:, :, None].expand(-1, -1, goal.shape[2]))
        terms.append((mine - own).square().sum((1, 2)))
    loss = torch.stack(terms).mean(0)
    return loss.detach(), torch.autograd.grad(loss.sum(), asked)[0]


def greedy_pairs(distances: Tensor) -> Tensor:
    """One partner for each row, none taken twice, the nearest pairs first.

    Parameters
    ----------
    distances : Tensor of shape (t, k, m), m >= k

    Returns
    -------
    int64 Tensor of shape (t, k)
        Columns.

    Raises
    ------
    InvalidData
        If there are fewer columns than rows.

    References
    ----------
    .. [1] Saha, Subramanya and Pirsiavash, "Hidden trigger backdoor attacks",
       AAAI 2020, algorithm 1.

    Examples
    --------
    >>> greedy_pairs(torch.tensor([[[2.0, 3.0, 9.0], [1.0, 5.0, 9.0]]]))
    tensor([[1, 0]])
    """
    t, k, m = distances.shape
    if m < k:
        raise InvalidData(f"distances: expected a column for each of {k} rows, got {m}")
    open_pairs, partner = distances.clone(), torch.zeros(t, k, dtype=torch.int64, device=distances.device)
    every = torch.arange(t, device=distances.device)
    for _ in range(k):
        place = open_pairs.flatten(1).argmin(1)
        row, column = place // m, place % m
        partner[every, row] = column
        open_pairs[every, row], open_pairs[every, :, column] = torch.inf, torch.inf
    return partner
