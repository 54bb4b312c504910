"""Order of the rows against their labels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import norm

from toadstone.core.arrays import Array, IntArray


class RowOrder(NamedTuple):
    """Neighbouring rows of one label, in the order of the source.

    Attributes
    ----------
    same : int
        Pairs of neighbouring rows with one label.
    expected : float
        What a random order of the same labels leads to expect.
    p_value : float
        Of as many or more in a random order, by the normal approximation.
    """

    same: int
    expected: float
    p_value: float


def label_runs(codes: IntArray) -> RowOrder:
    """Count neighbouring rows of one label, and compare with a random order of the same labels.

    Mean and variance over all orders are exact, for any number of labels
    (Mood, "The distribution theory of runs", 1940; with two labels the count is
    ``n - runs`` of the test of Wald and Wolfowitz).

    Parameters
    ----------
    codes : ndarray of int of shape (n,)
        Labels, counted from 0, in the order of the rows.

    Examples
    --------
    >>> found = label_runs(np.repeat([0, 1], 50))
    >>> found.same, round(found.expected, 1), found.p_value < 1e-20
    (98, 49.0, True)
    """
    n = len(codes)
    same = int(np.count_nonzero(codes[1:] == codes[:-1]))
    if n < 4:
        return RowOrder(same, float(same), 1.0)
    sizes = np.bincount(codes).astype(np.float64)
    pair = _falling(sizes, 2).sum() / _falling(n, 2)
    triple = _falling(sizes, 3).sum() / _falling(n, 3)
    twos = _falling(sizes, 2)
    # Two pairs without a common row: of one label, or of two.
    apart = (_falling(sizes, 4).sum() + twos.sum() ** 2 - (twos**2).sum()) / _falling(n, 4)
    expected = (n - 1) * pair
    variance = expected + 2 * (n - 2) * triple + (n - 2) * (n - 3) * apart - expected**2
    if variance <= 0:
        return RowOrder(same, float(expected), 1.0)
    # Half a pair of continuity: the count is a whole number.
    return RowOrder(same, float(expected), float(norm.sf((same - 0.5 - expected) / np.sqrt(variance))))


def _falling(value: Array | float, power: int) -> Array:
    return np.asarray(np.prod([np.asarray(value, dtype=np.float64) - k for k in range(power)], axis=0))
