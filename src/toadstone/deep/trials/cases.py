"""Cases: a poisoned training set, the training on it, and the attacker's goal."""

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
"""Type of images for packages that must not import torch."""

Pictures: TypeAlias = tuple[Tensor, Tensor]
"""Images or their features, and their labels."""

NO_ATTACK, NO_DEFENCE = "no attack", "none"
_EVERY = 5
"""Epochs between checkpoints."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Goal:
    """The attacker's goal: a label for certain images outside the training set.

    Parameters
    ----------
    images : Tensor of shape (m, ...)
    label : int or int64 Tensor of shape (m,)
        Label that they are to be classified as, or that each of them is.
    before : Pictures, optional
        The same images without a trigger, and their labels; only those count
        that the trained model classifies correctly without it.
    """

    images: Tensor
    label: int | Tensor
    before: Pictures | None = None

    def reached(self, model: nn.Module) -> tuple[int, int]:
        """Return the number of images that count, and of those classified as the label."""
        found = logits(model, self.images).argmax(1).cpu() == torch.as_tensor(self.label).cpu()
        counts = torch.ones_like(found)
        if self.before is not None:
            images, labels = self.before
            counts = logits(model, images).argmax(1).cpu() == labels.cpu()
        return int(counts.sum()), int((found & counts).sum())


@dataclass(frozen=True, eq=False, kw_only=True)
class Case:
    """A poisoned training set, the training on it, and the attacker's goal.

    Parameters
    ----------
    attack : str
    seed : int
        For initial weights and training; distinguishes cases of one attack.
    training : Pictures
        Poison included.
    poison : int64 Tensor
        Poisoned rows; empty for a clean set.
    build : callable
        Takes a seed and returns a new model.
    config : TrainingConfig
    test : Pictures
    goal : Goal, optional
    folder : Path, optional
        Folder for checkpoints.
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
        """The model trained on all rows."""
        return self.train(NO_DEFENCE, None)

    @cached_property
    def features(self) -> Tensor:
        """Inputs of the undefended model's head; the rows themselves where only a head is trained."""
        images, _ = self.training
        return images if images.dim() == 2 else activations(self.undefended, HEAD, images)

    def train(self, defence: str, watcher: Watcher | None) -> nn.Module:
        """Return a new model trained on the rows that the watcher keeps, resumed from its checkpoint if any."""
        images, labels = self.training
        model = self.build(self.seed).to(images.device)
        kept = None
        if self.folder is not None:
            file = f"{_stem(self.attack, self.seed)}-{defence.replace(' ', '-')}.safetensors"
            kept = Checkpoint(path=self.folder / file, every=_EVERY)
        train(model, images, labels, self.config, seed=self.seed, watcher=watcher, checkpoint=kept)
        return model


def forget(folder: Path, attack: str, seed: int) -> None:
    """Remove the checkpoints of a case whose trials are all recorded."""
    for file in folder.glob(f"{_stem(attack, seed)}-*.safetensors"):
        file.unlink()


def _stem(attack: str, seed: int) -> str:
    return f"{attack}-{seed}".replace(" ", "-")


def check_device(device: str) -> None:
    """Check for a graphics card where one is required: without it, full scale takes weeks.

    Raises
    ------
    InvalidArgument
        If `device` is "cuda" and PyTorch finds no graphics card.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise InvalidArgument("scale", "cpu, since PyTorch finds no graphics card", "full")


def poisoned_part(pictures: Pictures, bases: IntArray, *, count: int) -> tuple[Pictures, Tensor]:
    """Return all poisons and the first other images, in their original order.

    Parameters
    ----------
    pictures : Pictures
        All images, poisons in place of their bases.
    bases : ndarray of shape (k,)
        Indices of the poisons.
    count : int
        Number of images to return.

    Returns
    -------
    pictures : Pictures
    poison : int64 Tensor of shape (k,)
        Indices of the poisons among the images returned.

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
    """Return a generator on the CPU with a seed."""
    return Generator().manual_seed(seed)


def shuffled(pictures: Pictures, generator: Generator) -> Pictures:
    """Return images and labels in random order."""
    images, labels = pictures
    order = torch.randperm(len(labels), generator=generator)
    return images[order], labels[order]
