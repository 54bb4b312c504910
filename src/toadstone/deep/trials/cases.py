"""Poisoned training sets, how a network is trained on them, and what an attacker wants of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from torch import Generator, Tensor, nn

from toadstone.core.arrays import IntArray
from toadstone.core.errors import InvalidArgument
from toadstone.deep.tensors.features import activations, logits
from toadstone.deep.tensors.networks import HEAD
from toadstone.deep.training.hyperparameters import TrainingConfig
from toadstone.deep.training.loop import Watcher, train
from toadstone.deep.training.progress import Checkpoint

Images: TypeAlias = Tensor
"""For rooms that cannot name a tensor."""

Pictures: TypeAlias = tuple[Tensor, Tensor]
"""Images, or their features, and labels."""

NO_ATTACK, NO_DEFENCE = "no attack", "none"
_EVERY = 5


@dataclass(frozen=True, eq=False, kw_only=True)
class Goal:
    """What the attacker wants of some images that nobody trains on.

    Parameters
    ----------
    images : Tensor of shape (m, ...)
    label : int
        What they are to be taken for.
    before : Pictures, optional
        The same images without a trigger, and their labels; only those count
        that the very model classifies rightly so.
    """

    images: Tensor
    label: int
    before: Pictures | None = None

    def reached(self, model: nn.Module) -> tuple[int, int]:
        """How many images count, and how many of them are taken for the label."""
        found = logits(model, self.images).argmax(1).cpu() == self.label
        counts = torch.ones_like(found)
        if self.before is not None:
            images, labels = self.before
            counts = logits(model, images).argmax(1).cpu() == labels.cpu()
        return int(counts.sum()), int((found & counts).sum())


@dataclass(frozen=True, eq=False, kw_only=True)
class Case:
    """A poisoned training set, how a model is trained on it, and what is asked of the model.

    Parameters
    ----------
    attack : str
    seed : int
        Of the model's first weights and of its training; tells cases of one
        attack apart.
    training : Pictures
        Poison included.
    poison : int64 Tensor
        Which rows are; empty for a clean set.
    build : callable
        A new model of a seed.
    config : TrainingConfig
    test : Pictures
    goal : Goal, optional
    folder : Path, optional
        For checkpoints.
    """

    attack: str
    seed: int
    training: Pictures
    poison: Tensor
    build: Callable[[int], nn.Module]
    config: TrainingConfig
    test: Pictures
    goal: Goal | None = None
    folder: Path | None = None

    @cached_property
    def undefended(self) -> nn.Module:
        """The model of all rows."""
        return self.train(NO_DEFENCE, None)

    @cached_property
    def features(self) -> Tensor:
        """What the undefended model's head sees of each row; the rows themselves where only a head is trained."""
        images, _ = self.training
        return images if images.dim() == 2 else activations(self.undefended, HEAD, images)

    def train(self, defence: str, watcher: Watcher | None) -> nn.Module:
        """A new model, trained on what the watcher leaves; resumed where there is a checkpoint."""
        images, labels = self.training
        model = self.build(self.seed).to(images.device)
        kept = None
        if self.folder is not None:
            file = f"{_stem(self.attack, self.seed)}-{defence.replace(' ', '-')}.safetensors"
            kept = Checkpoint(path=self.folder / file, every=_EVERY)
        train(model, images, labels, self.config, seed=self.seed, watcher=watcher, checkpoint=kept)
        return model


def forget(folder: Path, attack: str, seed: int) -> None:
    """Remove the checkpoints of a case, once all its trials are written down."""
    for file in folder.glob(f"{_stem(attack, seed)}-*.safetensors"):
        file.unlink()


def _stem(attack: str, seed: int) -> str:
    return f"{attack}-{seed}".replace(" ", "-")


def check_device(device: str) -> None:
    """Refuse experiments of full scale where they would take weeks.

    Raises
    ------
    InvalidArgument
        If PyTorch finds no graphics card and one is asked for.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise InvalidArgument("scale", "cpu, since PyTorch finds no graphics card", "full")


def poisoned_part(pictures: Pictures, bases: IntArray, *, count: int) -> tuple[Pictures, Tensor]:
    """All poisons and the first other images, in their order.

    Parameters
    ----------
    pictures : Pictures
        All of them, poisons in place of their bases.
    bases : ndarray of shape (k,)
        Which are poisons.
    count : int
        How many images in all.

    Returns
    -------
    pictures : Pictures
    poison : int64 Tensor of shape (k,)
        Which of those returned are poisons.

    Examples
    --------
    >>> images, poison = poisoned_part((torch.arange(9), torch.arange(9)), np.array([2, 7]), count=4)
    >>> images[0], poison
    (tensor([0, 1, 2, 7]), tensor([2, 3]))
    """
    images, labels = pictures
    others = np.setdiff1d(np.arange(len(labels)), bases)[: count - len(bases)]
    chosen = np.union1d(others, bases)
    rows = torch.from_numpy(chosen)
    return (images[rows], labels[rows]), torch.from_numpy(np.flatnonzero(np.isin(chosen, bases)))


def seeded(seed: int) -> Generator:
    """A generator on the host."""
    return Generator().manual_seed(seed)


def shuffled(pictures: Pictures, generator: Generator) -> Pictures:
    """The same images and labels in an order that is drawn."""
    images, labels = pictures
    order = torch.randperm(len(labels), generator=generator)
    return images[order], labels[order]
