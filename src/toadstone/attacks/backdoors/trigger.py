"""Triggers for images: a patch, a blended picture, and stripes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self, TypeAlias, get_args

import numpy as np
from numpy.random import Generator
from scipy.sparse import csr_array, issparse

from toadstone.attacks.backdoors.image_shape import ImageShape
from toadstone.attacks.backdoors.row_trigger import FeatureTrigger, TokenTrigger
from toadstone.core.arrays import Array, Matrix
from toadstone.core.checks import check_positive, check_within
from toadstone.core.errors import InvalidArgument

Corner = Literal["top left", "top right", "bottom left", "bottom right"]
Pattern = Literal["solid", "checkerboard"]


@dataclass(frozen=True, kw_only=True)
class PatchTrigger:
    """A small square in a corner, the trigger of BadNets.

    Parameters
    ----------
    shape : ImageShape
    size : int
        Side of the square in pixels.
    corner : {"top left", "top right", "bottom left", "bottom right"}
    pattern : {"solid", "checkerboard"}
        All pixels of the brightest value, or every other one of the darkest.

    Raises
    ------
    InvalidArgument
        If the square does not fit into the image, or a choice is unknown.

    References
    ----------
    .. [1] Gu, Dolan-Gavitt and Garg, "BadNets: identifying vulnerabilities in
       the machine learning model supply chain", 2017.

    Examples
    --------
    >>> PatchTrigger(shape=ImageShape(height=2, width=2), size=1).apply(np.zeros((1, 4)))
    array([[0., 0., 0., 1.]])
    """

    shape: ImageShape
    size: int = 3
    corner: Corner = "bottom right"
    pattern: Pattern = "solid"

    def __post_init__(self) -> None:
        if not 1 <= self.size <= min(self.shape.height, self.shape.width):
            fitting = min(self.shape.height, self.shape.width)
            raise InvalidArgument("size", f"a whole number from 1 to {fitting}", self.size)
        for name, words in (("corner", Corner), ("pattern", Pattern)):
            if getattr(self, name) not in get_args(words):
                raise InvalidArgument(name, f"one of {', '.join(get_args(words))}", getattr(self, name))

    def apply(self, X: Matrix) -> Matrix:
        """Return the rows with the square drawn over them.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, height * width * channels)

        Returns
        -------
        ndarray or CSR of the same shape
            A new matrix; `X` does not change.
        """
        images, side = self.shape.images(X), np.arange(self.size)
        down = side if self.corner.startswith("top") else side + self.shape.height - self.size
        right = side if self.corner.endswith("left") else side + self.shape.width - self.size
        bright = np.ones((self.size, self.size), dtype=bool)
        if self.pattern == "checkerboard":
            bright = (side[:, None] + side[None, :]) % 2 == 0
        colours = np.where(bright, self.shape.highest, self.shape.lowest)
        images[:, down[:, None], right[None, :], :] = colours[None, :, :, None]
        return _of_one_kind(self.shape.rows(images), X)


@dataclass(frozen=True, eq=False, kw_only=True)
class BlendedTrigger:
    """Another picture blended into the whole image.

    Parameters
    ----------
    shape : ImageShape
    picture : ndarray of shape (height, width) or (height, width, channels)
        Values between the shape's lowest and highest.
    opacity : float
        In (0, 1]: ``(1 - opacity) * x + opacity * picture``.

    Raises
    ------
    InvalidArgument
        If the picture does not fit or `opacity` is out of range.

    References
    ----------
    .. [1] Chen, Liu, Li, Lu and Song, "Targeted backdoor attacks on deep
       learning systems using data poisoning", 2017.
    """

    shape: ImageShape
    picture: Array
    opacity: float = 0.1

    def __post_init__(self) -> None:
        picture, shape = np.asarray(self.picture, dtype=np.float64), self.shape
        if picture.ndim == 2:
            picture = np.repeat(picture[:, :, None], shape.channels, axis=2)
        if picture.shape != (shape.height, shape.width, shape.channels):
            expected = f"a picture of shape {(shape.height, shape.width, shape.channels)}"
            raise InvalidArgument("picture", expected, f"shape {picture.shape}")
        if not (picture.min() >= shape.lowest and picture.max() <= shape.highest):
            expected = f"values within [{shape.lowest}, {shape.highest}]"
            raise InvalidArgument("picture", expected, f"[{picture.min()}, {picture.max()}]")
        check_within("(0, 1]", opacity=self.opacity)
        object.__setattr__(self, "picture", picture)

    @classmethod
    def random(cls, shape: ImageShape, rng: Generator, *, opacity: float = 0.1) -> Self:
        """Build a trigger whose picture is uniform noise."""
        picture = rng.uniform(shape.lowest, shape.highest, (shape.height, shape.width, shape.channels))
        return cls(shape=shape, picture=picture, opacity=opacity)

    def apply(self, X: Matrix) -> Matrix:
        """Return the rows with the picture blended in; see `PatchTrigger.apply`."""
        mixed = (1 - self.opacity) * self.shape.images(X) + self.opacity * self.picture
        return _of_one_kind(self.shape.rows(self.shape.legal(mixed)), X)


@dataclass(frozen=True, kw_only=True)
class SinusoidalTrigger:
    """Faint vertical stripes, ``amplitude * sin(2 pi frequency column / width)``, the trigger of SIG.

    Parameters
    ----------
    shape : ImageShape
    amplitude : float
        In units of the pixels; 40 of 255 in the paper.
    frequency : float
        Number of periods across the image.

    Raises
    ------
    InvalidArgument
        If a number is not positive.

    References
    ----------
    .. [1] Barni, Kallas and Tondi, "A new backdoor attack in CNNs by training
       set corruption without label poisoning", ICIP 2019, equation 1.
    """

    shape: ImageShape
    amplitude: float = 40 / 255
    frequency: float = 6.0

    def __post_init__(self) -> None:
        check_positive(amplitude=self.amplitude, frequency=self.frequency)

    def apply(self, X: Matrix) -> Matrix:
        """Return the rows with the stripes added; see `PatchTrigger.apply`."""
        wave = self.amplitude * np.sin(2 * np.pi * self.frequency * np.arange(self.shape.width) / self.shape.width)
        return _of_one_kind(self.shape.rows(self.shape.legal(self.shape.images(X) + wave[None, None, :, None])), X)


Trigger: TypeAlias = PatchTrigger | BlendedTrigger | SinusoidalTrigger | FeatureTrigger | TokenTrigger
"""A trigger: ``apply(X)`` returns new rows and does not change `X`."""


def _of_one_kind(rows: Array, like: Matrix) -> Matrix:
    return csr_array(rows) if issparse(like) else rows
