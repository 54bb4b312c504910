"""Cases of attacks in transfer: targets and bases, and poisons crafted by an attacker who knows the body."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
import torch
from torch import Generator, Tensor, nn

from toadstone.core.arrays import IntArray
from toadstone.core.errors import InvalidData
from toadstone.deep.attacks.feature_collision import FeatureCollision
from toadstone.deep.attacks.linf_ball import unit
from toadstone.deep.tensors.checkpoints import digest_of, read_tensors, write_tensors
from toadstone.deep.tensors.features import activations, logits
from toadstone.deep.tensors.networks import HEAD
from toadstone.deep.trials.cases import Case, Goal
from toadstone.deep.trials.transfer_setting import TransferSetting


class TargetedAttack(Protocol):
    """An attack on features."""

    def craft(
        self, networks: Sequence[nn.Module], head: str, bases: Tensor, targets: Tensor, *, generator: Generator
    ) -> Tensor:
        """Perturb the bases of many targets."""


Crafting: TypeAlias = Callable[[TransferSetting, "TargetsAndBases", Generator], Tensor]
"""Returns the poisons of all targets, uint8 of shape (t, k, C, H, W)."""


@dataclass(frozen=True, eq=False, kw_only=True)
class TargetsAndBases:
    """Targets, intended labels and bases of several attacks.

    Parameters
    ----------
    targets : int64 Tensor of shape (t,)
        Indices of test images.
    labels : int64 Tensor of shape (t,)
        Label that each target is to be classified as.
    bases : int64 Tensor of shape (t, k)
        Indices of training images of that label.
    rows : int64 Tensor of shape (t, n), optional
        Training images of the head that each attack is made against, its bases
        among them, ascending; those of a head without an attack by default.
    """

    targets: Tensor
    labels: Tensor
    bases: Tensor
    rows: Tensor | None = None

    @classmethod
    def of_setups(
        cls, targets: IntArray, labels: IntArray, bases: IntArray, *, head_images: int
    ) -> tuple[TargetsAndBases, IntArray]:
        """Take targets and bases from published set-ups, each with a training set of its own.

        Parameters
        ----------
        targets, labels : ndarray of int of shape (t,)
        bases : ndarray of int of shape (t, k)
            Indices in the whole training set.
        head_images : int
            Training images of each head: its bases and the first others.

        Returns
        -------
        chosen : TargetsAndBases
            Bases and rows are positions among the images of `pool`.
        pool : ndarray of int
            Training images that any head needs, ascending; the first
            `head_images` are all among them.

        Examples
        --------
        >>> chosen, pool = TargetsAndBases.of_setups(
        ...     np.array([4]), np.array([1]), np.array([[9, 2]]), head_images=4
        ... )
        >>> pool, chosen.bases, chosen.rows
        (array([0, 1, 2, 3, 9]), tensor([[2, 4]]), tensor([[0, 1, 2, 4]]))
        """
        pool = np.union1d(np.arange(head_images), bases)
        at = np.searchsorted(pool, np.sort(bases, axis=1))
        first = np.arange(head_images)
        rows = [np.union1d(own, np.setdiff1d(first, own)[: head_images - len(own)]) for own in at]
        chosen = cls(
            targets=torch.from_numpy(targets),
            labels=torch.from_numpy(labels),
            bases=torch.from_numpy(at),
            rows=torch.from_numpy(np.stack(rows)),
        )
        return chosen, pool

    def at(self, places: IntArray) -> TargetsAndBases:
        """Return the targets at some places, with their labels, bases and rows."""
        rows = None if self.rows is None else self.rows[places]
        return TargetsAndBases(
            targets=self.targets[places], labels=self.labels[places], bases=self.bases[places], rows=rows
        )

    def images(self, setting: TransferSetting) -> tuple[Tensor, Tensor]:
        """Return the bases as 8-bit levels and the targets in [0, 1]."""
        return setting.training[0][self.bases], unit(setting.test[0][self.targets], torch.float32)


def draw_targets(setting: TransferSetting, *, targets: int, poisons: int, generator: Generator) -> TargetsAndBases:
    """Draw targets that a clean head classifies correctly, another label for each, and bases of that label.

    Raises
    ------
    InvalidData
        If there are too few images.
    """
    truth = setting.test[1]
    right = (logits(setting.clean_head, setting.test_features).argmax(1) == truth).nonzero()[:, 0]
    drawn = right[torch.randperm(len(right), generator=generator)[:targets]]
    further = torch.randint(1, setting.n_classes, (len(drawn),), generator=generator)
    labels = (truth[drawn] + further) % setting.n_classes
    bases = []
    for label in labels:
        own = setting.rows[(setting.training[1][setting.rows] == label).nonzero()[:, 0]]
        bases.append(own[torch.randperm(len(own), generator=generator)[:poisons]].sort().values)
    if len(drawn) < targets or any(len(own) < poisons for own in bases):
        raise InvalidData(f"images: expected {targets} targets and {poisons} bases of a class, got fewer")
    return TargetsAndBases(targets=drawn, labels=labels, bases=torch.stack(bases))


def directly(attack: TargetedAttack) -> Crafting:
    """Return a crafting in which an attack is applied to each target."""

    def craft(setting: TransferSetting, chosen: TargetsAndBases, generator: Generator) -> Tensor:
        return attack.craft([setting.body], HEAD, *chosen.images(setting), generator=generator)

    return craft


def spread(attack: FeatureCollision) -> Crafting:
    """Return an adaptive crafting against the vote of medoids.

    Each poison collides with another neighbour of the target. The neighbours
    are the clean training images of the target's class nearest to it, so that
    poisons are as far apart as clean rows and become medoids as often.
    """

    def craft(setting: TransferSetting, chosen: TargetsAndBases, generator: Generator) -> Tensor:
        bases, _ = chosen.images(setting)
        neighbours = torch.cat([_nearest_own(setting, int(target), bases.shape[1]) for target in chosen.targets])
        shown = unit(setting.training[0][neighbours], torch.float32)
        alone = bases.flatten(0, 1)[:, None]
        return attack.craft([setting.body], HEAD, alone, shown, generator=generator).view(bases.shape)

    return craft


def poisoned_cases(
    setting: TransferSetting,
    name: str,
    chosen: TargetsAndBases,
    crafting: Crafting,
    *,
    generator: Generator,
    folder: Path,
) -> list[Case]:
    """Craft poisons for each target, or read them from the folder, and put their features in place of the bases'.

    Parameters
    ----------
    setting : TransferSetting
    name : str
        Name of the attack.
    chosen : TargetsAndBases
    crafting : callable
        See `directly` and `spread`.
    generator : Generator
    folder : Path
        Folder for crafted poisons.

    Returns
    -------
    list of Case
        One for each target, in order.
    """
    bases, shown = chosen.images(setting)
    poisons = crafted_once(file_of(folder, name), bases, shown, lambda: crafting(setting, chosen, generator))
    return [_case(setting, name, chosen, poisons[place], place) for place in range(len(poisons))]


def file_of(folder: Path, name: str) -> Path:
    """Return the file of the poisons of an attack.

    Examples
    --------
    >>> file_of(Path("work"), "bullseye polytope, 16 levels").name
    'bullseye-polytope-16-levels.safetensors'
    """
    return folder / f"{re.sub('[^a-z0-9]+', '-', name.lower())}.safetensors"


def crafted_once(file: Path, bases: Tensor, shown: Tensor, craft: Callable[[], Tensor]) -> Tensor:
    """Return the poisons in a file if they were crafted from these bases and targets, else craft and write them."""
    made_for = digest_of(bases, shown)
    if file.exists():
        tensors, facts = read_tensors(file)
        if facts.get("made_for") == made_for:
            return tensors["poisons"]
    poisons = craft()
    write_tensors(file, {"poisons": poisons}, {"made_for": made_for})
    return poisons


def _case(setting: TransferSetting, name: str, chosen: TargetsAndBases, poisons: Tensor, place: int) -> Case:
    features, rows = setting.features.clone(), chosen.bases[place]
    features[rows] = activations(setting.body, HEAD, poisons).cpu()
    target = int(chosen.targets[place])
    goal = Goal(images=setting.test_features[target : target + 1], label=int(chosen.labels[place]))
    own = None if chosen.rows is None else chosen.rows[place]
    return setting.case(name, features, poison=rows, goal=goal, seed=place, rows=own)


def _nearest_own(setting: TransferSetting, target: int, count: int) -> Tensor:
    """Return the training images of the target's class that are nearest to it, nearest first."""
    own = setting.rows[(setting.training[1][setting.rows] == setting.test[1][target]).nonzero()[:, 0]]
    apart = (setting.features[own] - setting.test_features[target]).double().norm(dim=1)
    return own[apart.argsort(stable=True)[:count]]
