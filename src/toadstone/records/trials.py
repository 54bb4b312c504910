"""One attack against one defence: counts of one run, and estimates over several seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Self, TypeAlias

import numpy as np
from scipy.special import stdtrit

from toadstone.records.header import Count, Limits, Name, Positive, Seconds, Share

Thresholds: TypeAlias = Literal["own", "trusted", ""]
"""Origin of a detector's thresholds: each class's own scores, or trusted rows; "" for defences without any."""

Outcome: TypeAlias = Literal["caught", "partly", "missed", ""]

Difference: TypeAlias = Annotated[float, Limits(minimum=-1, maximum=1)]

CAUGHT, MISSED = 0.5, 0.1
"""Smallest flagged share of the poison of a caught attack, and the share below which an attack is missed."""

_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Trial:
    """One attack against one defence, once.

    Parameters
    ----------
    attack, defence : str
        Names in the catalogue.
    thresholds : {"own", "trusted", ""}
        Rows that set a detector's thresholds; "" where there are none.
    seed : int
        Of the drawn rows, the attack and the defence.
    poison_rows, clean_rows : int
        Untrusted rows of each kind that the defender received; trusted rows
        are in neither.
    flagged_poison, flagged_clean : int, optional
        Those that it flagged or removed; None where a defence flags nothing.
    auroc, average_precision : float, optional
        Of the suspicion, ranked within each class; None where there is none,
        or no poison.
    test_rows, wrong_rows : int
        Clean test rows, and those misclassified by the model behind the
        defence.
    goal_rows, goal_reached : int, optional
        For a trigger, the test rows of other classes that the same model
        classifies rightly without it, and those of them that it turns into
        the target. For a group, the test rows inside and those misclassified.
        None for attacks whose goal is errors of any kind.
    goal_clean : float, optional
        The same share for the model of the clean rows behind no defence.
    seconds : float
        Of the defence.
    skipped : str
        Why it could not be run; nothing is counted then.
    """

    attack: Name
    defence: Name
    thresholds: Thresholds
    seed: Count
    poison_rows: Count = 0
    clean_rows: Count = 0
    flagged_poison: Count | None = None
    flagged_clean: Count | None = None
    auroc: Share | None = None
    average_precision: Share | None = None
    test_rows: Count = 0
    wrong_rows: Count = 0
    goal_rows: Count | None = None
    goal_reached: Count | None = None
    goal_clean: Share | None = None
    seconds: Seconds = 0.0
    skipped: str = ""

    @property
    def test_error(self) -> float | None:
        """Share of the clean test rows that are misclassified."""
        return None if self.skipped else self.wrong_rows / self.test_rows

    @property
    def caught_share(self) -> float | None:
        """Share of the poison that is flagged."""
        return None if self.flagged_poison is None or not self.poison_rows else self.flagged_poison / self.poison_rows

    @property
    def false_alarm_share(self) -> float | None:
        """Share of the clean rows that is flagged."""
        return None if self.flagged_clean is None or not self.clean_rows else self.flagged_clean / self.clean_rows

    @property
    def success(self) -> float | None:
        """Share of the goal that is reached."""
        return None if self.goal_reached is None or not self.goal_rows else self.goal_reached / self.goal_rows


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its 95 % confidence interval.

    Parameters
    ----------
    mean : float
        Over the seeds.
    low, high : float, optional
        Ends of Student's interval; None for a single seed.
    n : int
        Seeds.

    Examples
    --------
    >>> estimate = Estimate.of([0.4, 0.5, 0.6])
    >>> round(estimate.mean, 3), round(estimate.low, 3), round(estimate.high, 3), estimate.n
    (0.5, 0.252, 0.748, 3)
    >>> Estimate.of([0.4])
    Estimate(mean=0.4, low=None, high=None, n=1)
    """

    mean: Difference
    low: Difference | None
    high: Difference | None
    n: Positive

    @classmethod
    def of(cls, values: Sequence[float], *, lowest: float = 0.0, highest: float = 1.0) -> Self:
        """Estimate the mean of some runs with Student's interval, clipped to the possible values.

        Parameters
        ----------
        values : sequence of float
            At least one.
        lowest, highest : float
        """
        found = np.asarray(values, dtype=np.float64)
        mean, n = float(found.mean()), len(found)
        # One seed says nothing about the spread between seeds.
        if n == 1:
            return cls(mean, None, None, 1)
        reach = float(stdtrit(n - 1, (1 + _CONFIDENCE) / 2) * found.std(ddof=1) / np.sqrt(n))
        return cls(mean, max(lowest, mean - reach), min(highest, mean + reach), n)


@dataclass(frozen=True)
class MatrixCell:
    """One attack against one defence, over all seeds in which it could be run.

    Parameters
    ----------
    attack, defence : str
        Names in the catalogue.
    thresholds : {"own", "trusted", ""}
        Rows that set a detector's thresholds; "" where there are none.
    caught : Estimate, optional
        Share of the poison that is flagged; None where nothing is flagged
        or there is no poison.
    false_alarms, retained : Estimate, optional
        Shares of the clean rows that are flagged, and that are not.
    auroc, average_precision : Estimate, optional
        Of the suspicion, ranked within each class; None where there is none,
        or no poison.
    test_error : Estimate, optional
        On clean test rows; None where it was skipped in every seed.
    error_rise : Estimate, optional
        Test error minus that of the undefended model of the clean rows of
        the same seed.
    success, clean_success : Estimate, optional
        Share of the goal that is reached, and that the model of the clean
        rows reaches without attack or defence; None where the goal is errors.
    accuracy_cost : Estimate, optional
        In the row without attack: test error with this defence minus without.
    verdict : {"caught", "partly", "missed", ""}
        Caught if half of the poison or more is flagged on average, missed if
        less than a tenth; "" where nothing is flagged or there is no poison.
    seconds : float
        On average.
    skipped : str
        Why it could not be run, in all seeds or in those that it names.
    """

    attack: Name
    defence: Name
    thresholds: Thresholds
    caught: Estimate | None = None
    false_alarms: Estimate | None = None
    retained: Estimate | None = None
    auroc: Estimate | None = None
    average_precision: Estimate | None = None
    test_error: Estimate | None = None
    error_rise: Estimate | None = None
    success: Estimate | None = None
    clean_success: Estimate | None = None
    accuracy_cost: Estimate | None = None
    verdict: Outcome = ""
    seconds: Seconds = 0.0
    skipped: str = ""

    @property
    def effect(self) -> Estimate | None:
        """Success of the attack, or the test error where that is its goal; None where it was not run."""
        return self.test_error if self.success is None else self.success
