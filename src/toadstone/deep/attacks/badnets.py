"""BadNets and blended backdoors: training images with a trigger, relabelled as the attacker's class."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.attacks.triggers import ImageTrigger, stamp
from toadstone.deep.tensors.checks import check_generator
from toadstone.deep.tensors.images import check_images, check_labels


@dataclass(frozen=True, eq=False, kw_only=True)
class PoisonedImages:
    """A poisoned training set.

    Parameters
    ----------
    images : uint8 Tensor of shape (n, C, H, W)
    labels : int64 Tensor of shape (n,)
    rows : int64 Tensor of shape (k,)
        Poisoned rows, ascending.
    """

    images: Tensor
    labels: Tensor
    rows: Tensor


@dataclass(frozen=True, eq=False, kw_only=True)
class VisibleBackdoor:
    """Stamp a trigger on images of other classes and relabel them: BadNets, or blended, depending on the trigger.

    Images of the target class are never used: they carry the attacker's label
    already and teach a network nothing about the trigger.

    Parameters
    ----------
    trigger : PatchTrigger, BlendedTrigger or SinusoidalTrigger
    target : int
        Class that the network is to predict for images with the trigger.
    source : int, optional
        Class of the images to poison; by default every class but the target.

    Raises
    ------
    InvalidArgument
        If source and target are equal, or not whole numbers from 0.

    References
    ----------
    .. [1] Gu, Dolan-Gavitt and Garg, "BadNets: identifying vulnerabilities in
       the machine learning model supply chain", 2017, section 4.
    """

    trigger: ImageTrigger
    target: int
    source: int | None = None

    def __post_init__(self) -> None:
        check_count(0, target=self.target)
        if self.source is not None:
            check_count(0, source=self.source)
        if self.source == self.target:
            raise InvalidArgument("source", f"another class than the target's {self.target}", self.source)

    def craft(self, images: Tensor, labels: Tensor, *, count: int, generator: Generator) -> PoisonedImages:
        """Stamp and relabel images drawn at random; they replace the clean ones.

        Parameters
        ----------
        images : uint8 Tensor of shape (n, C, H, W)
        labels : int64 Tensor of shape (n,)
        count : int
            Number of images to poison.
        generator : Generator
            On the CPU.

        Returns
        -------
        PoisonedImages
            Of `n` images; copies, on the devices of the inputs.

        Raises
        ------
        InvalidArgument
            If fewer than `count` images can be used, or no image has the label
            of the target or the source.
        InvalidData
            If images or labels are invalid.
        """
        check_images(images)
        if images.dtype != torch.uint8:
            raise InvalidData(f"images: expected uint8 images, got {images.dtype}")
        check_labels(labels, count=len(images))
        check_generator(generator)
        for name, label in (("target", self.target), ("source", self.source)):
            if label is not None and not bool((labels == label).any()):
                raise InvalidArgument(name, "a label that occurs in the data", label)
        usable = labels != self.target if self.source is None else labels == self.source
        possible = usable.nonzero().flatten().cpu()
        if not 1 <= count <= len(possible):
            raise InvalidArgument("count", f"a whole number from 1 to {len(possible)}, the images to use", count)
        check_count(count=count)
        # Drawn on the CPU, so that the same seed poisons the same rows on every device.
        rows = possible[torch.randperm(len(possible), generator=generator)[:count]].sort().values
        poisoned, relabelled = images.clone(), labels.clone()
        here = rows.to(images.device)
        poisoned[here] = stamp(images[here], self.trigger)
        relabelled[rows.to(labels.device)] = self.target
        return PoisonedImages(images=poisoned, labels=relabelled, rows=rows)
