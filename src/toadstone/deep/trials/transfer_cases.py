"""Whom to attack in transfer and with what, and poisons crafted for it by those who know the body."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

import torch
from torch import Generator, Tensor, nn

from toadstone.core.errors import InvalidData
from toadstone.deep.attacks.feature_collision import FeatureCollision
from toadstone.deep.attacks.linf_ball import unit
from toadstone.deep.tensors.checkpoints import digest_of, read_tensors, write_tensors
from toadstone.deep.tensors.features import activations, logits
from toadstone.deep.tensors.networks import HEAD
from toadstone.deep.trials.cases import Case, Goal
from toadstone.deep.trials.transfer_setting import TransferSetting


class TargetedAttack(Protocol):
    """Any of the attacks on features."""

    def craft(
        self, networks: Sequence[nn.Module], head: str, bases: Tensor, targets: Tensor, *, generator: Generator
    ) -> Tensor:
        """Perturb the bases of many targets."""


Crafting: TypeAlias = Callable[[TransferSetting, "TargetsAndBases", Generator], Tensor]
"""Gives the poisons of all targets, uint8 of shape (t, k, C, H, W)."""


@dataclass(frozen=True, eq=False, kw_only=True)
class TargetsAndBases:
    """Whom to attack with what.

    Parameters
    ----------
    targets : int64 Tensor of shape (t,)
        Test images.
    labels : int64 Tensor of shape (t,)
        What each is to be taken for.
    bases : int64 Tensor of shape (t, k)
        Training images of that label.
    """

    targets: Tensor
    labels: Tensor
    bases: Tensor

    def images(self, stage: TransferSetting) -> tuple[Tensor, Tensor]:
        """Bases as levels, and targets as numbers."""
        return stage.training[0][self.bases], unit(stage.test[0][self.targets], torch.float32)


def draw_marks(stage: TransferSetting, *, targets: int, poisons: int, generator: Generator) -> TargetsAndBases:
    """Targets that a clean head classifies rightly, each with another class to go to, and bases of that.

    Raises
    ------
    InvalidData
        If there are too few images.
    """
    truth = stage.test[1]
    right = (logits(stage.clean_head, stage.test_features).argmax(1) == truth).nonzero()[:, 0]
    drawn = right[torch.randperm(len(right), generator=generator)[:targets]]
    further = torch.randint(1, stage.n_classes, (len(drawn),), generator=generator)
    labels = (truth[drawn] + further) % stage.n_classes
    bases = []
    for label in labels:
        own = (stage.training[1] == label).nonzero()[:, 0]
        bases.append(own[torch.randperm(len(own), generator=generator)[:poisons]].sort().values)
    if len(drawn) < targets or any(len(own) < poisons for own in bases):
        raise InvalidData(f"images: expected {targets} targets and {poisons} bases of a class, got fewer")
    return TargetsAndBases(targets=drawn, labels=labels, bases=torch.stack(bases))


def directly(attack: TargetedAttack) -> Crafting:
    """All poisons of a target are crafted for it."""

    def craft(stage: TransferSetting, marks: TargetsAndBases, generator: Generator) -> Tensor:
        return attack.craft([stage.body], HEAD, *marks.images(stage), generator=generator)

    return craft


def spread(attack: FeatureCollision) -> Crafting:
    """Poisons that know the vote of medoids: each collides with another neighbour of the target.

    The neighbours are the clean training images of the target's own class that
    are nearest to it, one for each poison, so that the poisons are as far from
    each other as clean rows are and win as many medoids.
    """

    def craft(stage: TransferSetting, marks: TargetsAndBases, generator: Generator) -> Tensor:
        bases, _ = marks.images(stage)
        meant = torch.cat([_nearest_own(stage, int(target), bases.shape[1]) for target in marks.targets])
        shown = unit(stage.training[0][meant], torch.float32)
        alone = bases.flatten(0, 1)[:, None]
        return attack.craft([stage.body], HEAD, alone, shown, generator=generator).view(bases.shape)

    return craft


def poisoned_cases(
    stage: TransferSetting, name: str, marks: TargetsAndBases, crafting: Crafting, *, generator: Generator, folder: Path
) -> list[Case]:
    """Craft poisons for each target, or read those that were, and put them among the features.

    Parameters
    ----------
    stage : TransferSetting
    name : str
        Of the attack.
    marks : TargetsAndBases
    crafting : callable
        See `directly` and `spread`.
    generator : Generator
    folder : Path
        Where crafted poisons are kept.

    Returns
    -------
    list of Case
        One for each target, in their order.
    """
    bases, shown = marks.images(stage)
    file = folder / f"{name.replace(' ', '-')}.safetensors"
    poisons = crafted_once(file, bases, shown, lambda: crafting(stage, marks, generator))
    return [_case(stage, name, marks, poisons[place], place) for place in range(len(poisons))]


def crafted_once(file: Path, bases: Tensor, shown: Tensor, craft: Callable[[], Tensor]) -> Tensor:
    """Poisons that were crafted of these bases for these targets before, or new ones, which are kept."""
    made_for = digest_of(bases, shown)
    if file.exists():
        tensors, facts = read_tensors(file)
        if facts.get("made_for") == made_for:
            return tensors["poisons"]
    poisons = craft()
    write_tensors(file, {"poisons": poisons}, {"made_for": made_for})
    return poisons


def _case(stage: TransferSetting, name: str, marks: TargetsAndBases, poisons: Tensor, place: int) -> Case:
    features, rows = stage.features.clone(), marks.bases[place]
    features[rows] = activations(stage.body, HEAD, poisons).cpu()
    target = int(marks.targets[place])
    goal = Goal(images=stage.test_features[target : target + 1], label=int(marks.labels[place]))
    return stage.case(name, features, poison=rows, goal=goal, seed=place)


def _nearest_own(stage: TransferSetting, target: int, count: int) -> Tensor:
    """Training images of the target's class, the nearest to it first."""
    own = (stage.training[1] == stage.test[1][target]).nonzero()[:, 0]
    apart = (stage.features[own] - stage.test_features[target]).double().norm(dim=1)
    return own[apart.argsort(stable=True)[:count]]
