"""The optimality curve of a smooth loss, which ties a row's dual variable to its margin."""

from __future__ import annotations

from numba import njit

from toadstone.core.arrays import Array
from toadstone.kernels.linear.coordinate_descent import dual_step

_FAR = 40.0


@njit(cache=True, nogil=True)
def return_to_curve(margins: Array, bends: Array, ahead: Array, shift: float, temperature: float, found: Array) -> None:
    """Return dual variables to the optimality curve by one coordinate step each.

    Parameters
    ----------
    margins : ndarray of shape (n,)
        At the dual variables `ahead`.
    bends : ndarray of shape (n,)
        How fast each margin grows with its own dual variable.
    ahead : ndarray of shape (n,)
        Dual variables that may lie off the curve, and outside [0, 1].
    shift, temperature : float
        Of the loss.
    found : ndarray of shape (n,)
        Filled, in [0, 1].
    """
    loss = (shift, temperature, 0.0, 1.0)
    for i in range(margins.shape[0]):
        short = shift - margins[i] + bends[i] * ahead[i]
        # Beyond 40 temperatures the sigmoid differs from 0 or 1 by less than 1e-17; no root has to be found.
        if short < -_FAR * temperature:
            found[i] = 0.0
        elif short > bends[i] + _FAR * temperature:
            found[i] = 1.0
        else:
            found[i] = dual_step(margins[i], bends[i], ahead[i], 0.0, loss)
