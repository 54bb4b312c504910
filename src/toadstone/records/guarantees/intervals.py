"""Summaries of intervals of predicted numbers, as JSON fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from toadstone.records.header import Name, Positive, Seconds


@dataclass(frozen=True)
class RowInterval:
    """Interval of one prediction, by how many units an attacker controls.

    Parameters
    ----------
    row : str
        Name of the test row in its source.
    target, prediction : float
        Without an attack.
    low, high : mapping from str to float
        Ends of the interval, by the share or the number of units.
    """

    row: str
    target: float
    prediction: float
    low: Mapping[str, float]
    high: Mapping[str, float]


@dataclass(frozen=True)
class IntervalSummary:
    """Intervals that predictions of a numeric target stay in, whatever an attacker sets some targets to.

    Parameters
    ----------
    unit : str
        What is counted, in the plural.
    ridge, lambda_ : float
        Penalty for each row, and of ``X'X + lambda I``.
    allowed_low, allowed_high : float
        Range of targets that the attacker may set.
    n_train, n_units, queries : int
        Training rows, units and test rows.
    error : float
        Root mean squared error of the test rows without an attack.
    median_change, largest_change : mapping from str to float
        By share or number of units: by how much such an attack can move half
        of the predictions, and any of them, at most.
    rows : tuple of RowInterval
    seconds : float
    """

    unit: Name
    ridge: float
    lambda_: float
    allowed_low: float
    allowed_high: float
    n_train: Positive
    n_units: Positive
    queries: Positive
    error: float
    median_change: Mapping[str, float]
    largest_change: Mapping[str, float]
    rows: tuple[RowInterval, ...]
    seconds: Seconds
