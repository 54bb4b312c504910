"""Hidden trigger backdoor: clean-label poisons with the features of images that carry a trigger."""

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
    """Perturb images of the target class so that their features match source images with a trigger.

    The training data never show the trigger. A last layer trained on the
    poisons predicts their label for images that carry it. Each step pairs
    every poison with a source of its own, nearest pairs first, and takes a
    gradient step on the sum of squared distances.

    Parameters
    ----------
    trigger : PatchTrigger, BlendedTrigger or SinusoidalTrigger
    radius : int
        Of the maximum-norm ball around each base, in 8-bit levels.
    steps : int
        Largest number of gradient steps.
    learning_rate : float
        In units of the pixel range [0, 1]. Distances are not scaled: a rate
        that suits one network may move no pixel of another by a level, or
        overshoot.
    enough : float
        An attack stops once its sum of squared distances is at most this
        share of the initial one, in [0, 1).
    draws : int
        Forward passes with dropout to average; 0 for one pass without dropout.
    targets_at_once : int
        Attacks in one batch; halved where memory runs out.

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
            The attacker's surrogates; unchanged.
        head : str
            Name of their last layer.
        bases : uint8 Tensor of shape (t, k, C, H, W)
            k images of the target class for each of t attacks.
        sources : uint8 Tensor of shape (t, m, C, H, W)
            At least k images of the class that the trigger will be stamped
            on, without it.
        generator : Generator
            Draws dropout; not used otherwise.

        Returns
        -------
        uint8 Tensor of shape (t, k, C, H, W)
            Perturbed copies without the trigger, on the bases' device. A
            warning counts the attacks that changed none of their bases.

        Raises
        ------
        InvalidArgument, InvalidData
            If an argument is invalid, or shapes do not match.
        """
        check_groups(bases)
        check_groups(sources, name="sources")
        t, k, *size = bases.shape
        if (len(sources), *sources.shape[2:]) != (t, *size) or sources.shape[1] < k:
            expected = f"shape ({t}, m, {', '.join(map(str, size))}) with m from {k}"
            raise InvalidData(f"sources: expected {expected}, got {tuple(sources.shape)}")
        surrogates = surrogates_of(networks, head, draws=self.draws)
        patched = unit(stamp(sources, self.trigger), torch.float32)
        made = craft_in_batches(self, surrogates, bases, patched, generator=generator)
        # Steps of less than half a level are rounded away, which the loss before rounding does not show.
        idle = int((made == bases).flatten(1).all(dim=1).sum())
        if idle:
            reason = f"hidden trigger: {idle} of {t} attacks changed none of their bases; try a higher learning_rate"
            warnings.warn(reason, RuntimeWarning, stacklevel=2)
        return made

    def perturb(self, surrogates: Sequence[Surrogate], bases: Tensor, bounds: PixelBounds, targets: Tensor) -> Tensor:
        """Return perturbed bases of one batch, as for `FeatureAttack`."""
        with torch.no_grad():
            wanted = [surrogate.groups(targets)[0] for surrogate in surrogates]
        images = bases
        best, least = images.clone(), torch.full((len(images),), torch.inf, dtype=images.dtype, device=images.device)
        aim: Tensor | None = None
        for _ in range(self.steps + 1):
            loss, slope = _distance_to_pairs(surrogates, wanted, images)
            aim = self.enough * loss if aim is None else aim
            better = loss < least
            best = torch.where(better[:, None, None, None, None], images, best)
            least = torch.where(better, loss, least)
            # An attack that is done stays in the batch, unchanged, so that its result does not depend on the others.
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
    """Return each attack's sum of squared distances, averaged over networks, and its gradient by the images.

    The sums are of shape (t,).
    """
    asked = images.detach().requires_grad_()
    seen = [surrogate.groups(asked)[0] for surrogate in surrogates]
    with torch.no_grad():
        # One pairing for all networks: each poison has the same source in every feature space.
        squares = torch.stack([torch.cdist(mine, goal) ** 2 for mine, goal in zip(seen, wanted, strict=True)]).mean(0)
        partner = greedy_pairs(squares)
    terms = []
    for mine, goal in zip(seen, wanted, strict=True):
        own = goal.gather(1, partner[:, :, None].expand(-1, -1, goal.shape[2]))
        terms.append((mine - own).square().sum((1, 2)))
    loss = torch.stack(terms).mean(0)
    return loss.detach(), torch.autograd.grad(loss.sum(), asked)[0]


def greedy_pairs(distances: Tensor) -> Tensor:
    """Pair each row with a column of its own, the nearest pairs first.

    Parameters
    ----------
    distances : Tensor of shape (t, k, m), m >= k

    Returns
    -------
    int64 Tensor of shape (t, k)
        The column of each row.

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
