"""Shares of test rows, with what chance leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from scipy.stats import binomtest

from bezoar.core.errors import InvalidData


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
        """The rate of so many rows among so many.

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
