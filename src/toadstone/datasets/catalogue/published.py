"""Set-ups and poisons that others published for CIFAR-10, so that everybody attacks the same pictures.

Two archives, looked for in the folder that ``TOADSTONE_DATA`` names:
``poison_setups.npz`` has the set-ups of the poisoning benchmark [1]_, and
``cifar10_poisons.npz`` has poisons that others crafted for some of them.

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
from toadstone.datasets.readers.arrays import Archive

Training = Literal["scratch", "transfer"]
PublishedName = Literal["targeted0", "targeted1", "clbd0", "clbd1", "htbd"]

Pictures = NDArray[np.uint8]

_SETUPS, _POISONS = "poison_setups.npz", "cifar10_poisons.npz"
_RADIUS = {"targeted": 8, "clbd": 16, "htbd": 16}
_ROUNDING = 1


@dataclass(frozen=True, eq=False, kw_only=True)
class PoisonSetups:
    """Whom to attack and with what, for each of several trials.

    Parameters
    ----------
    target_index : ndarray of shape (n,)
        Row of the target in the test set.
    target_class : ndarray of shape (n,)
        Its true class.
    base_class : ndarray of shape (n,)
        What it is to be taken for; the class of the bases.
    base_indices : ndarray of shape (n, k)
        Rows of the bases in the training set.
    """

    target_index: IntArray
    target_class: IntArray
    base_class: IntArray
    base_indices: IntArray

    def __len__(self) -> int:
        return len(self.target_index)


@dataclass(frozen=True, eq=False, kw_only=True)
class PublishedPoison:
    """What somebody added to training pictures to make them poison.

    Parameters
    ----------
    name : str
    change : ndarray of shape (k, channels, height, width)
        Levels of 8 bits.
    base_indices : ndarray of shape (k,)
        Rows in the training set.
    target_index : int
        Row in the test set.
    base_class, target_class : int
        What the target is to be taken for, and what it is.
    radius : int
        The budget that its authors state, in levels; one of rounding comes on
        top, since they cut off where they should have rounded.
    """

    name: str
    change: NDArray[np.int16]
    base_indices: IntArray
    target_index: int
    base_class: int
    target_class: int
    radius: int

    def poisoned(self, pictures: Pictures) -> Pictures:
        """All training pictures, those of the bases poisoned; labels stay.

        Parameters
        ----------
        pictures : uint8 ndarray of shape (n, channels, height, width)
            The training set in its original order; left alone.

        Returns
        -------
        uint8 ndarray of the same shape

        Raises
        ------
        InvalidData
            If there are too few pictures, they have another shape, or the
            sums are no pixels, so that they must be other ones.
        """
        if pictures.dtype != np.uint8 or pictures.shape[1:] != self.change.shape[1:]:
            expected = f"uint8 pictures of shape {('n', *self.change.shape[1:])}".replace("'", "")
            raise InvalidData(f"pictures: expected {expected}, got {pictures.dtype} of shape {pictures.shape}")
        if len(pictures) <= self.base_indices.max():
            raise InvalidData(f"pictures: expected more than {self.base_indices.max()}, got {len(pictures)}")
        sums = pictures[self.base_indices].astype(np.int16) + self.change
        if sums.min() < 0 or sums.max() > 255:
            raise InvalidData(f"pictures: expected those that {self.name} was made for, got others")
        changed = pictures.copy()
        changed[self.base_indices] = sums.astype(np.uint8)
        return changed


def load_setups(training: Training) -> PoisonSetups:
    """The poisoning benchmark's set-ups for CIFAR-10.

    Parameters
    ----------
    training : {"scratch", "transfer"}
        100 set-ups of 500 bases for victims who train all weights, or 100 of
        25 bases for those who train the last layer.

    Returns
    -------
    PoisonSetups

    Raises
    ------
    InvalidArgument
        If `training` is another word.
    InvalidData
        If the archive is not there or is damaged.
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
    """A poison that others crafted for a set-up of the poisoning benchmark.

    Parameters
    ----------
    name : {"targeted0", "targeted1", "clbd0", "clbd1", "htbd"}
        500 clean-label targeted pictures, or as many of a clean-label
        backdoor, for the first two set-ups from scratch; 25 with a hidden
        trigger for transfer.

    Returns
    -------
    PublishedPoison

    Raises
    ------
    InvalidArgument
        If there is none of that name.
    InvalidData
        If the archive is not there or damaged, or breaks the stated budget.
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
        raise InvalidData(f"{file}: expected it in the folder that {FOLDER_VARIABLE} names, got none there")
    return Archive(folder / file)
