"""Published attack set-ups and poisons for CIFAR-10.

They are read from two archives in the folder that ``TOADSTONE_DATA`` names:
``poison_setups.npz`` has the set-ups of the poisoning benchmark [1]_, and
``cifar10_poisons.npz`` has poisons that others made for some of them.

References
----------
.. [1] Schwarzschild, Goldblum, Gupta, Dickerson and Goldstein, "Just how toxic
   is data poisoning? A unified benchmark for backdoor and data poisoning
   attacks", ICML 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from toadstone.core.arrays import IntArray
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.catalogue.load import FOLDER_VARIABLE, data_folder
from toadstone.datasets.readers.formats.archive import Archive

Training = Literal["scratch", "transfer"]
PublishedName = Literal["targeted0", "targeted1", "clbd0", "clbd1", "htbd"]

Images = NDArray[np.uint8]

_SETUPS, _POISONS = "poison_setups.npz", "cifar10_poisons.npz"
_RADIUS = {"targeted": 8, "clbd": 16, "htbd": 16}
_ROUNDING = 1


@dataclass(frozen=True, eq=False, kw_only=True)
class PoisonSetups:
    """Targets and base images of several trials.

    Parameters
    ----------
    target_index : ndarray of shape (n,)
        Row of the target image in the test set.
    target_class : ndarray of shape (n,)
        True class of the target.
    base_class : ndarray of shape (n,)
        Class that the target should be assigned to; the class of the bases.
    base_indices : ndarray of shape (n, k)
        Rows of the base images in the training set.
    """

    target_index: IntArray
    target_class: IntArray
    base_class: IntArray
    base_indices: IntArray

    def __len__(self) -> int:
        return len(self.target_index)


@dataclass(frozen=True, eq=False, kw_only=True)
class PublishedPoison:
    """Published poison: changes to some training images.

    Parameters
    ----------
    name : str
    change : ndarray of shape (k, channels, height, width)
        Added to the base images, in 8-bit levels.
    base_indices : ndarray of shape (k,)
        Rows of the base images in the training set.
    target_index : int
        Row of the target image in the test set.
    base_class, target_class : int
        Class that the target should be assigned to, and its true class.
    radius : int
        Budget that its authors state, in levels. Changes may exceed it by one
        level, since the authors truncated instead of rounding.
    """

    name: str
    change: NDArray[np.int16]
    base_indices: IntArray
    target_index: int
    base_class: int
    target_class: int
    radius: int

    def poisoned(self, images: Images) -> Images:
        """Return the training images with the poison added; labels do not change.

        Parameters
        ----------
        images : uint8 ndarray of shape (n, channels, height, width)
            Training set in its original order; not modified.

        Returns
        -------
        uint8 ndarray of the same shape

        Raises
        ------
        InvalidData
            If there are too few images, they have another shape, or a sum is
            not within 0 and 255, so that the images are not those of the poison.
        """
        if images.dtype != np.uint8 or images.shape[1:] != self.change.shape[1:]:
            expected = f"uint8 images of shape {('n', *self.change.shape[1:])}".replace("'", "")
            raise InvalidData(f"images: expected {expected}, got {images.dtype} of shape {images.shape}")
        if len(images) <= self.base_indices.max():
            raise InvalidData(f"images: expected more than {self.base_indices.max()}, got {len(images)}")
        sums = images[self.base_indices].astype(np.int16) + self.change
        if sums.min() < 0 or sums.max() > 255:
            raise InvalidData(f"images: expected the images that {self.name} was made for, got others")
        changed = images.copy()
        changed[self.base_indices] = sums.astype(np.uint8)
        return changed


def load_setups(training: Training) -> PoisonSetups:
    """Load the set-ups of the poisoning benchmark for CIFAR-10.

    Parameters
    ----------
    training : {"scratch", "transfer"}
        100 set-ups of 500 base images for victims who train all weights, or
        100 of 25 base images for victims who train the last layer only.

    Returns
    -------
    PoisonSetups

    Raises
    ------
    InvalidArgument
        If `training` is another value.
    InvalidData
        If the archive is missing or damaged.
    """
    if training not in get_args(Training):
        raise InvalidArgument("training", f"one of {', '.join(get_args(Training))}", training)
    archive = _archive(_SETUPS)

    def column(name: str) -> IntArray:
        return archive[f"{training}_{name}"].astype(np.int64)

    return PoisonSetups(
        target_index=column("target_index"),
        target_class=column("target_class"),
        base_class=column("base_class"),
        base_indices=column("base_indices"),
    )


def load_poison(name: PublishedName) -> PublishedPoison:
    """Load a published poison for a set-up of the poisoning benchmark.

    Parameters
    ----------
    name : {"targeted0", "targeted1", "clbd0", "clbd1", "htbd"}
        500 images of a clean-label targeted attack or of a clean-label
        backdoor for the first two set-ups from scratch; 25 images with a
        hidden trigger for transfer.

    Returns
    -------
    PublishedPoison

    Raises
    ------
    InvalidArgument
        If there is no poison of that name.
    InvalidData
        If the archive is missing or damaged, or exceeds the stated budget.
    """
    if name not in get_args(PublishedName):
        raise InvalidArgument("name", f"one of {', '.join(get_args(PublishedName))}", name)
    archive, radius = _archive(_POISONS), _RADIUS[name.rstrip("01")]
    change: NDArray[Any] = np.moveaxis(archive[f"{name}_delta"].astype(np.int16), -1, 1)
    if np.abs(change).max() > radius + _ROUNDING:
        raise InvalidData(f"{name}: expected changes within {radius} levels and rounding, got {np.abs(change).max()}")
    base_class, target_class = archive[f"{name}_class"].tolist()
    return PublishedPoison(
        name=name,
        change=change,
        base_indices=archive[f"{name}_base"].astype(np.int64),
        target_index=int(archive[f"{name}_target"][0]),
        base_class=base_class,
        target_class=target_class,
        radius=radius,
    )


def _archive(file: str) -> Archive:
    folder = data_folder()
    if folder is None or not (folder / file).is_file():
        raise InvalidData(f"{file}: expected it in the folder that {FOLDER_VARIABLE} names, got no such file")
    return Archive(folder / file)
