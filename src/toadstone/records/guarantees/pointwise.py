"""Summaries of certificates of single predictions, as JSON fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from toadstone.records.header import Count, Name, Positive, Seconds, Share


@dataclass(frozen=True)
class PointwiseSummary:
    """Accuracy that holds whatever an attacker does with so many units.

    Parameters
    ----------
    method : str
        ``"label-flips"``, ``"votes"``, ``"neighbours"`` or ``"temporal"``.
    unit : str
        What is counted, in the plural.
    exact : bool
        The counts are the largest that hold, not only sound.
    settings : mapping
        What the learner was made with.
    n_train, n_units, queries : int
        Training rows, units and test rows.
    accuracy : float
        Share of the test rows predicted rightly where nobody attacks.
    median : int
        Units that half of all test rows withstand and are right.
    certified_accuracy : mapping from str to float
        By share of the units: test rows that are right whatever so many units do.
    unchanged : mapping from str to float
        By number of units: predictions, right or wrong, that so many cannot change.
    collective_accuracy : mapping from str to float
        By share of the units: test rows that stay right at least, whatever one
        attack with so many units does to all of them together. Empty where
        that was not computed, as for neighbours.
    collective_unchanged : mapping from str to float
        By number of units: predictions that stay at least, all together.
    seconds : float
    """

    method: Name
    unit: Name
    exact: bool
    settings: Mapping[str, str | float | int]
    n_train: Positive
    n_units: Positive
    queries: Positive
    accuracy: Share
    median: Count
    certified_accuracy: Mapping[str, Share]
    unchanged: Mapping[str, Share]
    collective_accuracy: Mapping[str, Share]
    collective_unchanged: Mapping[str, Share]
    seconds: Seconds
