"""Feasible regions of poison rows, as data; the mathematics is in kernels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toadstone.core.arrays import Array
from toadstone.core.errors import EmptyFeasibleSet, InvalidArgument


@dataclass(frozen=True, eq=False)
class Domain:
    """The values that a row can take at all, sanitized or not.

    Parameters
    ----------
    name : str
        ``"real"``, ``"box"`` or ``"integer"``.
    lower, upper : ndarray of shape (d,)
        Bounds of each feature; infinite where there is none.
    integer : bool
        Whether features are whole numbers.
    """

    name: str
    lower: Array
    upper: Array
    integer: bool = False


@dataclass(frozen=True, eq=False)
class Region:
    """One class's part of a feasible set.

    The points x with ``lower <= x <= upper``, ``offset <= band @ x`` within
    ``[low, high]`` for each band, and within `radius` of `centre`. In the
    integer form the squared distance is replaced by the piecewise-linear
    function that agrees with it on whole numbers (the linear-programming
    relaxation of Koh, Steinhardt and Liang 2022).

    Parameters
    ----------
    lower, upper : ndarray of shape (d,)
    centre : ndarray of shape (d,)
    radius : float
        May be infinite.
    bands : ndarray of shape (J, d)
        Normal vectors, few.
    low, high : ndarray of shape (J,)
    integer : bool
    """

    lower: Array
    upper: Array
    centre: Array
    radius: float
    bands: Array
    low: Array
    high: Array
    integer: bool = False

    def __post_init__(self) -> None:
        d = self.centre.shape[0]
        shapes_agree = (
            self.lower.shape == self.upper.shape == (d,)
            and self.bands.shape == (len(self.low), d)
            and self.low.shape == self.high.shape
        )
        if not shapes_agree:
            raise InvalidArgument("region", f"arrays for {d} features", f"bands of shape {self.bands.shape}")
        if not self.radius >= 0:
            raise InvalidArgument("radius", "a number that is not negative", self.radius)
        if any(np.isnan(part).any() for part in (self.lower, self.upper, self.centre, self.bands, self.low, self.high)):
            raise InvalidArgument("region", "numbers", "NaN")
        if np.any(self.lower > self.upper) or np.any(self.low > self.high):
            raise EmptyFeasibleSet("a lower bound lies above its upper bound")

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return int(self.centre.shape[0])


def ball(centre: Array, radius: float) -> Region:
    """Return the region of all points within `radius` of `centre`, a vector of shape (d,)."""
    return Region(*_unbounded(len(centre)), centre, radius, np.empty((0, len(centre))), np.empty(0), np.empty(0))


def slab(normal: Array, low: float, high: float) -> Region:
    """Return the region of points x with ``low <= normal @ x <= high``; `normal` has shape (d,)."""
    d = len(normal)
    return Region(*_unbounded(d), np.zeros(d), np.inf, normal[None, :], np.array([low]), np.array([high]))


def _unbounded(d: int) -> tuple[Array, Array]:
    return np.full(d, -np.inf), np.full(d, np.inf)


@dataclass(frozen=True, eq=False)
class Extremum:
    """The outcome of maximizing a linear function over a region.

    Parameters
    ----------
    point : ndarray of shape (d,)
        Feasible; what an attack may use.
    value : float
        The function at `point`.
    bound : float
        No point of the region exceeds it; proved by the multipliers alone.
    multipliers : ndarray of shape (1 + J,)
        Of the radius (not negative), then of each band (positive for its
        upper side, negative for its lower side).
    """

    point: Array
    value: float
    bound: float
    multipliers: Array
