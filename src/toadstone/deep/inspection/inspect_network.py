"""Inspection of a trained network: the labels that an unusually small trigger leads to."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Generator, Tensor, nn

from toadstone.core.checks import check_within
from toadstone.core.errors import InvalidData
from toadstone.deep.defences.neural_cleanse import NeuralCleanse, smallest_patch
from toadstone.deep.inspection.found_trigger import FoundTrigger
from toadstone.deep.inspection.smallest_shift import ShiftSearch, smallest_shift
from toadstone.deep.tensors.checks import check_generator
from toadstone.deep.tensors.features import evaluating, logits
from toadstone.deep.tensors.images import as_input, check_images, check_labels

Kind = Literal["patch", "shift"]

_FEWEST = 5
"""Classes from which a median of sizes stands for labels without a backdoor."""
_SETTLED = 0.15
"""Largest median shrinkage in the last quarter of the search for patches that counts as converged."""


@dataclass(frozen=True, eq=False, kw_only=True)
class LabelSearch:
    """The smallest trigger of one kind that was found for one label.

    Parameters
    ----------
    label : int
    kind : {"patch", "shift"}
        A patch covers pixels; a shift is added to the whole image.
    trigger : FoundTrigger
    size : float
        Of a patch the sum of its mask, in pixels; of a shift its Euclidean
        norm. Infinite if none was found.
    share_of_median : float
        Size divided by the median size of all labels; NaN where undecided.
    carried : float
        Share of held-out images of other labels that are classified as the
        label with the trigger.
    """

    label: int
    kind: Kind
    trigger: FoundTrigger
    size: float
    share_of_median: float
    carried: float


@dataclass(frozen=True, eq=False, kw_only=True)
class NetworkInspection:
    """Smallest triggers of all labels, and those that are suspected.

    Parameters
    ----------
    searches : tuple of LabelSearch
        Every label's patch, then every label's shift.
    suspects : tuple of LabelSearch
        The suspected ones, the smallest share of the median first.
    undecided : str or None
        Reason why there is no decision; None if there is one.
    accuracy : float
        On the trusted images.
    """

    searches: tuple[LabelSearch, ...]
    suspects: tuple[LabelSearch, ...]
    undecided: str | None
    accuracy: float


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """Settings of an inspection.

    Parameters
    ----------
    patches : NeuralCleanse
        Its threshold is not used.
    shifts : ShiftSearch
    share_of_median : float
        A trigger is suspected if it is at most this share of the median label's
        in size, in (0, 1). The ratio instead of Neural Cleanse's median
        absolute deviation: among ten labels the deviation is a guess, and a
        label that is near to all others by nature exceeds it.
    carried : float
        And if this share of held-out images follows it, in (0, 1].

    Raises
    ------
    InvalidArgument
        If a number is out of range.
    """

    patches: NeuralCleanse = field(default_factory=lambda: NeuralCleanse(epochs=60))
    shifts: ShiftSearch = field(default_factory=ShiftSearch)
    share_of_median: float = 1 / 3
    carried: float = 0.75

    def __post_init__(self) -> None:
        check_within("(0, 1)", share_of_median=self.share_of_median)
        check_within("(0, 1]", carried=self.carried)


def inspect_network(
    model: nn.Module, images: Tensor, labels: Tensor, *, generator: Generator, settings: Inspection | None = None
) -> NetworkInspection:
    """Look for labels that an unusually small trigger leads to, with trusted images only [1]_.

    For every label two triggers are sought on one half of the images, drawn at
    random: the smallest patch, as in Neural Cleanse, and the smallest picture
    that is added to the whole image. The other half tells whether images that
    the search did not see follow the trigger.

    Parameters
    ----------
    model : Module
        In evaluation mode during the search; unchanged.
    images : Tensor of shape (n, channels, height, width)
        Trusted images of all classes; 8-bit, or in [0, 1]. About 250 suffice.
    labels : Tensor of shape (n,), int64
    generator : torch.Generator
        On the CPU; draws halves, starts and orders.
    settings : Inspection, optional

    Returns
    -------
    NetworkInspection
        Undecided with fewer than five classes, if there is no trigger for half
        of the labels, or if patches still shrink by more than 15 % in the last
        quarter of the search.

    Raises
    ------
    InvalidData
        If images or labels are invalid, there are fewer than four images, or
        logits are not finite.

    References
    ----------
    .. [1] Wang and others, "Neural Cleanse: identifying and mitigating backdoor
       attacks in neural networks", IEEE S&P 2019, section IV.
    """
    check_images(images)
    check_generator(generator)
    if len(images) < 4:
        raise InvalidData(f"images: expected four or more trusted images, got {len(images)}")
    given = logits(model, images)
    classes = given.shape[1]
    check_labels(labels, count=len(images), classes=classes)
    chosen = settings or Inspection()
    accuracy = float((given.argmax(dim=1) == labels.to(given.device)).double().mean())
    order = torch.randperm(len(images), generator=generator)
    seen, unseen = order.tensor_split(2)
    shown = images[seen.to(images.device)]
    held_out = images[unseen.to(images.device)], labels[unseen.to(labels.device)]
    with evaluating(model):
        found, shrinkages = _search(model, shown, classes, generator=generator, settings=chosen)
    undecided = _undecided([[size for size, _ in each] for each in found.values()], shrinkages)
    searches = tuple(
        LabelSearch(
            label=label,
            kind=kind,
            trigger=trigger,
            size=size,
            share_of_median=math.nan if undecided else size / statistics.median(size for size, _ in each),
            carried=carried(model, trigger, label, *held_out),
        )
        for kind, each in found.items()
        for label, (size, trigger) in enumerate(each)
    )
    return NetworkInspection(
        searches=searches, suspects=_suspects(searches, chosen), undecided=undecided, accuracy=accuracy
    )


def _search(
    model: nn.Module, images: Tensor, classes: int, *, generator: Generator, settings: Inspection
) -> tuple[dict[Kind, list[tuple[float, FoundTrigger]]], list[float]]:
    """Return size and trigger of every label, by kind, and the shrinkages of the patches."""
    patches, shifts, shrinkages = [], [], []
    for label in range(classes):
        patch = smallest_patch(model, images, label, generator=generator, search=settings.patches)
        shrinkages.append(patch.shrinkage)
        patches.append((patch.size, FoundTrigger(mask=patch.mask, content=patch.mask * patch.pattern)))
        shift = smallest_shift(model, images, label, generator=generator, search=settings.shifts)
        nowhere = torch.zeros_like(shift.content[0])
        shifts.append((shift.size, FoundTrigger(mask=nowhere, content=shift.content)))
    return {"patch": patches, "shift": shifts}, shrinkages


def carried(model: nn.Module, trigger: FoundTrigger, label: int, images: Tensor, labels: Tensor) -> float:
    """Return the share of images of other labels that are classified as the label with a trigger; NaN of none."""
    others = images[(labels != label).to(images.device)]
    if not len(others):
        return math.nan
    given = logits(model, trigger(as_input(others, trigger.content)))
    return float((given.argmax(dim=1) == label).double().mean())


def _suspects(searches: Sequence[LabelSearch], settings: Inspection) -> tuple[LabelSearch, ...]:
    # Comparisons with NaN are false: nothing is suspected where there is no decision.
    small = [
        each
        for each in searches
        if each.share_of_median <= settings.share_of_median and each.carried >= settings.carried
    ]
    return tuple(sorted(small, key=lambda each: each.share_of_median))


def _undecided(sizes: Sequence[Sequence[float]], shrinkages: Sequence[float]) -> str | None:
    if len(shrinkages) < _FEWEST:
        return f"{len(shrinkages)} classes are too few to find an unusual one; at least {_FEWEST} are needed"
    if any(not math.isfinite(statistics.median(each)) for each in sizes):
        return "no trigger was found for half of the labels"
    if statistics.median(shrinkages) > _SETTLED:
        return "patches were still shrinking when the search ended; use more epochs"
    return None
