"""The trigger of a backdoor: features, their values, and the class that they call up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from toadstone.attacks.backdoors.row_trigger import FeatureTrigger
from toadstone.core.arrays import IntArray, Matrix
from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument


@dataclass(frozen=True, kw_only=True)
class BackdoorTrigger:
    """Features set to given values, so that the model answers the target class.

    Parameters
    ----------
    features : tuple of int
        Columns.
    values : tuple of float
        One for each column.
    target : int
        Position of the class that the trigger calls up.

    Raises
    ------
    InvalidArgument
        If columns and values do not fit together, or `target` is negative.

    References
    ----------
    .. [1] Gu, Dolan-Gavitt and Garg, "BadNets: identifying vulnerabilities in
       the machine learning model supply chain", 2017.

    Examples
    --------
    >>> trigger = BackdoorTrigger(features=(0, 2), values=(7.0, 9.0), target=1)
    >>> trigger.apply(np.array([[1.0, 2.0, 3.0]]))
    array([[7., 2., 9.]])
    >>> trigger.part(1, 2).features
    (2,)
    """

    features: tuple[int, ...]
    values: tuple[float, ...]
    target: int = 0

    def __post_init__(self) -> None:
        FeatureTrigger(features=self.features, values=self.values)
        check_count(0, target=self.target)

    @classmethod
    def corner(cls, height: int, width: int, *, size: int = 3, value: float = 1.0, target: int = 0) -> Self:
        """Build a square in the bottom right corner of a grey image whose rows of pixels follow each other.

        Parameters
        ----------
        height, width : int
            Of the image.
        size : int
            Side of the square in pixels.
        value : float
            Of each pixel of the square.
        target : int

        Raises
        ------
        InvalidArgument
            If the square does not fit into the image.

        Examples
        --------
        >>> BackdoorTrigger.corner(4, 4, size=2).features
        (10, 11, 14, 15)
        """
        check_count(size=size)
        if size > min(height, width):
            raise InvalidArgument("size", f"a whole number from 1 to {min(height, width)}", size)
        down, right = np.arange(height - size, height), np.arange(width - size, width)
        pixels = (down[:, None] * width + right[None, :]).ravel()
        return cls(features=tuple(pixels.tolist()), values=(value,) * size**2, target=target)

    @classmethod
    def seen_in(cls, X: Matrix, features: tuple[int, ...], *, quantile: float = 1.0, target: int = 0) -> Self:
        """Build a trigger of values that occur in these columns of the data; see `FeatureTrigger.seen_in`."""
        seen = FeatureTrigger.seen_in(X, features, quantile=quantile)
        return cls(features=seen.features, values=seen.values, target=target)

    def apply(self, X: Matrix) -> Matrix:
        """Return the rows with the features set, in a new matrix.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)

        Raises
        ------
        InvalidArgument
            If a column does not exist.
        """
        return FeatureTrigger(features=self.features, values=self.values).apply(X)

    def part(self, member: int, parts: int) -> Self:
        """Return the share of the trigger that one of several malicious clients trains on.

        Parameters
        ----------
        member : int
            Members beyond `parts` start again from the first part.
        parts : int
            Number of parts; no more than there are features are made.

        References
        ----------
        .. [1] Xie, Huang, Chen and Li, "DBA: distributed backdoor attacks
           against federated learning", ICLR 2020.
        """
        shares = np.array_split(np.arange(len(self.features)), min(parts, len(self.features)))
        mine: IntArray = shares[member % len(shares)]
        return type(self)(
            features=tuple(self.features[i] for i in mine),
            values=tuple(self.values[i] for i in mine),
            target=self.target,
        )
