"""Projection onto one feasible region, by Newton ascent of its dual."""

from __future__ import annotations

import numpy as np
from numba import njit

from toadstone.core.arrays import Array
from toadstone.kernels.sets.separable import Parts, dual_value, respond

_SOLVED, _EMPTY, _STUCK = 0, 1, 2
_LEAST_DAMPING, _MOST_DAMPING = 1e-14, 1e-2
_MAX_TRIALS = 100
_MAX_STALLS = 8


@njit(cache=True, nogil=True)
def _visit(q: Array, region: Parts, limits: Parts, place: Parts, side: Array) -> tuple[float, float]:
    """Evaluate the dual and its derivatives at a state's multipliers, filling the state."""
    multipliers, x, values, slopes, curvature = place
    respond(q, region, multipliers, x, values, curvature)
    dual, size = dual_value(values, limits, multipliers, side, slopes)
    return dual, size


@njit(cache=True, nogil=True)
def _newton_direction(place: Parts, scales: Array, tolerance: Array, damping: Array) -> Array:
    """Compute the Newton step of the multipliers that may move; zero for the others.

    Where the dual is flat a multiplier takes a step of steepest ascent, longer
    every time; elsewhere `damping` is small.
    """
    multipliers, _, _, slopes, curvature = place
    flat = np.diag(curvature) <= 1e-10 * scales**2
    # Without curvature, a slope of rounding errors alone would lead far away.
    moving = (np.abs(slopes) > 0.1 * tolerance) | ((multipliers != 0.0) & (slopes != 0.0) & ~flat)
    damping[1] = 0.1 * damping[1] if np.any(moving & flat) else 1.0
    direction = np.zeros(slopes.shape[0])
    for _ in range(slopes.shape[0]):
        chosen = np.flatnonzero(moving)
        if chosen.shape[0] == 0:
            break
        matrix = np.empty((chosen.shape[0], chosen.shape[0]))
        for a in range(chosen.shape[0]):
            for b in range(a + 1):
                matrix[a, b] = curvature[chosen[a], chosen[b]] / (scales[chosen[a]] * scales[chosen[b]])
                matrix[b, a] = matrix[a, b]
            matrix[a, a] += damping[1] if flat[chosen[a]] else damping[0]
        direction[:] = 0.0
        # Constraints can be parallel at a point: bounded below, not inverted as they are.
        values, vectors = np.linalg.eigh(matrix)
        along = vectors.T @ (slopes[chosen] / scales[chosen])
        direction[chosen] = vectors @ (along / np.maximum(values, 1e-14 * values[-1])) / scales[chosen]
        # A multiplier at zero may only leave it the way its slope points.
        inadmissible = (multipliers == 0.0) & (direction * slopes < 0.0)
        if not np.any(inadmissible):
            break
        moving &= ~inadmissible
    return direction


@njit(cache=True, nogil=True)
def _longest_step(multipliers: Array, direction: Array) -> float:
    """Return the longest step before a multiplier reaches zero."""
    longest = np.inf
    for j in range(multipliers.shape[0]):
        if multipliers[j] * direction[j] < 0.0:
            longest = min(longest, -multipliers[j] / direction[j])
    return longest


@njit(cache=True, nogil=True)
def _advance(multipliers: Array, direction: Array, step: float, longest: float, trial: Array) -> None:
    """Take a step, with exactly zero for a multiplier that reaches it."""
    for j in range(multipliers.shape[0]):
        trial[j] = multipliers[j] + step * direction[j]
        if multipliers[j] * direction[j] < 0.0 and (
            trial[j] * multipliers[j] <= 0.0 or (step == longest and -multipliers[j] / direction[j] == longest)
        ):
            trial[j] = 0.0


