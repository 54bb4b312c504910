"""Fine-pruning: a backdoor lives in channels that clean images leave asleep."""

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
    """Which channels went, and what it cost.

    Parameters
    ----------
    channels : tuple of int
        Those pruned, the sleepiest first.
    accuracies : tuple of float
        On the trusted images, with none pruned, the first one, the first two
        and so on, as far as `channels` goes.
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
    """Cut the channels that trusted images wake least off the head, then train on [1]_.

    Channels are cut in the order of their mean activation on the trusted
    images while the accuracy on those falls by no more than the tolerance. Cut
    means that the head's weights for it are zero, and stay so in the training.

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
        Share of the trusted images that may be lost, in [0, 1).
    cells : int
        Neighbouring features that belong to one channel; 1 after global
        pooling.
    config : TrainingConfig, optional
        For the training on the trusted images; none is done without it.
    seed : int
        Of that training.

    Returns
    -------
    Pruning

    Raises
    ------
    InvalidArgument
        If the head is not linear, or a number is out of range.
    UnknownName, InvalidData
        As of `toadstone.deep.tensors.features.activations`, or for unfit labels.

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
    pruning = _sleepiest(last, features, labels.to(features.device), tolerance=tolerance, cells=cells)
    mask = torch.ones_like(last.weight)
    mask.view(last.out_features, -1, cells)[:, list(pruning.channels)] = 0
    prune.custom_from_mask(last, "weight", mask)
    try:
        if config is not None:
            train(model, images, labels, config, seed=seed)
    finally:
        prune.remove(last, "weight")
    return pruning


def _sleepiest(last: nn.Linear, features: Tensor, labels: Tensor, *, tolerance: float, cells: int) -> Pruning:
    channels = features.view(len(features), -1, cells)
    order = channels.abs().mean(dim=(0, 2)).argsort(stable=True)
    weight = last.weight.detach().to(features.dtype).view(last.out_features, -1, cells)
    with torch.no_grad():
        given = last(features.to(last.weight.dtype)).to(features.dtype)
        check_finite_answers(given, what="logits")
        accuracies = [float((given.argmax(dim=1) == labels).double().mean())]
        pruned: list[int] = []
        # The last channel stays: without any, the head answers the same to all.
        for channel in order[:-1].tolist():
            given = given - channels[:, channel] @ weight[:, channel].T
            accuracy = float((given.argmax(dim=1) == labels).double().mean())
            if accuracy < accuracies[0] - tolerance:
                break
            pruned.append(channel)
            accuracies.append(accuracy)
    return Pruning(channels=tuple(pruned), accuracies=tuple(accuracies))
