"""Balls of the maximum norm around images, in 8-bit levels, and checks of bases and targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from toadstone.core.errors import BudgetExceeded, InvalidArgument, InvalidData

LEVELS = 255
"""Largest level of an 8-bit pixel."""

PixelBounds: TypeAlias = tuple[Tensor, Tensor]
"""Smallest and largest legal value of each pixel."""


def unit(images: Tensor, dtype: torch.dtype) -> Tensor:
    """Return images of levels 0 to 255 as numbers in [0, 1]."""
    return images.to(dtype) / LEVELS


@dataclass(frozen=True, kw_only=True)
class PixelBall:
    """Images that differ from a base by at most `radius` levels in every pixel.

    Parameters
    ----------
    radius : int
        In 8-bit levels: 8 stands for 8/255. With 255 every image lies inside.

    Raises
    ------
    InvalidArgument
        If `radius` is not a whole number from 1 to 255.

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
        """Return the smallest and the largest legal value of each pixel.

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
        # Wider than uint8, in which 250 + 8 would wrap around to 2.
        levels = bases.to(torch.int16)
        low, high = (levels - self.radius).clamp_(min=0), (levels + self.radius).clamp_(max=LEVELS)
        return unit(low, dtype), unit(high, dtype)

    def rounded(self, images: Tensor, bases: Tensor) -> Tensor:
        """Return images rounded to the nearest levels, after a check that they lie in the ball.

        Parameters
        ----------
        images : Tensor
            In [0, 1], as optimised.
        bases : uint8 Tensor of the same shape

        Returns
        -------
        uint8 Tensor of the same shape
            Nothing is clipped.

        Raises
        ------
        BudgetExceeded
            If a pixel is outside [0, 1] or the ball.
        """
        # Double precision: the product must not add an error of its own next to half levels.
        levels = (images.detach().double() * LEVELS).round()
        if not bool(torch.isfinite(levels).all()) or float(levels.min()) < 0 or float(levels.max()) > LEVELS:
            raise BudgetExceeded(f"poison: expected pixels from 0 to {LEVELS}, got values outside")
        moved = int((levels.to(torch.int16) - bases.to(torch.int16)).abs().max())
        if moved > self.radius:
            raise BudgetExceeded(f"poison: expected pixels within {self.radius} levels of the base, got {moved}")
        return levels.to(torch.uint8)


def check_groups(images: Tensor, *, name: str = "bases") -> None:
    """Check for 8-bit images of shape (t, k, C, H, W).

    Raises
    ------
    InvalidData
    """
    if not isinstance(images, Tensor):
        raise InvalidData(f"{name}: expected a torch tensor, got {type(images).__name__}")
    if images.dtype != torch.uint8 or images.ndim != 5 or not images.numel():
        got = f"{images.dtype} of shape {tuple(images.shape)}"
        raise InvalidData(f"{name}: expected uint8 images of shape (t, k, C, H, W), got {got}")


def check_targets(targets: Tensor, bases: Tensor) -> Tensor:
    """Check targets against their bases and return them in shape (t, m, C, H, W), m images of each.

    Raises
    ------
    InvalidData
        If number or size differ from the bases', or values are not in [0, 1].
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
