"""Rows removed by a defence, and the budget for more."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from toadstone.core.arrays import Array, IntArray, Labels
from toadstone.pipeline.harness.suspects import rank_rows
from toadstone.records.defence import RemovedRow

_KEPT_OF_EACH = 2


@dataclass(frozen=True)
class RemovalOutcome:
    """Counts of rows that one step flagged and removed, and the reason why others stayed."""

    flagged: int
    removed: int
    cut: str


@dataclass(eq=False)
class RemovalBudget:
    """Rows removed by a defence within a budget, in the numbers of the original rows.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Labels of all rows.
    allowed : int
        Rows that may be removed in all.
    """

    y: Labels
    allowed: int
    kept: IntArray = field(init=False)
    removed: list[RemovedRow] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.kept = np.arange(len(self.y))

    def remove(self, step: str, flagged: IntArray, suspicion: Array, reasons: list[str]) -> RemovalOutcome:
        """Remove the most suspicious of the flagged rows, as far as the budget and the classes allow.

        Two rows of each class, or as many as there were, always stay.

        Parameters
        ----------
        step : str
        flagged : ndarray of int
            Positions among the rows that are left.
        suspicion : ndarray of shape (n_kept,)
            Larger is more suspicious. Rows go by the share of their class
            that is as suspicious, then by suspicion; ties go to the earlier.
        reasons : list of str
            One a flagged row.

        Returns
        -------
        RemovalOutcome
        """
        labels = self.y[self.kept]
        left = dict(zip(*np.unique(labels, return_counts=True), strict=True))
        # What is suspicious differs from class to class, so that the place within it comes first.
        places = rank_rows(suspicion, labels) / np.array([left[label] for label in labels])
        order = np.lexsort((-suspicion[flagged], places[flagged]))
        allowance, over_budget, protected = self.allowed - len(self.removed), 0, 0
        gone: list[int] = []
        for place in order.tolist():
            position = int(flagged[place])
            row = int(self.kept[position])
            label = self.y[row]
            if left[label] <= _KEPT_OF_EACH:
                protected += 1
            elif len(gone) >= allowance:
                over_budget += 1
            else:
                left[label] -= 1
                gone.append(position)
                removal = RemovedRow(str(row), row, str(label), step, float(suspicion[position]), reasons[place])
                self.removed.append(removal)
        self.kept = np.delete(self.kept, gone)
        return RemovalOutcome(len(flagged), len(gone), self._cut(over_budget, protected))

    def _cut(self, over_budget: int, protected: int) -> str:
        parts = []
        if over_budget:
            parts.append(f"{over_budget} flagged rows stay: the budget of {self.allowed} rows is spent")
        if protected:
            parts.append(f"{protected} flagged rows stay: they are the last of their class")
        return "; ".join(parts)


def allowed_rows(share: float, n_rows: int) -> int:
    """The largest number of rows within a share of them; decimals exact on paper stay exact.

    Examples
    --------
    >>> allowed_rows(0.1, 30)
    3
    """
    return math.floor(share * n_rows * (1 + 1e-12))
