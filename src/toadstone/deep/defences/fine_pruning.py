"""Fine-pruning: prune the channels that are inactive on clean images, then fine-tune."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from toadstone.core.checks import check_count, check_within
from toadstone.core.errors import InvalidArgument
from toadstone.deep.tensors.features import activations, check_finite_answers, find_head
from toadstone.deep.tensors.images import check_labels
from toadstone.deep.training.hyperparameters import TrainingConfig
from toadstone.deep.training.loop import train


@dataclass(frozen=True, kw_only=True)
class Pruning:
    """Pruned channels and the accuracy after each.

    Parameters
    ----------
    channels : tuple of int
        The least active first.
    accuracies : tuple of float
        On the trusted images, before pruning and after each channel; one more
        than `channels`.
    """

    channels: tuple[int, ...]
    accuracies: tuple[float, ...]


def fine_prune(
    model: nn.Module,
    head: str,
    images: Tensor,
    labels: Tensor,
    *,
    tolerance: float = 0.04,
    cells: int = 1,
    config: TrainingConfig | None = None,
    seed: int = 0,
) -> Pruning:
    """Prune the channels that are least active on trusted images, then fine-tune on those images [1]_.

    Channels are pruned in the order of their mean activation while the
    accuracy on the trusted images falls by at most `tolerance`. A pruned
    channel has zero weights in the head, also during fine-tuning.

    Parameters
    ----------
    model : Module
        Changed in place.
    head : str
        Name of the last layer, a linear one.
    images : Tensor of shape (n, channels, height, width)
        Trusted.
    labels : Tensor of shape (n,), int64
    tolerance : float
        Largest loss of accuracy on the trusted images, in [0, 1).
    cells : int
        Consecutive features of one channel; 1 after global pooling.
    config : TrainingConfig, optional
        For fine-tuning; without it there is none.
    seed : int
        For fine-tuning.

    Returns
    -------
    Pruning

    Raises
    ------
    InvalidArgument
        If the head is not linear, or a number is out of range.
    UnknownName, InvalidData
        As for `toadstone.deep.tensors.features.activations`, or if labels are
        invalid.

    References
    ----------
    .. [1] Liu, Dolan-Gavitt and Garg, "Fine-pruning: defending against
       backdooring attacks on deep neural networks", RAID 2018, section 4.
    """
    check_within("[0, 1)", tolerance=tolerance)
    last = find_head(model, head)
    if not isinstance(last, nn.Linear):
        raise InvalidArgument("head", "a linear layer", f"{head!r}, a {type(last).__name__}")
    check_count(cells=cells)
    if last.in_features % cells:
        raise InvalidArgument("cells", f"a divisor of the head's {last.in_features} features", cells)
    features = activations(model, head, images)
    check_labels(labels, count=len(images), classes=last.out_features)
    pruning = _least_active(last, features, labels.to(features.device), tolerance=tolerance, cells=cells)
    # As a mask of torch, so that optimiser steps leave the zeros in place.
    mask = torch.ones_like(last.weight)
    mask.view(last.out_features, -1, cells)[:, list(pruning.channels)] = 0
    prune.custom_from_mask(last, "weight", mask)
    try:
        if config is not None:
            train(model, images, labels, config, seed=seed)
    finally:
        prune.remove(last, "weight")
    return pruning


def _least_active(last: nn.Linear, features: Tensor, labels: Tensor, *, tolerance: float, cells: int) -> Pruning:
    channels = features.view(len(features), -1, cells)
    order = channels.abs().mean(dim=(0, 2)).argsort(stable=True)
    weight = last.weight.detach().to(features.dtype).view(last.out_features, -1, cells)
    with torch.no_grad():
        given = last(features.to(last.weight.dtype)).to(features.dtype)
        check_finite_answers(given, what="logits")
        accuracies = [float((given.argmax(dim=1) == labels).double().mean())]
        pruned: list[int] = []
        # The last channel stays: without any, the head gives all images the same logits.
        for channel in order[:-1].tolist():
            # Subtract the channel's contribution: no further pass through the network.
            given = given - channels[:, channel] @ weight[:, channel].T
            accuracy = float((given.argmax(dim=1) == labels).double().mean())
            if accuracy < accuracies[0] - tolerance:
                break
            pruned.append(channel)
            accuracies.append(accuracy)
    return Pruning(channels=tuple(pruned), accuracies=tuple(accuracies))
