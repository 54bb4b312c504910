"""Compiled inner loops of dual coordinate descent on rows in CSR form."""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from bezoar.core.arrays import Array, IntArray


@njit(cache=True, nogil=True, inline="always")
def dual_step(margin: float, curvature: float, old: float, low: float, shape: tuple[float, ...]) -> float:
    """Best dual variable along one coordinate, within [low, cap].

    `shape` holds a margin loss's shift, temperature, curvature and cap;
    `curvature` is how fast the margin grows with the dual variable.
    """
    shift, temperature, conjugate_curvature, cap = shape
    if temperature > 0.0:
        return max(_soft_root(margin, curvature, old, shift, temperature), low)
    bend = curvature + conjugate_curvature
    slope = shift - margin + curvature * old
    if bend <= 0.0:
        return cap if slope > 0.0 else low
    return min(max(slope / bend, low), cap)


@njit(cache=True, nogil=True)
def _soft_root(margin: float, curvature: float, old: float, shift: float, temperature: float) -> float:
    # Solves a = sigmoid((shift - m(a)) / T), m linear in a, in u = logit(a).
    below, above = -745.0, 745.0
    start = min(max(old, 1e-300), 1.0 - 1e-16)
    u = math.log(start) - math.log1p(-start)
    for _ in range(100):
        a = 1.0 / (1.0 + math.exp(-u))
        residual = shift - margin - curvature * (a - old) - temperature * u
        if residual > 0.0:
            below = u
        else:
            above = u
        step = residual / (temperature + curvature * a * (1.0 - a))
        if abs(step) < 1e-12 * (1.0 + abs(u)):
            break
        u += step
        if not below < u < above:
            u = 0.5 * (below + above)
    return 1.0 / (1.0 + math.exp(-u))


@njit(cache=True, nogil=True)
def sweep(
    rows: tuple[Any, ...],
    signs: Array,
    costs: Array,
    squared_norms: Array,
    order: IntArray,
    kappa: float,
    bias: float,
    shape: tuple[float, ...],
    theta: Array,
    duals: Array,
) -> float:
    """Visit rows in the given order, changing `theta` and `duals` in place.

    The objective is ``sum costs * loss + kappa/2 |theta - centre|**2``; its
    centre never appears because `theta` itself is kept up to date.

    Parameters
    ----------
    rows : tuple of ndarray
        CSR values, unsigned indices and row pointers.
    order : ndarray of int
        The rows to visit.
    bias : float
        Value of the constant feature, whose weight is the last of `theta`.

    Returns
    -------
    float
        Largest change of any dual variable times its margin's curvature.
    """
    values, indices, pointers = rows
    last = theta.shape[0] - 1
    largest = 0.0
    for position in range(order.shape[0]):
        i = order[position]
        begin, end = pointers[i], pointers[i + 1]
        score = theta[last] * bias
        for k in range(begin, end):
            score += values[k] * theta[indices[k]]
        curvature = costs[i] * (squared_norms[i] + bias * bias) / kappa
        old = duals[i]
        new = dual_step(signs[i] * score, curvature, old, 0.0, shape)
        change = new - old
        if change == 0.0:
            continue
        duals[i] = new
        largest = max(largest, abs(change) * curvature)
        scale = change * costs[i] * signs[i] / kappa
        for k in range(begin, end):
            theta[indices[k]] += scale * values[k]
        theta[last] += scale * bias
    return largest
