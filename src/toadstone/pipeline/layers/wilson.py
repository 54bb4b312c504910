"""Shares of test rows with their confidence intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.stats import binomtest

from toadstone.core.arrays import Mask
from toadstone.core.errors import InvalidData
from toadstone.records.defence import AccuracyChange


@dataclass(frozen=True)
class Rate:
    """A share of rows with its 95 % Wilson interval.

    Parameters
    ----------
    count, total : int
    low, high : float

    Examples
    --------
    >>> rate = Rate.of(9, 10)
    >>> rate.value, round(rate.low, 3), round(rate.high, 3)
    (0.9, 0.596, 0.982)
    """

    count: int
    total: int
    low: float
    high: float

    @classmethod
    def of(cls, count: int, total: int) -> Self:
        """Build the rate of some rows among all.

        Raises
        ------
        InvalidData
            If there are no rows.
        """
        if total == 0:
            raise InvalidData("rate: expected at least one row to count, got none")
        interval = binomtest(count, total).proportion_ci(method="wilson")
        return cls(count, total, float(interval.low), float(interval.high))

    @property
    def value(self) -> float:
        """The share itself."""
        return self.count / self.total


def accuracy_change(before: Mask, after: Mask) -> AccuracyChange:
    """Compare two models by the same rows.

    Parameters
    ----------
    before, after : ndarray of bool of shape (n,)
        Whether the first model and the second are right on each row.

    Returns
    -------
    AccuracyChange
        With Newcombe's interval of the paired difference [1]_, method 10.

    Raises
    ------
    InvalidData
        If there are no rows.

    References
    ----------
    .. [1] Newcombe, "Improved confidence intervals for the difference between
       binomial proportions based on paired data", Statistics in Medicine 17,
       1998.

    Examples
    --------
    >>> before = np.repeat([True, True, False], [36, 12, 2])
    >>> after = np.repeat([True, False, True], [36, 12, 2])
    >>> change = accuracy_change(before, after)
    >>> f"{change.drop:.2f}, {change.drop_low:.4f} to {change.drop_high:.4f}"
    '0.20, 0.0569 to 0.3404'
    """
    n = len(before)
    first, second = (Rate.of(int(np.count_nonzero(right)), n) for right in (before, after))
    correlation = _correlation(before, after)
    below, above = first.value - first.low, first.high - first.value
    lower, upper = second.value - second.low, second.high - second.value
    drop = first.value - second.value
    return AccuracyChange(
        rows=n,
        before=first.value,
        before_low=first.low,
        before_high=first.high,
        after=second.value,
        after_low=second.low,
        after_high=second.high,
        drop=drop,
        drop_low=drop - _joined(below, upper, correlation),
        drop_high=drop + _joined(above, lower, correlation),
    )


def _correlation(before: Mask, after: Mask) -> float:
    """Return the correlation of being right, corrected for continuity, of two models on the same rows."""
    n = len(before)
    both, neither = np.count_nonzero(before & after), np.count_nonzero(~before & ~after)
    first, second = np.count_nonzero(before & ~after), np.count_nonzero(~before & after)
    scale = np.sqrt(float(both + first) * (second + neither) * (both + second) * (first + neither))
    excess = float(both) * neither - float(first) * second
    if scale == 0:
        return 0.0
    return float(max(excess - n / 2, 0.0) / scale) if excess > 0 else float(excess / scale)


def _joined(one: float, other: float, tie: float) -> float:
    return float(np.sqrt(max(one**2 - 2 * tie * one * other + other**2, 0.0)))
