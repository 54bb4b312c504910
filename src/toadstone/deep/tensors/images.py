"""Images and labels as tensors: checks, conversion from arrays, and public data sets.

Images are of shape (n, channels, height, width), either 8-bit (``torch.uint8``)
or floating-point in [0, 1]. A head on its own takes features of shape (n, d),
floating-point and finite. Labels are whole numbers from 0, of dtype
``torch.int64``.
"""

from __future__ import annotations

import math
import os
import zipfile
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.tensors.checks import first_line
from toadstone.deep.tensors.cifar10 import read_cifar10

Layout = Literal["HW", "HWC", "CHW"]
ImageSet = Literal["mnist", "cifar10", "pneumonia"]
Part = Literal["train", "validation", "test"]

_SLACK = 1e-3
"""Tolerance for rounding outside [0, 1]; less than half an 8-bit level."""


def check_layout(images: Tensor) -> None:
    """Check for images of shape (n, channels, height, width) or features of shape (n, d), n > 0, and their dtype.

    Raises
    ------
    InvalidData
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
    """Check the layout, that pixels are in [0, 1], and that features are finite.

    Raises
    ------
    InvalidData
    """
    check_layout(images)
    if images.is_floating_point():
        low, high = (float(value) for value in torch.aminmax(images))
        got = "NaN" if math.isnan(low) else f"values in [{low:.4g}, {high:.4g}]"
        if images.dim() == 2 and not math.isfinite(high - low):
            raise InvalidData(f"images: expected features that are finite, got {got}")
        if images.dim() == 4 and not (low >= -_SLACK and high <= 1 + _SLACK):
            raise InvalidData(f"images: expected values in [0, 1], got {got}")


def check_labels(labels: Tensor, *, count: int | None = None, classes: int | None = None) -> None:
    """Check that labels are whole numbers from 0: `count` of them, and below `classes`, where those are given.

    Raises
    ------
    InvalidData
    """
    if not isinstance(labels, Tensor) or labels.dtype != torch.int64:
        got = labels.dtype if isinstance(labels, Tensor) else type(labels).__name__
        raise InvalidData(f"labels: expected a tensor of int64, got {got}")
    if labels.dim() != 1 or not len(labels) or count not in (None, len(labels)):
        expected = "one" if count is None else f"{count}, one"
        raise InvalidData(f"labels: expected {expected} for each row, got shape {tuple(labels.shape)}")
    low, high = (int(value) for value in torch.aminmax(labels))
    if low < 0 or (classes is not None and high >= classes):
        wrong = low if low < 0 else high
        upwards = "" if classes is None else f" to {classes - 1}, the classes of the head"
        raise InvalidData(f"labels: expected whole numbers from 0{upwards}, got {wrong}")


def as_input(images: Tensor, like: Tensor) -> Tensor:
    """Return images in [0, 1] with the dtype and on the device of `like`, as input of a network.

    8-bit images are divided by 255. Images that need no conversion are not
    copied; gradients pass through.
    """
    moved = images.to(like.device)
    return moved.to(like.dtype) / 255 if images.dtype == torch.uint8 else moved.to(like.dtype)


def from_arrays(images: NDArray[Any], labels: NDArray[Any], *, layout: Layout) -> tuple[Tensor, Tensor]:
    """Convert arrays to tensors of images and labels.

    Parameters
    ----------
    images : ndarray of uint8, or of floating-point numbers in [0, 1]
        Of shape ``(n, *layout)``, for example ``(n, height, width)``.
    labels : ndarray of shape (n,)
        Whole numbers from 0.
    layout : {"HW", "HWC", "CHW"}
        Axes after the first. Not guessed, since shapes can be ambiguous.

    Returns
    -------
    images : Tensor of shape (n, channels, height, width)
        Of uint8 or float32.
    labels : Tensor of shape (n,), int64

    Raises
    ------
    InvalidArgument
        If the layout is unknown.
    InvalidData
        If shapes, dtypes or values are invalid.

    Examples
    --------
    >>> pixels, labels = from_arrays(np.zeros((2, 5, 4), np.uint8), np.array([1, 0]), layout="HW")
    >>> pixels.shape, labels
    (torch.Size([2, 1, 5, 4]), tensor([1, 0]))
    """
    if layout not in get_args(Layout):
        raise InvalidArgument("layout", "one of HW, HWC, CHW", layout)
    pixels, classes = np.asarray(images), np.asarray(labels)
    if pixels.ndim != 1 + len(layout):
        raise InvalidData(f"images: expected {1 + len(layout)} axes, n and {layout}, got shape {pixels.shape}")
    if pixels.dtype != np.uint8:
        if not np.issubdtype(pixels.dtype, np.floating):
            raise InvalidData(f"images: expected dtype uint8 or a floating-point one, got {pixels.dtype}")
        pixels = pixels.astype(np.float32)
    if not np.issubdtype(classes.dtype, np.integer):
        raise InvalidData(f"labels: expected whole numbers from 0, got dtype {classes.dtype}")
    axes = pixels[:, None] if layout == "HW" else np.moveaxis(pixels, -1, 1) if layout == "HWC" else pixels
    found = torch.from_numpy(np.array(axes, order="C"))
    numbers = torch.from_numpy(classes.astype(np.int64))
    check_images(found)
    check_labels(numbers, count=len(found))
    return found, numbers


def load_images(
    name: ImageSet, part: Part, *, folder: str | os.PathLike[str] | None = None, count: int | None = None
) -> tuple[Tensor, Tensor]:
    """Load a public data set of images, in the published order.

    Parameters
    ----------
    name : {"mnist", "cifar10", "pneumonia"}
    part : {"train", "validation", "test"}
        Only PneumoniaMNIST has a validation part.
    folder : path, optional
        Folder of ``mnist.npz``, ``pneumoniamnist.npz`` and CIFAR-10
        (`toadstone.deep.tensors.cifar10.read_cifar10`); by default the one in
        ``TOADSTONE_DATA``.
    count : int, optional
        Number of images from the start; all by default.

    Returns
    -------
    images : Tensor of shape (n, channels, height, width), uint8
    labels : Tensor of shape (n,), int64

    Raises
    ------
    InvalidArgument
        If a name is unknown, the folder does not exist, or `count` is not a
        whole number from 1.
    InvalidData
        If no folder is given, or a file is missing or cannot be read.
    """
    for what, given, words in (("name", name, ImageSet), ("part", part, Part)):
        if given not in get_args(words):
            raise InvalidArgument(what, f"one of {', '.join(get_args(words))}", given)
    if count is not None:
        check_count(count=count)
    if part == "validation" and name != "pneumonia":
        raise InvalidArgument("part", f"train or test for {name}", part)
    named = folder if folder is not None else os.environ.get("TOADSTONE_DATA")
    if not named:
        raise InvalidData(f"{name}: expected TOADSTONE_DATA to name the folder of data sets, got nothing")
    if not Path(named).is_dir():
        raise InvalidArgument("folder", "a folder of data sets, or TOADSTONE_DATA to name one", named)
    if name == "cifar10":
        return from_arrays(*read_cifar10(Path(named), part, count=count), layout="CHW")
    images, labels = _read_archive(Path(named) / _FILES[name], part)
    return from_arrays(images[:count], labels[:count], layout="HW")


_FILES = {"mnist": "mnist.npz", "pneumonia": "pneumoniamnist.npz"}


def _read_archive(path: Path, part: Part) -> tuple[NDArray[Any], NDArray[Any]]:
    short = "val" if part == "validation" else part
    try:
        with np.load(path, allow_pickle=False) as stored:
            return stored[f"X_{short}"], stored[f"y_{short}"]
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InvalidData(f"{path.name}: expected an archive of images, got {first_line(error)}") from None
