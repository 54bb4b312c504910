"""Check that poison of a regression keeps to its budget and to the ranges of the clean rows."""

from __future__ import annotations

import numpy as np

from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset, Poison
from toadstone.core.errors import BudgetExceeded
from toadstone.kernels.rows import column_extremes
from toadstone.pipeline.harness.poison_check import check_displaced, check_size

_ROUNDING = 1e-9


def check_target_poison(poison: Poison, clean: Dataset, budget: Budget) -> None:
    """Refuse poison that breaks its contract.

    Parameters
    ----------
    poison : Poison
    clean : Dataset
        With numbers as labels.
    budget : Budget

    Raises
    ------
    BudgetExceeded
        If there are too many rows, they displace others than the budget is
        for, or a feature or a target lies outside the range of the clean rows.
    """
    check_size(poison, clean, budget)
    check_displaced(poison, clean, budget)
    ends = (*column_extremes(clean.X), *column_extremes(poison.X))
    low, high, least, most = (np.append(end, y) for end, y in zip(ends, _targets(poison, clean), strict=True))
    room = _ROUNDING * np.maximum(np.abs(low), np.abs(high))
    if np.any(least < low - room) or np.any(most > high + room):
        raise BudgetExceeded("poison: expected features and targets within the range of the clean rows, got others")


def _targets(poison: Poison, clean: Dataset) -> tuple[float, float, float, float]:
    return float(clean.y.min()), float(clean.y.max()), float(poison.y.min()), float(poison.y.max())
