"""Visible backdoors on images: some training images wear a trigger and the attacker's label."""

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
    """A training set with poison in it.

    Parameters
    ----------
    images : uint8 Tensor of shape (n, C, H, W)
    labels : int64 Tensor of shape (n,)
    rows : int64 Tensor of shape (k,)
        Which of them are poison, in increasing order.
    """

    images: Tensor
    labels: Tensor
    rows: Tensor


@dataclass(frozen=True, eq=False, kw_only=True)
class VisibleBackdoor:
    """The trigger in images of other classes, relabelled: BadNets, or blended, by the trigger that is given.

    Images that carry the attacker's label already are never used, since they
    teach a network nothing about the trigger.

    Parameters
    ----------
    trigger : PatchTrigger, BlendedTrigger or SinusoidalTrigger
    target : int
        The class that the trigger is to call up.
    source : int, optional
        The class of the images that are used; any other by default.

    Raises
    ------
    InvalidArgument
        If source and target are the same, or no whole numbers from 0.

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
        """Stamp and relabel images drawn at random, in place of the clean ones.

        Parameters
        ----------
        images : uint8 Tensor of shape (n, C, H, W)
        labels : int64 Tensor of shape (n,)
        count : int
            How many.
        generator : Generator
            On the host.

        Returns
        -------
        PoisonedImages
            New; of `n` images, on the devices of those given.

        Raises
        ------
        InvalidArgument
            If there are not so many images to use, or no image has the label
            of the target or the source.
        InvalidData
            If images or labels are none.
        """
        check_images(images)
        if images.dtype != torch.uint8:
            raise InvalidData(f"images: expected uint8 images, got {images.dtype}")
        check_labels(labels, count=len(images))
        check_generator(generator)
        for name, label in (("target", self.target), ("source", self.source)):
            if label is not None and not bool((labels == label).any()):
                raise InvalidArgument(name, "a label that occurs", label)
        usable = labels != self.target if self.source is None else labels == self.source
        possible = usable.nonzero().flatten().cpu()
        if not 1 <= count <= len(possible):
            raise InvalidArgument("count", f"a whole number from 1 to {len(possible)}, the images to use", count)
        check_count(count=count)
        rows = possible[torch.randperm(len(possible), generator=generator)[:count]].sort().values
        poisoned, relabelled = images.clone(), labels.clone()
        here = rows.to(images.device)
        poisoned[here] = stamp(images[here], self.trigger)
        relabelled[rows.to(labels.device)] = self.target
        return PoisonedImages(images=poisoned, labels=relabelled, rows=rows)
