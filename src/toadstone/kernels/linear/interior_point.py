"""An interior-point method for the dual of a linear model.

Slower than coordinate descent where that converges, but indifferent to the
scale of the features, on which coordinate descent can stall.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from toadstone.core.arrays import Array
from toadstone.kernels.losses import MarginLoss

_TO_BOUNDARY = 0.995
_SMALLEST = 1e-15


def solve_interior(
    signed: Array,
    costs: Array,
    shifts: Array,
    kappa: float,
    loss: MarginLoss,
    *,
    tolerance: float,
    max_steps: int = 200,
) -> Array:
    """Solve the dual of a penalized linear model by an interior-point method.

    Maximizes ``sum costs * (gain(a) + (shifts - loss.shift) * a)`` minus
    ``|signed.T @ (costs * a)|**2 / (2 kappa)`` over 0 <= a <= cap by
    primal-dual steps towards the central path.

    Parameters
    ----------
    signed : ndarray of shape (n, p)
        Rows times their labels, constant feature included.
    costs : ndarray of shape (n,)
        Positive.
    shifts : ndarray of shape (n,)
        The margin that each row should reach.
    kappa : float
        Curvature of the penalty.
    loss : MarginLoss
    tolerance : float
        Stop when complementarity is below this share of the objective.
    max_steps : int

    Returns
    -------
    ndarray of shape (n,)
        Strictly inside the bounds.
    """
    path = _DualObjective(costs[:, None] * signed / np.sqrt(kappa), costs, shifts, loss)
    capped = np.isfinite(loss.cap)
    a = np.full(len(costs), 0.5 if capped else 1.0)
    lower, upper = costs.copy(), costs * capped
    scale = max(float(costs @ np.abs(shifts)), 1e-300)
    for _ in range(max_steps):
        slack = loss.cap - a if capped else np.ones(len(a))
        complement = float(a @ lower + slack @ upper)
        gradient = path.gradient(a)
        if max(complement, float(np.abs(gradient + lower - upper).sum())) <= tolerance * scale:
            break
        if complement <= _SMALLEST * scale:
            break
        # Centring parameter 0.1: a tenth of the present average complementarity.
        target = 0.1 * complement / (2 * len(a))
        pressure = target * capped / slack
        da = path.solve(a, lower / a + upper / slack, gradient + target / a - pressure)
        step = min(_longest(a, da), _longest(slack, -da * capped))
        dl, du = target / a - lower - lower * da / a, pressure - upper + upper * da / slack
        dual_step = min(_longest(lower, dl), _longest(upper, du))
        a, lower, upper = a + step * da, lower + dual_step * dl, upper + dual_step * du
        # Past the last digit a variable would land on its bound.
        a = np.clip(a, _SMALLEST, loss.cap - _SMALLEST)
    return a


class _DualObjective:
    """Gradient and Newton systems of the dual objective."""

    def __init__(self, scaled: Array, costs: Array, shifts: Array, loss: MarginLoss) -> None:
        self.scaled, self.costs, self.shifts, self.loss = scaled, costs, shifts, loss

    def gradient(self, a: Array) -> Array:
        inner = self.shifts - self.loss.curvature * a
        if self.loss.temperature > 0:
            inner = inner + self.loss.temperature * (np.log1p(-a) - np.log(a))
        return np.asarray(self.costs * inner - self.scaled @ (self.scaled.T @ a))

    def solve(self, a: Array, barrier: Array, right: Array) -> Array:
        diagonal = barrier + self.costs * self.loss.curvature
        if self.loss.temperature > 0:
            diagonal = diagonal + self.costs * self.loss.temperature / (a * (1 - a))
        diagonal = np.maximum(diagonal, _SMALLEST * float(diagonal.max()))
        n, p = self.scaled.shape
        # Woodbury's identity takes the smaller of the two systems.
        if n <= p:
            direct = cho_factor(self.scaled @ self.scaled.T + np.diag(diagonal))
            return np.asarray(cho_solve(direct, right))
        weighted = self.scaled / diagonal[:, None]
        small = cho_factor(self.scaled.T @ weighted + np.eye(p))
        return np.asarray(right / diagonal - weighted @ cho_solve(small, weighted.T @ right))


def _longest(values: Array, change: Array) -> float:
    """Return the longest step that keeps values positive, short of the boundary."""
    falling = change < 0
    if not falling.any():
        return 1.0
    return min(1.0, _TO_BOUNDARY * float((values[falling] / -change[falling]).min()))
