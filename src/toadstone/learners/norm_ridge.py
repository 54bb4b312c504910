"""The ridge penalty that gives a model of a given norm."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import Array, Matrix
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.linear.fit import LinearSolver
from toadstone.kernels.losses import MarginLoss

_SMALLEST = 1e-6


def ridge_for_norm(X: Matrix, signs: Array, squared_radius: float, *, loss: MarginLoss) -> float:
    """Find the ridge penalty whose model has a given squared norm, bias included.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    signs : ndarray of shape (n,)
        Labels -1 or +1.
    squared_radius : float
        Positive.
    loss : MarginLoss

    Returns
    -------
    float
        Accurate to about one percent; the smallest ridge tried, 1e-6, if even
        that leaves the model inside the ball.

    Raises
    ------
    InvalidArgument
        If `squared_radius` is not positive.

    Examples
    --------
    >>> from toadstone.kernels.losses import HINGE
    >>> X, signs = np.array([[-1.0], [1.0]]), np.array([-1.0, 1.0])
    >>> round(ridge_for_norm(X, signs, 0.25, loss=HINGE), 1)
    2.0
    """
    if not squared_radius > 0:
        raise InvalidArgument("squared_radius", "a positive number", squared_radius)
    # The zero model bounds the objective: ridge / 2 * |theta|^2 <= loss(0), so this ridge keeps the model in the ball.
    enough = 2 * float(loss.value(np.zeros(1))[0]) / squared_radius
    low, high = np.log(_SMALLEST), np.log(max(enough, 2 * _SMALLEST))
    duals = None
    # The norm falls as the ridge grows. A rough fit tells on which side of the ball it is.
    while high - low > 0.01:
        middle = 0.5 * (low + high)
        solver = LinearSolver(loss, float(np.exp(middle)), tolerance=1e-3, max_sweeps=300)
        fit = solver.fit(X, signs, duals=duals)
        duals = fit.duals
        if fit.theta @ fit.theta > squared_radius:
            low = middle
        else:
            high = middle
    return float(np.exp(high))
