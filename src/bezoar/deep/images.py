"""Images and labels as tensors: one layout, one range, checked at the door.

Images are of shape (n, channels, height, width), either eight bits a value
(``torch.uint8``) or floating-point numbers in [0, 1]. A head on its own takes
features instead, of shape (n, d), floating-point and finite. Labels are whole
numbers from 0, of dtype ``torch.int64``.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from bezoar.core.errors import InvalidData

_SLACK = 1e-3
"""How far outside [0, 1] rounding may carry a value; less than half a level of eight bits."""


def check_layout(images: Tensor) -> None:
    """Refuse what has neither shape (n, channels, height, width) nor (n, d), n > 0, or an impossible dtype.

    Raises
    ------
    InvalidData
        In one sentence.
    """
    if not isinstance(images, Tensor):
        raise InvalidData(f"images: expected a torch tensor, got {type(images).__name__}")
    if images.dim() not in (2, 4) or len(images) == 0:
        shape = tuple(images.shape)
        raise InvalidData(f"images: expected shape (n, channels, height, width) with n > 0, got {shape}")
    if not images.is_floating_point() and not (images.dtype == torch.uint8 and images.dim() == 4):
        raise InvalidData(f"images: expected dtype uint8 or a floating-point one, got {images.dtype}")
    if images.dim() == 4 and images.shape[3] in (1, 3) and not {1, 3} & {*images.shape[1:3]}:
        expected = "expected channels before height and width, (n, channels, height, width)"
        raise InvalidData(f"images: {expected}, got {tuple(images.shape)}, which looks like channels last")


def check_images(images: Tensor) -> None:
    """Refuse a wrong layout, pixels outside [0, 1] and features that are not finite.

    Raises
    ------
    InvalidData
        In one sentence.
    """
    check_layout(images)
    if images.is_floating_point():
        low, high = (float(value) for value in torch.aminmax(images))
        if images.dim() == 2 and not math.isfinite(high - low):
            raise InvalidData(f"images: expected features that are finite, got values in [{low:.4g}, {high:.4g}]")
        if images.dim() == 4 and not (low >= -_SLACK and high <= 1 + _SLACK):
            raise InvalidData(f"images: expected values in [0, 1], got values in [{low:.4g}, {high:.4g}]")


def check_labels(labels: Tensor, *, count: int, classes: int) -> None:
    """Refuse labels that are not `count` whole numbers below `classes`.

    Raises
    ------
    InvalidData
        In one sentence.
    """
    if not isinstance(labels, Tensor) or labels.dtype != torch.int64:
        got = labels.dtype if isinstance(labels, Tensor) else type(labels).__name__
        raise InvalidData(f"labels: expected a tensor of int64, got {got}")
    if labels.shape != (count,):
        raise InvalidData(f"labels: expected {count}, one for each image, got shape {tuple(labels.shape)}")
    low, high = (int(value) for value in torch.aminmax(labels))
    if low < 0 or high >= classes:
        wrong = low if low < 0 else high
        raise InvalidData(
            f"labels: expected whole numbers from 0 to {classes - 1}, the classes of the head, got {wrong}"
        )


def as_input(images: Tensor, like: Tensor) -> Tensor:
    """Images as a network wants them: in [0, 1], with the dtype and on the device of `like`.

    Eight bits are divided by 255. What is right already is passed on without a
    copy, and gradients flow through.
    """
    moved = images.to(like.device)
    return moved.to(like.dtype) / 255 if images.dtype == torch.uint8 else moved.to(like.dtype)
