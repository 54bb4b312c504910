"""How far an image may move: a ball of the maximum norm in 8-bit levels, among legal pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from toadstone.core.errors import BudgetExceeded, InvalidArgument, InvalidData

LEVELS = 255

PixelBounds: TypeAlias = tuple[Tensor, Tensor]
"""Smallest and largest legal value of each pixel."""


def unit(images: Tensor, dtype: torch.dtype) -> Tensor:
    """Images of levels 0 to 255 as numbers in [0, 1]."""
    return images.to(dtype) / LEVELS


@dataclass(frozen=True, kw_only=True)
class PixelBall:
    """All images that differ from a base by at most so many levels in every pixel.

    Parameters
    ----------
    radius : int
        In levels of 8 bits: 8 stands for 8/255. With 255 every image lies
        inside.

    Raises
    ------
    InvalidArgument
        If `radius` is no whole number from 1 to 255.

    Examples
    --------
    >>> base = torch.tensor([[0, 100, 250]], dtype=torch.uint8)
    >>> low, high = PixelBall(radius=8).bounds(base)
    >>> (255 * low).round().tolist(), (255 * high).round().tolist()
    ([[0.0, 92.0, 242.0]], [[8.0, 108.0, 255.0]])
    """

    radius: int = 8

    def __post_init__(self) -> None:
        if isinstance(self.radius, bool) or not isinstance(self.radius, int) or not 1 <= self.radius <= LEVELS:
            raise InvalidArgument("radius", f"a whole number of levels from 1 to {LEVELS}", self.radius)

    def bounds(self, bases: Tensor, *, dtype: torch.dtype = torch.float32) -> PixelBounds:
        """The smallest and the largest value that each pixel may have.

        Parameters
        ----------
        bases : uint8 Tensor
            Of any shape.
        dtype : torch.dtype

        Returns
        -------
        low, high : Tensor of the bases' shape
            In [0, 1].
        """
        levels = bases.to(torch.int16)
        low, high = (levels - self.radius).clamp_(min=0), (levels + self.radius).clamp_(max=LEVELS)
        return unit(low, dtype), unit(high, dtype)

    def rounded(self, images: Tensor, bases: Tensor) -> Tensor:
        """Images rounded to the nearest levels, once it is sure that they stayed inside.

        Parameters
        ----------
        images : Tensor
            In [0, 1], as optimised.
        bases : uint8 Tensor of the same shape

        Returns
        -------
        uint8 Tensor of the same shape
            New; nothing is clipped.

        Raises
        ------
        BudgetExceeded
            If a pixel is illegal or moved too far.
        """
        levels = (images.detach().double() * LEVELS).round()
        if not bool(torch.isfinite(levels).all()) or float(levels.min()) < 0 or float(levels.max()) > LEVELS:
            raise BudgetExceeded(f"poison: expected pixels from 0 to {LEVELS}, got others")
        moved = int((levels.to(torch.int16) - bases.to(torch.int16)).abs().max())
        if moved > self.radius:
            raise BudgetExceeded(f"poison: expected pixels within {self.radius} levels of the base, got {moved}")
        return levels.to(torch.uint8)


def check_groups(images: Tensor, *, name: str = "bases") -> None:
    """Refuse what is not 8-bit images of shape (t, k, C, H, W)."""
    if not isinstance(images, Tensor):
        raise InvalidData(f"{name}: expected a torch tensor, got {type(images).__name__}")
    if images.dtype != torch.uint8 or images.ndim != 5 or not images.numel():
        got = f"{images.dtype} of shape {tuple(images.shape)}"
        raise InvalidData(f"{name}: expected uint8 images of shape (t, k, C, H, W), got {got}")


def check_targets(targets: Tensor, bases: Tensor) -> Tensor:
    """Targets with one axis for several images of a target, shape (t, m, C, H, W).

    Raises
    ------
    InvalidData
        If they are not as many as the bases, of another size, or not in
        [0, 1].
    """
    if not isinstance(targets, Tensor):
        raise InvalidData(f"targets: expected a torch tensor, got {type(targets).__name__}")
    several = targets[:, None] if targets.ndim == bases.ndim - 1 else targets
    if several.ndim != 5 or len(several) != len(bases) or several.shape[2:] != bases.shape[2:] or not several.numel():
        t, _, *size = bases.shape
        expected = f"shape {(t, *size)}, or {(t, 'm', *size)} for m images of each".replace("'", "")
        raise InvalidData(f"targets: expected {expected}, got {tuple(targets.shape)}")
    if not several.is_floating_point():
        raise InvalidData(f"targets: expected numbers in [0, 1], got {several.dtype}")
    if not bool(((several >= 0) & (several <= 1)).all()):
        raise InvalidData(f"targets: expected numbers in [0, 1], got [{several.min():g}, {several.max():g}]")
    return several
