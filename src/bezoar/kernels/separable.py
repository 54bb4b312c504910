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
    k = math.floor(value)
    return (2.0 * k + 1.0) * value - k * (k + 1.0) + centre * (centre - 2.0 * value)


@njit(cache=True, nogil=True, inline="always")
def _scalar(t: float, nu: float, centre: float, integer: bool) -> tuple[float, float, float]:
    """Minimizer of one coordinate, its rate of change, and the slope of its cost."""
    wide = 1.0 + 2.0 * nu
    if not integer:
        value = t / wide
        return value, 1.0 / wide, 2.0 * (value - centre)
    k = math.floor((t + nu) / wide)
    rest = t + nu - k * wide
    slope = 2.0 * k + 1.0 - 2.0 * centre
    if rest > 2.0 * nu:
        return k + rest - 2.0 * nu, 1.0, slope
    return float(k), 0.0, slope


@njit(cache=True, nogil=True)
def _respond(q: Array, region: Parts, multipliers: Array, x: Array, gradient: Array, curvature: Array) -> float:
    """Nearest point to `q` under given multipliers, and the dual's derivatives.

    Fills `x`, the values of the separable constraint and the bands, and the
    negative Hessian of the dual; returns half the squared distance.
    """
    lower, upper, centre, bands, integer = region
    nu = multipliers[0]
    n_bands = bands.shape[0]
    gradient[:] = 0.0
    curvature[:] = 0.0
    slopes = np.empty(1 + n_bands)
    half = 0.0
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
        half += 0.5 * (value - q[i]) ** 2
        gradient[0] += _cost(value, centre[i], integer)
        for j in range(n_bands):
            slopes[1 + j] = bands[j, i]
            gradient[1 + j] += bands[j, i] * value
        if free > 0.0:
            for j in range(1 + n_bands):
                for k2 in range(j + 1):
                    curvature[j, k2] += free * slopes[j] * slopes[k2]
    return half


@njit(cache=True, nogil=True)
def _dual(half: float, values: Array, limits: Parts, multipliers: Array, gradient: Array) -> tuple[float, float]:
    """Dual value and the size of its terms; fills a projected ascent gradient."""
    budget, low, high = limits
    total, size = half, half
    gradient[0] = values[0] - budget
    if multipliers[0] > 0.0:
        total += multipliers[0] * gradient[0]
        size += multipliers[0] * (values[0] + budget)
    elif gradient[0] < 0.0:
        gradient[0] = 0.0
    for j in range(low.shape[0]):
        sigma, value = multipliers[1 + j], values[1 + j]
        over, under = value - high[j], value - low[j]
        if sigma > 0.0 or (sigma == 0.0 and over > 0.0):
            gradient[1 + j] = over
        elif sigma < 0.0 or under < 0.0:
            gradient[1 + j] = under
        else:
            gradient[1 + j] = 0.0
        if sigma != 0.0:
            total += sigma * gradient[1 + j]
            size += abs(sigma) * (2.0 * abs(value) + abs(gradient[1 + j]))
    return total, size


@njit(cache=True, nogil=True)
def _newton_direction(gradient: Array, curvature: Array, multipliers: Array, damping: float) -> Array:
    """Newton step of the multipliers that may move; zeros for the others."""
    n = gradient.shape[0]
    moving = gradient != 0.0
    direction = np.zeros(n)
    for _ in range(n):
        chosen = np.flatnonzero(moving)
        if chosen.shape[0] == 0:
            break
        matrix = np.empty((chosen.shape[0], chosen.shape[0]))
        right = np.empty(chosen.shape[0])
        for a in range(chosen.shape[0]):
            right[a] = gradient[chosen[a]]
            for b in range(a + 1):
                matrix[a, b] = curvature[chosen[a], chosen[b]]
                matrix[b, a] = matrix[a, b]
            matrix[a, a] += damping * (matrix[a, a] + 1e-12) + 1e-14
        solution = np.linalg.solve(matrix, right)
        direction[:] = 0.0
        inadmissible = False
        for a in range(chosen.shape[0]):
            j = chosen[a]
            direction[j] = solution[a]
            # A multiplier at zero may only leave it the way its gradient points.
            if multipliers[j] == 0.0 and solution[a] * gradient[j] < 0.0:
                moving[j] = False
                inadmissible = True
        if not inadmissible:
            break
    return direction


