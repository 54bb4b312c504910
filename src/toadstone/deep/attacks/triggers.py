"""Triggers of the attacks on arrays, stamped on tensors of images."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from toadstone.attacks.backdoors.trigger import BlendedTrigger, PatchTrigger, SinusoidalTrigger
from toadstone.core.errors import InvalidData
from toadstone.deep.attacks.linf_ball import LEVELS

ImageTrigger: TypeAlias = PatchTrigger | BlendedTrigger | SinusoidalTrigger


def stamp(images: Tensor, trigger: ImageTrigger) -> Tensor:
    """Return images with a trigger.

    Parameters
    ----------
    images : uint8 Tensor of shape (..., C, H, W)
    trigger : PatchTrigger, BlendedTrigger or SinusoidalTrigger
        The lowest and highest value of its shape correspond to levels 0 and
        255. Its layout does not matter.

    Returns
    -------
    uint8 Tensor of the same shape
        Copies; values of the trigger are rounded to the nearest level.

    Raises
    ------
    InvalidData
        If the images are not 8-bit, or not of the trigger's size.

    Examples
    --------
    >>> from toadstone.attacks.backdoors.image_shape import ImageShape
    >>> trigger = PatchTrigger(shape=ImageShape(height=2, width=2), size=1)
    >>> stamp(torch.full((1, 2, 2), 7, dtype=torch.uint8), trigger).tolist()
    [[[7, 7], [7, 255]]]
    """
    shape = trigger.shape
    size = (shape.channels, shape.height, shape.width)
    if images.dtype != torch.uint8 or tuple(images.shape[-3:]) != size:
        got = f"{images.dtype} of shape {tuple(images.shape)}"
        raise InvalidData(f"images: expected uint8 images whose shape ends in the trigger's {size}, got {got}")
    # One implementation of triggers, on rows of arrays: to its units and layout, and back.
    span = shape.highest - shape.lowest
    pixels = images.reshape(-1, *size).permute(0, 2, 3, 1).cpu().numpy()
    rows = trigger.apply(shape.rows(shape.lowest + pixels / LEVELS * span))
    levels = np.rint((shape.images(rows) - shape.lowest) / span * LEVELS)
    stamped = torch.from_numpy(levels.astype(np.uint8)).permute(0, 3, 1, 2)
    return stamped.reshape(images.shape).to(images.device)
