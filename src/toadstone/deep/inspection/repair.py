"""Repair of a network with a backdoor: it unlearns the triggers that were found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from toadstone.core.checks import check_count, check_within
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.inspection.inspect_network import LabelSearch, carried
from toadstone.deep.tensors.features import logits
from toadstone.deep.tensors.images import as_input, check_images, check_labels
from toadstone.deep.training.hyperparameters import TrainingConfig
from toadstone.deep.training.loop import Objective, plain, train


@dataclass(frozen=True, kw_only=True)
class Repair:
    """Accuracy and success before and after a repair, on trusted images that it did not train on.

    Parameters
    ----------
    accuracy_before, accuracy_after : float
    carried_before, carried_after : tuple of float
        For each trigger, the share of images of other labels that follow it.
        It speaks of the trigger that was found: the attacker's may differ.
    rows : int
        Number of images on which this was measured.
    """

    accuracy_before: float
    accuracy_after: float
    carried_before: tuple[float, ...]
    carried_after: tuple[float, ...]
    rows: int


@dataclass(frozen=True, kw_only=True)
class Unlearning:
    """Settings of a repair.

    Parameters
    ----------
    share : float
        Copies with each trigger, as a share of the images to train on, in
        (0, 1].
    held_out : float
        Share of the images that only measure, in (0, 1).
    config : TrainingConfig
        By default ten epochs in batches of 64 at a rate of 0.01; at 0.003 as
        much as a quarter of a backdoor was left.
    objective : callable
        Loss of the training, such as `SharpnessAware`; cross entropy by
        default.

    Raises
    ------
    InvalidArgument
        If a number is out of range.
    """

    share: float = 0.3
    held_out: float = 0.2
    config: TrainingConfig = field(default_factory=lambda: TrainingConfig(epochs=10, batch=64, learning_rate=0.01))
    objective: Objective = plain

    def __post_init__(self) -> None:
        check_within("(0, 1]", share=self.share)
        check_within("(0, 1)", held_out=self.held_out)


def repair(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    triggers: Sequence[LabelSearch],
    settings: Unlearning | None = None,
    seed: int = 0,
) -> Repair:
    """Fine-tune a network on trusted images, some of which carry the found triggers with their true labels [1]_.

    Pruning is not part of it: the features of a trigger are often among the
    most active on clean images, so that pruning the least active leaves them.

    Parameters
    ----------
    model : Module
        Changed in place.
    images : Tensor of shape (n, channels, height, width)
        Trusted; 8-bit, or in [0, 1].
    labels : Tensor of shape (n,), int64
        The true ones.
    triggers : sequence of LabelSearch
        At least one, such as ``inspect_network(...).suspects``.
    settings : Unlearning, optional
    seed : int
        Draws the held-out images, the copies and the order.

    Returns
    -------
    Repair

    Raises
    ------
    InvalidArgument
        If there is no trigger.
    InvalidData
        If images or labels are invalid, too few, or the training diverges.

    References
    ----------
    .. [1] Wang and others, "Neural Cleanse: identifying and mitigating backdoor
       attacks in neural networks", IEEE S&P 2019, section VI.C.
    """
    check_images(images)
    chosen = settings or Unlearning()
    check_count(0, seed=seed)
    if not triggers:
        raise InvalidArgument("triggers", "at least one trigger to unlearn", "none")
    check_labels(labels, count=len(images), classes=logits(model, images[:1]).shape[1])
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(images), generator=generator)
    kept = round(chosen.held_out * len(images))
    if kept < 1 or len(images) - kept < 2:
        raise InvalidData(f"images: expected more for `held_out` of {chosen.held_out:g}, got {len(images)}")
    measured = images[order[:kept].to(images.device)], labels[order[:kept].to(labels.device)]
    shown = as_input(images[order[kept:].to(images.device)], next(model.parameters()))
    truth = labels[order[kept:].to(labels.device)]
    pictures, named = [shown], [truth]
    for found in triggers:
        rows = torch.randperm(len(shown), generator=generator)[: max(1, round(chosen.share * len(shown)))]
        pictures.append(found.trigger(shown[rows.to(shown.device)]))
        named.append(truth[rows.to(truth.device)])
    before = _standing(model, triggers, *measured)
    train(model, torch.cat(pictures), torch.cat(named), chosen.config, objective=chosen.objective, seed=seed)
    after = _standing(model, triggers, *measured)
    return Repair(
        accuracy_before=before[0],
        accuracy_after=after[0],
        carried_before=before[1],
        carried_after=after[1],
        rows=kept,
    )


def _standing(
    model: nn.Module, triggers: Sequence[LabelSearch], images: Tensor, labels: Tensor
) -> tuple[float, tuple[float, ...]]:
    given = logits(model, images)
    accuracy = float((given.argmax(dim=1) == labels.to(given.device)).double().mean())
    return accuracy, tuple(carried(model, found.trigger, found.label, images, labels) for found in triggers)
