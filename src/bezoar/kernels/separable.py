"""Compiled mathematics of one feasible region.

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

from bezoar.core.arrays import Array

Parts: TypeAlias = tuple[Any, ...]


@njit(cache=True, nogil=True, inline="always")
def _cost(value: float, centre: float, integer: bool) -> float:
    """One coordinate's share of the squared distance, or of its integer-aware majorant."""
    if not integer:
        return (value - centre) ** 2
    k = np.floor(value)
    return float((2.0 * k + 1.0) * value - k * (k + 1.0) + centre * (centre - 2.0 * value))


@njit(cache=True, nogil=True, inline="always")
def _scalar(t: float, nu: float, centre: float, integer: bool) -> tuple[float, float, float]:
    """Minimizer of one coordinate, its rate of change, and the slope of its cost."""
    wide = 1.0 + 2.0 * nu
    if not integer:
        value = t / wide
        return value, 1.0 / wide, 2.0 * (value - centre)
    k = np.floor((t + nu) / wide)
    rest = t + nu - k * wide
    slope = 2.0 * k + 1.0 - 2.0 * centre
    if rest > 2.0 * nu:
        return k + rest - 2.0 * nu, 1.0, slope
    return float(k), 0.0, slope


@njit(cache=True, nogil=True)
def respond(q: Array, region: Parts, multipliers: Array, x: Array, values: Array, curvature: Array) -> None:
    """Nearest point to `q` under given multipliers, and the dual's derivatives.

    Fills `x`; `values` with half the squared distance, the separable
    constraint and the bands; and the negative Hessian of the dual.
    """
    lower, upper, centre, bands, integer = region
    nu = multipliers[0]
    n_bands = bands.shape[0]
    values[:] = 0.0
    curvature[:] = 0.0
    slopes = np.empty(1 + n_bands)
    for i in range(q.shape[0]):
        t = q[i] + 2.0 * nu * centre[i]
        for j in range(n_bands):
            t -= multipliers[1 + j] * bands[j, i]
        value, free, slopes[0] = _scalar(t, nu, centre[i], integer)
        if value <= lower[i]:
            value, free = lower[i], 0.0
        elif value >= upper[i]:
            value, free = upper[i], 0.0
        x[i] = value
        values[0] += 0.5 * (value - q[i]) ** 2
        values[1] += _cost(value, centre[i], integer)
        for j in range(n_bands):
            slopes[1 + j] = bands[j, i]
            values[2 + j] += bands[j, i] * value
        if free > 0.0:
            for j in range(1 + n_bands):
                for k in range(j + 1):
                    curvature[j, k] += free * slopes[j] * slopes[k]


@njit(cache=True, nogil=True)
def dual_value(values: Array, limits: Parts, multipliers: Array, side: Array, slopes: Array) -> tuple[float, float]:
    """Dual value and the size of its terms; fills the dual's slopes.

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


@njit(cache=True, nogil=True)
def linear_bound(direction: Array, region: Parts, limits: Parts, multipliers: Array) -> tuple[float, float]:
    """Upper bound of ``direction @ x`` over the region from multipliers alone.

    Returns
    -------
    bound : float
        Infinite when the multipliers prove nothing.
    rounding : float
        An upper bound of the floating-point error in `bound`.
    """
    lower, upper, centre, bands, integer = region
    budget, low, high = limits
    nu = multipliers[0]
    total = nu * budget if nu > 0.0 else 0.0
    size = total
    for j in range(low.shape[0]):
        sigma = multipliers[1 + j]
        if sigma != 0.0:
            term = max(sigma * high[j], sigma * low[j])
            total += term
            size += abs(term)
    for i in range(direction.shape[0]):
        e = direction[i]
        scale = abs(e)
        for j in range(low.shape[0]):
            e -= multipliers[1 + j] * bands[j, i]
            scale += abs(multipliers[1 + j] * bands[j, i])
        if nu > 0.0:
            value = centre[i] + e / (2.0 * nu)
            if integer:
                value = np.ceil(value - 0.5)
            value = min(max(value, lower[i]), upper[i])
            part = (value - np.floor(value)) * integer
            cost = (value - centre[i]) ** 2 + part * (1.0 - part)
            total += e * value - nu * cost
            size += scale * abs(value) + nu * cost
        elif e > 0.0:
            total += e * upper[i]
            size += scale * abs(upper[i])
        elif e < 0.0:
            total += e * lower[i]
            size += scale * abs(lower[i])
    if not size < math.inf:
        return math.inf, math.inf
    rounding = 2.3e-16 * (direction.shape[0] + 4.0 * low.shape[0] + 8.0) * size
    return total, rounding
