"""Compiled inner loops of dual coordinate descent on rows in CSR form."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from toadstone.core.arrays import Array, IntArray
from toadstone.kernels.rows import CSRParts


class WeightedRows(NamedTuple):
    """Labelled rows and the weights of their losses.

    Attributes
    ----------
    parts : CSRParts
    signs, costs : ndarray of shape (n,)
    bias : float
        Value of the constant feature, whose weight is the model's last; zero
        for none.
    """

    parts: CSRParts
    signs: Array
    costs: Array
    bias: float


class Metric(NamedTuple):
    """The matrix ``diag(scales) + factor @ factor.T``, as the sweeps use it.

    Attributes
    ----------
    scales : ndarray of shape (d,)
    products : ndarray of shape (n, r)
        Products of the rows with `factor`.
    squared_norms : ndarray of shape (n,)
        Of the rows in the metric.
    """

    scales: Array
    products: Array
    squared_norms: Array


@njit(cache=True, nogil=True, inline="always")
def dual_step(margin: float, curvature: float, old: float, low: float, loss: tuple[float, ...]) -> float:
    """Return the best dual variable along one coordinate, within [low, cap].

    `loss` holds the `MarginLoss.coefficients`; `curvature` is the rate at
    which the margin grows with the dual variable.
    """
    shift, temperature, conjugate_curvature, cap = loss
    if temperature > 0.0:
        return max(_soft_root(margin, curvature, old, shift, temperature), low)
    # The closed form of Hsieh and others (2008) for hinge and squared hinge.
    bend = curvature + conjugate_curvature
    slope = shift - margin + curvature * old
    if bend <= 0.0:
        return cap if slope > 0.0 else low
    return min(max(slope / bend, low), cap)


@njit(cache=True, nogil=True)
def _soft_root(margin: float, curvature: float, old: float, shift: float, temperature: float) -> float:
    # Solves a = sigmoid((shift - m(a)) / T), m linear in a, in u = logit(a).
    # exp(-745) is the smallest positive double: beyond it the sigmoid is 0 or 1.
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
        # Newton in the logit can overshoot; bisection keeps the bracket.
        if not below < u < above:
            u = 0.5 * (below + above)
    return 1.0 / (1.0 + math.exp(-u))


@njit(cache=True, nogil=True)
def sweep(
    rows: WeightedRows,
    metric: Metric,
    order: IntArray,
    kappa: float,
    loss: tuple[float, ...],
    theta: Array,
    duals: Array,
) -> float:
    """Visit rows in the given order, changing `theta` and `duals` in place.

    The objective is ``sum costs * loss + kappa/2 |theta - centre|**2``; its
    centre never appears because `theta` itself is kept up to date. A dual
    change moves `theta` by the row times ``diag(scales) + factor @ factor.T``
    over kappa: the identity, unless something else answers the move.

    Parameters
    ----------
    rows : WeightedRows
    metric : Metric
    order : ndarray of int
        The rows to visit.
    kappa : float
        Curvature of the penalty.
    loss : tuple of float
        `MarginLoss.coefficients`.
    theta : ndarray of shape (d + 1,)
    duals : ndarray of shape (n,)

    Returns
    -------
    float
        Largest change of any dual variable times its margin's curvature.
    """
    parts, signs, costs, bias = rows
    values, indices, pointers = parts
    scales, products, squared_norms = metric
    last = theta.shape[0] - 1
    along = np.zeros(products.shape[1])
    largest = 0.0
    for position in range(order.shape[0]):
        i = order[position]
        begin, end = pointers[i], pointers[i + 1]
        score = theta[last] * bias
        for k in range(begin, end):
            score += values[k] * theta[indices[k]]
        # The low-rank part of the metric is applied when read, not to all of theta at each step.
        for r in range(along.shape[0]):
            score += along[r] * products[i, r]
        curvature = costs[i] * (squared_norms[i] + bias * bias) / kappa
        old = duals[i]
        new = dual_step(signs[i] * score, curvature, old, 0.0, loss)
        change = new - old
        if change == 0.0:
            continue
        duals[i] = new
        largest = max(largest, abs(change) * curvature)
        scale = change * costs[i] * signs[i] / kappa
        for k in range(begin, end):
            theta[indices[k]] += scale * values[k] * scales[indices[k]]
        for r in range(along.shape[0]):
            along[r] += scale * products[i, r]
        theta[last] += scale * bias
    return largest


@njit(cache=True, nogil=True)
def _shift(masses: Array, margins: Array, gram: Array, target: int, amount: float, kappa: float) -> None:
    """Change one atom's mass, and update all margins."""
    masses[target] = max(masses[target] + amount, 0.0)
    for a in range(masses.shape[0]):
        margins[a] += amount * gram[a, target] / kappa


@njit(cache=True, nogil=True)
def exchange(
    masses: Array, margins: Array, gram: Array, fraction: float, kappa: float, loss: tuple[float, ...]
) -> None:
    """Maximize the dual over the masses of poison points, for fixed clean duals, in place.

    Changes the total at the point that is fitted worst, and moves mass there
    from the one fitted best, until neither pays.

    Parameters
    ----------
    masses, margins : ndarray of shape (k,)
        Dual masses, and margins of the points at the present model.
    gram : ndarray of shape (k, k)
        Products of the signed points.
    """
    for _ in range(200):
        # Pairwise exchange as in SMO: mass goes from the best fitted point to the worst fitted one.
        worst = int(np.argmin(margins))
        total = masses.sum()
        curvature = fraction * gram[worst, worst] / kappa
        held = (total - masses[worst]) / fraction
        change = fraction * dual_step(margins[worst], curvature, total / fraction, held, loss) - total
        _shift(masses, margins, gram, worst, change, kappa)
        best = int(np.argmax(np.where(masses > 0.0, margins, -np.inf)))
        moved = 0.0
        if margins[best] > margins[worst] and masses[best] > 0.0:
            bend = (gram[worst, worst] + gram[best, best] - 2.0 * gram[worst, best]) / kappa
            moved = masses[best]
            if bend > 0.0:
                moved = min(moved, (margins[best] - margins[worst]) / bend)
            _shift(masses, margins, gram, best, -moved, kappa)
            _shift(masses, margins, gram, worst, moved, kappa)
        if abs(change) + moved < 1e-14 * fraction:
            break