@njit(cache=True, nogil=True)
def _next_step(step: float, first: float, below: tuple[float, float], above: tuple[float, float]) -> float:
    """Return the next step of a safeguarded secant search for the zero of a decreasing slope."""
    low, slope_low = below
    high, slope_high = above
    if high == np.inf:
        # Secant through the slopes at 0 and at the last step, a little farther so that it brackets.
        growth = 1.05 * first / (first - slope_low) if slope_low < first else 100.0
        return step * min(max(growth, 2.0), 100.0)
    fall = slope_low - slope_high
    guess = low + (high - low) * (slope_low / fall if fall > 0.0 else 0.5)
    if low == 0.0:
        return min(max(guess, 1e-3 * high), 0.5 * high)
    # Ends of different magnitude: the geometric mean divides such a bracket faster than the middle.
    if high > 10.0 * low:
        return float(min(max(guess, 2.0 * low), np.sqrt(low * high)))
    margin = 0.1 * (high - low)
    return min(max(guess, low + margin), high - margin)


@njit(cache=True, nogil=True)
def _search(
    q: Array, region: Parts, limits: Parts, here: Parts, there: Parts, direction: Array, top: tuple[float, float]
) -> bool:
    """Ascend along a direction until the slope is small; fills `there`.

    Near its top the dual itself drowns in rounding; its slopes do not.
    """
    first = (here[3] * direction).sum()
    if not first > 0.0:
        return False
    longest = _longest_step(here[0], direction)
    below, above = (0.0, first), (np.inf, 0.0)
    step = min(1.0, longest)
    for _ in range(_MAX_TRIALS):
        _advance(here[0], direction, step, longest, there[0])
        dual, size = _visit(q, region, limits, there, -direction)
        slope = (there[3] * direction).sum()
        # Curvature condition of Wolfe: a slope still above half of the first wants a longer step.
        if slope > 0.5 * first and step < longest:
            below = (step, slope)
        elif slope >= -0.3 * first and dual >= top[0] - 4e-15 * (top[1] + size):
            return True
        else:
            above = (step, slope)
        if above[0] < np.inf and above[0] - below[0] <= 1e-14 * above[0]:
            break
        step = min(_next_step(step, first, below, above), longest)
    if below[0] == 0.0:
        return False
    _advance(here[0], direction, below[0], longest, there[0])
    _visit(q, region, limits, there, -direction)
    return True


@njit(cache=True, nogil=True)
def _places(d: int, n: int) -> tuple[Parts, Parts]:
    one = (np.zeros(n), np.empty(d), np.empty(1 + n), np.empty(n), np.empty((n, n)))
    other = (np.zeros(n), np.empty(d), np.empty(1 + n), np.empty(n), np.empty((n, n)))
    return one, other


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
    here, there = _places(q.shape[0], n)
    here[0][:] = start
    here[0][0] = max(start[0], 0.0) if limits[0] < np.inf else 0.0
    nowhere, scales = np.zeros(n), np.empty(n)
    for j in range(1, n):
        length = np.sqrt((region[3][j - 1] ** 2).sum())
        scales[j] = length if length > 0.0 else 1.0
    top = _visit(q, region, limits, here, nowhere)
    best, least, stalls = top[0], np.inf, 0
    damping = np.array([_LEAST_DAMPING, 1.0])
    for _ in range(max_steps):
        if top[0] - 1e-12 * top[1] > ceiling:
            return here[1], here[0], _EMPTY
        excess = np.max(np.abs(here[3]) / tolerance)
        if excess <= 1.0:
            return here[1], here[0], _SOLVED
        # Once rounding hides both the dual's rise and the violations' fall, stop.
        stalls = stalls + 1 if top[0] <= best + 1e-14 * top[1] and excess >= 0.9 * least else 0
        best, least = max(best, top[0]), min(least, excess)
        if stalls > _MAX_STALLS:
            break
        # The largest curvature that the radius can have, for any scale of the data.
        scales[0] = max(2.0 * np.sqrt(max(here[2][1], limits[0] if limits[0] < np.inf else 0.0)), 1e-150)
        if _search(q, region, limits, here, there, _newton_direction(here, scales, tolerance, damping), top):
            here, there = there, here
            top = dual_value(here[2], limits, here[0], nowhere, here[3])
            damping[0] = max(0.01 * damping[0], _LEAST_DAMPING)
        elif damping[0] < _MOST_DAMPING:
            damping[0] = max(1e3 * damping[0], 1e-10)
        else:
            break
    return here[1], here[0], _STUCK
