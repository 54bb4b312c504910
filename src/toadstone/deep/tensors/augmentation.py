"""Flips and shifts of images, drawn from a generator.

`flip_crop` is what training does to images. `flip_shift` is its smooth
counterpart for attacks that need gradients through it. Beyond its borders an
image goes on as its mirror image, the pixel at the border not repeated.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.deep.tensors.checks import check_generator
from toadstone.deep.tensors.images import check_layout


def flip_crop(images: Tensor, generator: Generator, *, reach: int = 4) -> Tensor:
    """Mirror half of the images, left and right, and move each by whole pixels.

    Parameters
    ----------
    images : Tensor of shape (n, channels, height, width)
        Of any dtype; left alone.
    generator : torch.Generator
        On the host, so that every device sees the same draws.
    reach : int
        At most so many pixels up, down, left or right, less than the image
        has less one; all shifts are equally likely.

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
    """Mirror half of the images, and move each by a fraction of pixels, interpolating linearly.

    Differentiable, any number of times, and deterministic on every device:
    moving an image is multiplying it by a matrix from either side [1]_.

    Parameters
    ----------
    images : Tensor of shape (n, channels, height, width)
        Floating-point; left alone.
    generator : torch.Generator
        On the host.
    reach : float
        At most so many pixels up, down, left or right, less than the image
        has less one; all shifts are equally likely.

    Returns
    -------
    Tensor of the same shape and dtype
        Values stay within the range of the image.

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
        raise InvalidData(f"images: expected a floating-point dtype, to interpolate in, got {images.dtype}")
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
    """Positions up to one image beyond either border, as positions inside."""
    return size - 1 - (size - 1 - positions.abs()).abs()


def _interpolation(shifts: Tensor, size: int) -> Tensor:
    """For each shift the matrix that takes a line of pixels to the moved one."""
    places = torch.arange(size) + shifts[:, None]
    left = places.floor()
    share = (places - left)[:, :, None]
    matrix = torch.zeros(len(shifts), size, size)
    for position, weight in ((left, 1 - share), (left + 1, share)):
        inside = _mirrored(position.long(), size)
        matrix += weight * torch.nn.functional.one_hot(inside, size)
    return matrix
