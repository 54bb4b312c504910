"""Weights of training rows as whole numbers, whose sums are exact in any order."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from toadstone.core.arrays import Array, IntArray

_BITS = 61
"""Twice the sum of all weights stays below 2^62, so that no sum of them overflows 64 bits."""


@njit(cache=True, nogil=True)
def round_weights(alpha: Array, error: float, whole: IntArray) -> int:
    """Round the weights of one query to whole multiples of a power of two.

    The multiple is as small as 64-bit sums allow, about 2^-45 of the largest
    weight for 60,000 rows. Sums of floating-point numbers depend on their
    order and turn ties into near misses; these do neither.

    Parameters
    ----------
    alpha : ndarray of shape (n,)
        Finite.
    error : float
        Bound on the sum over the rows of the absolute errors of `alpha`.
    whole : ndarray of int of shape (n,)
        Filled.

    Returns
    -------
    int
        Bound, in multiples, on the error of any sum of the rounded weights
        with factors of size at most one; zero if `alpha` was exact and is
        represented exactly.
    """
    n, largest = len(alpha), 0.0
    for i in range(n):
        largest = max(largest, abs(alpha[i]))
    if largest == 0.0:
        whole[:] = 0
        # An error without a scale: any margin may be lost.
        return 2**_BITS if error > 0.0 else 0
    shift = _BITS - int(np.ceil(np.log2(n + 1.0))) - math.frexp(largest)[1]
    # In two steps, for the power itself overflows where all weights are tiny.
    first, second = math.ldexp(1.0, shift // 2), math.ldexp(1.0, shift - shift // 2)
    left_over = 0.0
    for i in range(n):
        scaled = alpha[i] * first * second
        nearest = np.rint(scaled)
        whole[i] = int(nearest)
        left_over += abs(scaled - nearest)
    allowed = (left_over + error * first * second) * (1.0 + 1e-9)
    return int(min(np.ceil(allowed), 2.0**_BITS))