@njit(cache=True, nogil=True)
def _advance(multipliers: Array, direction: Array, step: float, trial: Array) -> None:
    """A projected step; a band's multiplier stops where its sign would change."""
    for j in range(multipliers.shape[0]):
        value = multipliers[j] + step * direction[j]
        if j == 0:
            value = max(value, 0.0)
        elif multipliers[j] * value < 0.0:
            value = 0.0
        trial[j] = value


@njit(cache=True, nogil=True)
def nearest(
    q: Array, region: Parts, limits: Parts, start: Array, tolerance: Array, ceiling: float, max_steps: int
) -> tuple[Array, Array, int]:
    """Project `q` by a damped semismooth Newton ascent of the dual.

    Parameters
    ----------
    region : tuple
        Lower and upper bounds, centre, bands, whether integer-aware.
    limits : tuple
        Squared radius, lower and upper limits of the bands.
    start : ndarray of shape (1 + J,)
        Multipliers to begin with.
    tolerance : ndarray of shape (1 + J,)
        Largest violation of each constraint that counts as none.
    ceiling : float
        A dual value above it proves the region empty.

    Returns
    -------
    x : ndarray of shape (d,)
    multipliers : ndarray of shape (1 + J,)
    status : int
        0 solved, 1 empty, 2 not converged.
    """
    n = start.shape[0]
    multipliers, trial = start.copy(), np.empty(n)
    x, x_trial = np.empty_like(q), np.empty_like(q)
    values, gradient, trial_gradient = np.empty(n), np.empty(n), np.empty(n)
    curvature, trial_curvature = np.empty((n, n)), np.empty((n, n))
    half = _respond(q, region, multipliers, x, values, curvature)
    dual, size = _dual(half, values, limits, multipliers, gradient)
    damping = 1e-10
    for _ in range(max_steps):
        if dual - 1e-12 * size > ceiling:
            return x, multipliers, 1
        if np.all(np.abs(gradient) <= tolerance):
            return x, multipliers, 0
        direction = _newton_direction(gradient, curvature, multipliers, damping)
        step = 1.0
        moved = False
        for _ in range(60):
            _advance(multipliers, direction, step, trial)
            half = _respond(q, region, trial, x_trial, values, trial_curvature)
            trial_dual, trial_size = _dual(half, values, limits, trial, trial_gradient)
            gain, slope_end = 0.0, 0.0
            for j in range(n):
                gain += gradient[j] * (trial[j] - multipliers[j])
                slope_end += trial_gradient[j] * (trial[j] - multipliers[j])
            # The dual itself drowns in rounding near its top; its slopes do not.
            noise = 4e-15 * size
            if slope_end >= -0.9 * gain and trial_dual >= dual + 1e-4 * gain - noise:
                moved = True
                break
            ratio = gain / (gain - slope_end) if slope_end < 0.0 else 0.5
            step *= min(max(ratio, 0.05), 0.7)
        if not moved:
            return x, multipliers, 2
        damping = max(damping * 0.1, 1e-12) if step == 1.0 else min(damping * 4.0 + 1e-10, 1e-2)
        dual, size = trial_dual, trial_size
        for j in range(n):
            multipliers[j] = trial[j]
            gradient[j] = trial_gradient[j]
            for k in range(n):
                curvature[j, k] = trial_curvature[j, k]
        x, x_trial = x_trial, x
    return x, multipliers, 2


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
    total = 0.0
    size = 0.0
    if nu > 0.0:
        total = nu * budget
        size = total
    for j in range(low.shape[0]):
        sigma = multipliers[1 + j]
        if sigma != 0.0:
            term = sigma * high[j] if sigma > 0.0 else sigma * low[j]
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
                value = math.ceil(value - 0.5)
            value = min(max(value, lower[i]), upper[i])
            gap = value - centre[i]
            total += e * value - nu * gap * gap
            size += scale * abs(value) + nu * gap * gap
        elif e > 0.0:
            total += e * upper[i]
            size += scale * abs(upper[i])
        elif e < 0.0:
            total += e * lower[i]
            size += scale * abs(lower[i])
    rounding = 2.3e-16 * (direction.shape[0] + 4.0 * low.shape[0] + 8.0) * size
    return total, rounding
