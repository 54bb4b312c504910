"""Inspection of a network by arrays of images: triggers, STRIP, fine-pruning and repair in one pass."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from toadstone.core.arrays import IntArray
from toadstone.core.errors import InvalidData
from toadstone.deep.defences.fine_pruning import fine_prune
from toadstone.deep.defences.strip import strip
from toadstone.deep.inspection.found_trigger import FoundTrigger
from toadstone.deep.inspection.inspect_network import (
    Inspection,
    LabelSearch,
    NetworkInspection,
    carried,
    inspect_network,
)
from toadstone.deep.inspection.repair import Repair, repair
from toadstone.deep.tensors.factories import images_for, last_linear
from toadstone.deep.tensors.features import find_head, logits
from toadstone.deep.tensors.images import as_input

_ENOUGH = 256
"""Images for which the search is long enough by default; with fewer, it passes over them more often."""
_GREY = 0.5
_FALSE_ALARMS = 0.05


@dataclass(frozen=True, eq=False, kw_only=True)
class TriggerEvidence:
    """Measurements with a found trigger, and its pictures.

    Parameters
    ----------
    found : LabelSearch
    trigger, example : uint8 ndarray of shape (height, width, channels)
        The trigger on grey, and a trusted image with it.
    flagged_with, flagged_without : float, optional
        Share of trusted images that STRIP flags with the trigger, and without;
        None where there are too few for its false-alarm rate.
    pruned : float, optional
        Share of images that follow it after fine-pruning.
    """

    found: LabelSearch
    trigger: NDArray[np.uint8]
    example: NDArray[np.uint8]
    flagged_with: float | None
    flagged_without: float | None
    pruned: float | None


@dataclass(frozen=True, eq=False, kw_only=True)
class ImageInspection:
    """All results of an inspection.

    Parameters
    ----------
    head : str
        Name of the last layer.
    network : NetworkInspection
    evidence : tuple of TriggerEvidence
        Of each suspect.
    pruned, features : int
        Pruned features of the last layer, of all; 0 of 0 where pruning does
        not apply.
    pruned_accuracy : float
    repair : Repair, optional
    weights : mapping from str to Tensor, optional
        Of the repaired network.
    """

    head: str
    network: NetworkInspection
    evidence: tuple[TriggerEvidence, ...]
    pruned: int
    features: int
    pruned_accuracy: float
    repair: Repair | None
    weights: Mapping[str, Tensor] | None


def inspect_images(
    model: nn.Module,
    pixels: NDArray[Any],
    labels: IntArray,
    *,
    head: str | None = None,
    unlearn: bool = False,
    seed: int = 0,
    epochs: int | None = None,
    on_stage: Callable[[str], None] = lambda stage: None,
) -> ImageInspection:
    """Look for triggers, and measure STRIP, fine-pruning and a repair with those that are found.

    Parameters
    ----------
    model : Module
        Unchanged.
    pixels : uint8 ndarray of shape (n, height, width, channels)
        Trusted images.
    labels : ndarray of int of shape (n,)
        Positions of the network's outputs.
    head : str, optional
        Name of the last layer; the last linear one by default.
    unlearn : bool
        Whether to repair a copy of the network, if a label is suspected.
    seed : int
    epochs : int, optional
        Passes of the search for patches over half of the images; 60 by
        default, and more for fewer than 256 images.
    on_stage : callable
        Called with the name of each stage as it begins.

    Returns
    -------
    ImageInspection

    Raises
    ------
    InvalidInput
        As `inspect_network`, `toadstone.deep.fine_prune` and
        `toadstone.deep.repair`, or if the network has fewer outputs than there
        are labels.
    """
    layer = last_linear(model) if head is None else head
    find_head(model, layer)
    images, named = _checked(model, pixels, labels)
    on_stage("triggers")
    generator = torch.Generator().manual_seed(seed)
    found = inspect_network(model, images, named, generator=generator, settings=searching(len(images), epochs))
    pruned, evidence = None, []
    if found.suspects:
        on_stage("evidence")
        pruned = _pruned(model, layer, images, named)
        evidence = [_evidence(model, pruned, each, images, named, seed=seed) for each in found.suspects]
    repaired, weights = None, None
    if unlearn and found.suspects:
        on_stage("repair")
        other = copy.deepcopy(model)
        repaired = repair(other, images, named, triggers=found.suspects, seed=seed)
        weights = other.state_dict()
    return ImageInspection(
        head=layer,
        network=found,
        evidence=tuple(evidence),
        pruned=0 if pruned is None else pruned[1],
        features=0 if pruned is None else pruned[2],
        pruned_accuracy=0.0 if pruned is None else _accuracy(pruned[0], images, named),
        repair=repaired,
        weights=weights,
    )


def searching(count: int, epochs: int | None) -> Inspection:
    """Return the settings of a search over a number of images.

    Examples
    --------
    >>> [searching(count, None).patches.epochs for count in (500, 256, 128)], searching(128, 9).patches.epochs
    ([60, 60, 120], 9)
    """
    usual = Inspection()
    more = max(1.0, _ENOUGH / count)
    passes = round(more * usual.patches.epochs) if epochs is None else epochs
    shifts = replace(usual.shifts, epochs=round(more * usual.shifts.epochs))
    return replace(usual, patches=replace(usual.patches, epochs=passes), shifts=shifts)


def outputs_of(model: nn.Module, pixels: NDArray[Any]) -> int:
    """Return the number of outputs of a network for some images.

    Raises
    ------
    InvalidData
        If it does not take such images.
    """
    return logits(model, images_for(model, pixels)).shape[1]


def _checked(model: nn.Module, pixels: NDArray[Any], labels: IntArray) -> tuple[Tensor, Tensor]:
    images = images_for(model, pixels)
    outputs, count = outputs_of(model, pixels[:1]), int(labels.max()) + 1
    if count > outputs:
        raise InvalidData(f"images: expected at most {outputs} labels, one for each output of the network, got {count}")
    return images, torch.from_numpy(labels)


def _pruned(model: nn.Module, head: str, images: Tensor, labels: Tensor) -> tuple[nn.Module, int, int] | None:
    """Return a pruned copy, with the number of pruned features and of all; None without a linear head."""
    last = find_head(model, head)
    if not isinstance(last, nn.Linear):
        return None
    other = copy.deepcopy(model)
    pruning = fine_prune(other, head, images, labels)
    return other, len(pruning.channels), last.in_features


def _evidence(
    model: nn.Module,
    pruned: tuple[nn.Module, int, int] | None,
    found: LabelSearch,
    images: Tensor,
    labels: Tensor,
    *,
    seed: int,
) -> TriggerEvidence:
    shown = as_input(images, next(model.parameters()))
    generator = torch.Generator().manual_seed(seed)
    # Trusted images often come sorted by label. Those that set the threshold of STRIP are not those it is measured on.
    clean, judged = shown[torch.randperm(len(shown), generator=generator).to(shown.device)].tensor_split(2)
    rates = []
    for each in (found.trigger(judged), judged):
        scan = strip(model, each, clean=clean, generator=generator, false_alarm_rate=_FALSE_ALARMS)
        rates.append(float(scan.flagged.double().mean()) if math.isfinite(scan.threshold) else None)
    others = (labels != found.label).nonzero()[:, 0]
    one = shown[others[:1]] if len(others) else shown[:1]
    return TriggerEvidence(
        found=found,
        trigger=_picture(found.trigger, torch.full_like(one, _GREY)),
        example=_picture(found.trigger, one),
        flagged_with=rates[0],
        flagged_without=rates[1],
        pruned=None if pruned is None else carried(pruned[0], found.trigger, found.label, images, labels),
    )


def _picture(trigger: FoundTrigger, image: Tensor) -> NDArray[np.uint8]:
    levels = (255 * trigger(image)[0]).round().to(torch.uint8).cpu()
    return np.ascontiguousarray(levels.permute(1, 2, 0).numpy())


def _accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    given = logits(model, images)
    return float((given.argmax(dim=1) == labels.to(given.device)).double().mean())
