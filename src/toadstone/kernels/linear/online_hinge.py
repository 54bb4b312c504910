"""Online training of a linear model by AdaGrad, with one poison row a step."""

from __future__ import annotations

import numpy as np
from numba import njit

from toadstone.core.arrays import Array, Mask, Matrix
from toadstone.kernels.linear.adagrad import AdaGrad
from toadstone.kernels.rows import CSRParts, csr_parts


class OnlineHinge:
    """A linear model trained by AdaGrad on clean rows and one poison row at a time.

    The objective at each step is the clean rows' mean hinge loss, plus the
    poison row's loss times its mass, plus ``ridge / 2`` times the squared norm
    of the weights; the bias is not penalized. The sum of the clean rows within
    the margin is kept from step to step, so that a step reads all rows once
    and only those that have crossed the margin a second time.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    signs : ndarray of shape (n,)
        Labels -1 or +1.
    theta : ndarray of shape (d + 1,)
        Where to begin; weights, then the bias.
    ridge : float
    step : float
        Length of AdaGrad's steps.
    accumulator : float
        Squared gradient that each coordinate begins with.

    Examples
    --------
    >>> model = OnlineHinge(np.eye(2), np.array([1.0, -1.0]), np.zeros(3), ridge=0.1, step=0.5, accumulator=1.0)
    >>> model.gradient(np.zeros(2), 1.0, 0.5)
    array([-0.5,  0.5, -0.5])
    """

    def __init__(self, X: Matrix, signs: Array, theta: Array, *, ridge: float, step: float, accumulator: float) -> None:
        self._rows = csr_parts(X)
        self._signs, self._ridge = signs, ridge
        self.theta = np.array(theta, dtype=float)
        self._descent = AdaGrad(step, accumulator)
        self._within: Mask = np.zeros(len(signs), dtype=bool)
        self._pull = np.zeros(len(self.theta))
        self._refresh()

    def gradient(self, point: Array, sign: float, mass: float) -> Array:
        """Compute a gradient of the objective with one poison row; zero loss slope at the hinge's kink.

        Parameters
        ----------
        point : ndarray of shape (d,)
        sign : float
            Its label, -1 or +1.
        mass : float
            Weight of its loss, a clean row's being one in n.

        Returns
        -------
        ndarray of shape (d + 1,)
        """
        gradient = self._pull / -len(self._signs)
        gradient[:-1] += self._ridge * self.theta[:-1]
        if sign * (point @ self.theta[:-1] + self.theta[-1]) < 1.0:
            gradient[:-1] -= mass * sign * point
            gradient[-1] -= mass * sign
        return np.asarray(gradient)

    def learn(self, point: Array, sign: float, mass: float) -> None:
        """Take one step of AdaGrad on the clean rows and a poison row; see `gradient`."""
        self._descent.move(self.theta, self.gradient(point, sign, mass))
        self._refresh()

    def _refresh(self) -> None:
        _cross(self._rows, self._signs, self.theta, self._within, self._pull)


@njit(cache=True, nogil=True)
def _cross(rows: CSRParts, signs: Array, theta: Array, within: Mask, pull: Array) -> None:
    """Update the rows within the margin and the sum of their signed features."""
    values, indices, pointers = rows
    last = theta.shape[0] - 1
    for i in range(signs.shape[0]):
        begin, end = pointers[i], pointers[i + 1]
        score = theta[last]
        for k in range(begin, end):
            score += values[k] * theta[indices[k]]
        # Few rows cross the margin in a step; only those change the sum.
        if (signs[i] * score < 1.0) == within[i]:
            continue
        within[i] = not within[i]
        change = signs[i] if within[i] else -signs[i]
        for k in range(begin, end):
            pull[indices[k]] += change * values[k]
        pull[last] += change
