"""Random flips and shifts of images.

`flip_crop` is the augmentation of training, `flip_shift` its differentiable
counterpart for attacks. Both pad images by reflection, without repeating the
pixel at the border.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.tensors.checks import check_generator
from toadstone.deep.tensors.images import check_layout


def flip_crop(images: Tensor, generator: Generator, *, reach: int = 4) -> Tensor:
    """Flip half of the images horizontally and shift each by whole pixels.

    Parameters
    ----------
    images : Tensor of shape (n, channels, height, width)
        Of any dtype; unchanged.
    generator : torch.Generator
        On the CPU, so that draws are the same for every device.
    reach : int
        Largest shift in pixels up, down, left or right, less than the side of
        the image minus one; all shifts are equally likely.

    Returns
    -------
    Tensor of the same shape and dtype

    Raises
    ------
    InvalidArgument
        If `reach` is out of range.
    """
    count, height, width = _sizes(images, reach, generator)
    check_count(0, reach=reach)
    down, right = torch.randint(-reach, reach + 1, (2, count, 1), generator=generator).unbind()
    flipped = torch.randint(2, (count, 1), generator=generator, dtype=torch.bool)
    rows = _mirrored(torch.arange(height) + down, height)
    columns = _mirrored(torch.arange(width) + right, width)
    columns = torch.where(flipped, columns.flip(1), columns)
    rows, columns = rows.to(images.device), columns.to(images.device)
    image = torch.arange(count, device=images.device).view(-1, 1, 1, 1)
    channel = torch.arange(images.shape[1], device=images.device).view(1, -1, 1, 1)
    return images[image, channel, rows[:, None, :, None], columns[:, None, None, :]]


def flip_shift(images: Tensor, generator: Generator, *, reach: float = 4.0) -> Tensor:
    """Flip half of the images horizontally and shift each by a fraction of pixels, with linear interpolation.

    Twice differentiable and deterministic on every device, since a shift is a
    product with a matrix from either side [1]_.

    Parameters
    ----------
    images : Tensor of shape (n, channels, height, width)
        Floating-point; unchanged.
    generator : torch.Generator
        On the CPU.
    reach : float
        Largest shift in pixels up, down, left or right, less than the side of
        the image minus one; all shifts are equally likely.

    Returns
    -------
    Tensor of the same shape and dtype
        Values are within the range of the image.

    Raises
    ------
    InvalidArgument
        If `reach` is out of range.
    InvalidData
        If the images are not floating-point.

    References
    ----------
    .. [1] Geiping and others, "Witches' Brew: industrial scale data poisoning
       via gradient matching", ICLR 2021, section 3.4.
    """
    count, height, width = _sizes(images, reach, generator)
    if not images.is_floating_point():
        raise InvalidData(f"images: expected a floating-point dtype for interpolation, got {images.dtype}")
    down, right = ((2 * torch.rand(2, count, generator=generator) - 1) * reach).unbind()
    flipped = torch.randint(2, (count, 1, 1), generator=generator, dtype=torch.bool)
    rows = _interpolation(down, height)
    columns = _interpolation(right, width)
    columns = torch.where(flipped, columns.flip(1), columns)
    rows, columns = (matrix.to(images.device, images.dtype)[:, None] for matrix in (rows, columns))
    return rows @ images @ columns.transpose(2, 3)


def _sizes(images: Tensor, reach: float, generator: Generator) -> tuple[int, int, int]:
    check_layout(images)
    check_generator(generator)
    if images.dim() != 4:
        raise InvalidArgument("images", "shape (n, channels, height, width)", tuple(images.shape))
    count, _, height, width = images.shape
    if not 0 <= reach < min(height, width) - 1:
        raise InvalidArgument("reach", f"a number of pixels from 0 to less than {min(height, width) - 1}", reach)
    return count, height, width


def _mirrored(positions: Tensor, size: int) -> Tensor:
    """Reflect positions up to one image beyond either border to positions inside."""
    return size - 1 - (size - 1 - positions.abs()).abs()


def _interpolation(shifts: Tensor, size: int) -> Tensor:
    """Return for each shift the matrix that maps a line of pixels to the shifted line."""
    places = torch.arange(size) + shifts[:, None]
    left = places.floor()
    share = (places - left)[:, :, None]
    matrix = torch.zeros(len(shifts), size, size)
    for position, weight in ((left, 1 - share), (left + 1, share)):
        inside = _mirrored(position.long(), size)
        matrix += weight * torch.nn.functional.one_hot(inside, size)
    return matrix
