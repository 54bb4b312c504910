"""Compiled evaluation of a region's dual functions.

A region is a box, one separable constraint ``sum phi(x_i) <= radius**2`` and
a few bands. With multipliers ``nu >= 0`` of the separable constraint and
``sigma`` of the bands (positive for the upper side), both the nearest point
and the dual bound of a linear function fall apart into scalar problems with
closed solutions; see LIN and PROJ in ``docs/mathematics.md``.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numba import njit

from toadstone.core.arrays import Array
from toadstone.core.feasible import Region

Parts: TypeAlias = tuple[Any, ...]


_fast = njit(cache=True, nogil=True, fastmath={"reassoc", "nsz", "nnan"})
"""For loops over all features, which then run several at a time; their order of
summation, unlike that of a library, does not depend on the number of threads."""


def compile_region(region: Region) -> tuple[Parts, Parts]:
    """Return a region as compiled code reads it: its arrays, and its limits."""
    arrays = (region.lower, region.upper, region.centre, region.bands, region.low, region.high)
    lower, upper, centre, bands, low, high = (np.ascontiguousarray(array, dtype=float) for array in arrays)
    return (lower, upper, centre, bands, bool(region.integer)), (float(region.radius) ** 2, low, high)


@_fast
def _dot(one: Array, other: Array) -> float:
    total = 0.0
    for i in range(one.shape[0]):
        total += one[i] * other[i]
    return total


@_fast
def _weighted(weights: Array, one: Array, other: Array) -> float:
    total = 0.0
    for i in range(one.shape[0]):
        total += weights[i] * one[i] * other[i]
    return total


@_fast
def _squared_distance(one: Array, other: Array) -> float:
    total = 0.0
    for i in range(one.shape[0]):
        total += (one[i] - other[i]) ** 2
    return total


@_fast
def _shift(vector: Array, factor: float, way: Array, shifted: Array) -> None:
    for i in range(vector.shape[0]):
        shifted[i] = vector[i] + factor * way[i]


@_fast
def _real_response(pulled: Array, nu: float, region: Parts, x: Array, free: Array, slope: Array) -> float:
    """Minimize over each coordinate; fill the minimizers, their rates of change and cost slopes."""
    lower, upper, centre, _, _ = region
    rate = 1.0 / (1.0 + 2.0 * nu)
    cost = 0.0
    for i in range(pulled.shape[0]):
        value = pulled[i] * rate
        free[i] = rate if lower[i] < value < upper[i] else 0.0
        x[i] = min(max(value, lower[i]), upper[i])
        gap = x[i] - centre[i]
        slope[i] = 2.0 * gap
        cost += gap * gap
    return cost


@_fast
def _whole_response(pulled: Array, nu: float, region: Parts, x: Array, free: Array, slope: Array) -> float:
    """Minimize over each coordinate for the integer form, which is linear between whole numbers."""
    lower, upper, centre, _, _ = region
    wide = 1.0 + 2.0 * nu
    rate = 1.0 / wide
    cost = 0.0
    for i in range(pulled.shape[0]):
        # The cost has a kink at each whole number, where the minimizer rests unless the pull exceeds the next slope.
        step = np.floor((pulled[i] + nu) * rate)
        part = max(pulled[i] - nu - step * wide, 0.0)
        value = step + part
        free[i] = 1.0 if part > 0.0 and lower[i] < value < upper[i] else 0.0
        x[i] = min(max(value, lower[i]), upper[i])
        slope[i] = 2.0 * (step - centre[i]) + 1.0
        rest = x[i] - np.floor(x[i])
        cost += (x[i] - centre[i]) ** 2 + rest * (1.0 - rest)
    return cost


@njit(cache=True, nogil=True)
def respond(q: Array, region: Parts, multipliers: Array, x: Array, values: Array, curvature: Array) -> None:
    """Compute the nearest point to `q` under given multipliers, and the dual's derivatives.

    Fills `x`; `values` with half the squared distance, the separable
    constraint and the bands; and the negative Hessian of the dual.
    """
    _, _, centre, bands, integer = region
    nu = multipliers[0]
    pulled, free, slope = np.empty_like(q), np.empty_like(q), np.empty_like(q)
    _shift(q, 2.0 * nu, centre, pulled)
    for j in range(bands.shape[0]):
        if multipliers[1 + j] != 0.0:
            _shift(pulled, -multipliers[1 + j], bands[j], pulled)
    if integer:
        values[1] = _whole_response(pulled, nu, region, x, free, slope)
    else:
        values[1] = _real_response(pulled, nu, region, x, free, slope)
    values[0] = 0.5 * _squared_distance(x, q)
    curvature[0, 0] = _weighted(free, slope, slope)
    for j in range(bands.shape[0]):
        values[2 + j] = _dot(bands[j], x)
        curvature[1 + j, 0] = _weighted(free, bands[j], slope)
        for k in range(j + 1):
            curvature[1 + j, 1 + k] = _weighted(free, bands[j], bands[k])


@njit(cache=True, nogil=True)
def dual_value(values: Array, limits: Parts, multipliers: Array, side: Array, slopes: Array) -> tuple[float, float]:
    """Compute the dual value and the size of its terms, and fill the dual's slopes.

    A multiplier at zero has the slope of its `side`, where that is not zero;
    otherwise the ascending one, zero if neither side ascends.
    """
    budget, low, high = limits
    total, size = values[0], values[0]
    slopes[0] = values[1] - budget
    if multipliers[0] > 0.0:
        total += multipliers[0] * slopes[0]
        size += multipliers[0] * (values[1] + budget)
    elif slopes[0] < 0.0 and side[0] == 0.0:
        slopes[0] = 0.0
    for j in range(low.shape[0]):
        sigma, value = multipliers[1 + j], values[2 + j]
        over, under = value - high[j], value - low[j]
        way = sigma if sigma != 0.0 else side[1 + j]
        if way > 0.0 or (way == 0.0 and over > 0.0):
            slopes[1 + j] = over
        elif way < 0.0 or under < 0.0:
            slopes[1 + j] = under
        else:
            slopes[1 + j] = 0.0
        if sigma != 0.0:
            total += sigma * slopes[1 + j]
            size += abs(sigma) * (2.0 * abs(value) + abs(slopes[1 + j]))
    return total, size


@njit(cache=True, nogil=True, fastmath={"reassoc", "nsz"})
def _support(rest: Array, scale: Array, nu: float, region: Parts) -> tuple[float, float]:
    """Sum the largest ``rest * x - nu * cost`` of each feature, and the size of the terms."""
    lower, upper, centre, _, integer = region
    total, size = 0.0, 0.0
    for i in range(rest.shape[0]):
        value = centre[i] + rest[i] / (2.0 * nu)
        if integer:
            value = np.ceil(value - 0.5)
        value = min(max(value, lower[i]), upper[i])
        part = (value - np.floor(value)) * integer
        cost = nu * ((value - centre[i]) ** 2 + part * (1.0 - part))
        total += rest[i] * value - cost
        size += scale[i] * abs(value) + cost
    return total, size


@njit(cache=True, nogil=True)
def _box_support(rest: Array, scale: Array, region: Parts) -> tuple[float, float]:
    """Sum the largest ``rest * x`` of each feature, which lies at a bound, and the size of the terms."""
    lower, upper = region[0], region[1]
    total, size = 0.0, 0.0
    for i in range(rest.shape[0]):
        if rest[i] != 0.0:
            value = upper[i] if rest[i] > 0.0 else lower[i]
            total += rest[i] * value
            size += scale[i] * abs(value)
    return total, size


@njit(cache=True, nogil=True)
def linear_bound(direction: Array, region: Parts, limits: Parts, multipliers: Array) -> tuple[float, float]:
    """Bound ``direction @ x`` over the region from multipliers alone.

    Returns
    -------
    bound : float
        Infinite when the multipliers prove nothing.
    rounding : float
        An upper bound of the floating-point error in `bound`.
    """
    bands = region[3]
    budget, low, high = limits
    nu = multipliers[0]
    rest, scale = direction.copy(), np.abs(direction)
    total = nu * budget if nu > 0.0 else 0.0
    size = total
    for j in range(low.shape[0]):
        sigma = multipliers[1 + j]
        if sigma != 0.0:
            term = max(sigma * high[j], sigma * low[j])
            total += term
            size += abs(term)
            rest -= sigma * bands[j]
            scale += np.abs(sigma * bands[j])
    gained, spread = _support(rest, scale, nu, region) if nu > 0.0 else _box_support(rest, scale, region)
    size += spread
    if not size < math.inf:
        return math.inf, math.inf
    # Machine epsilon, rounded up, for each term of the sums and the operations on it.
    return total + gained, 2.3e-16 * (direction.shape[0] + 4.0 * low.shape[0] + 8.0) * size
