"""Remove the most suspicious rows of each class, and log each with its reason."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from toadstone.core.arrays import IntArray
from toadstone.core.checks import check_positive, check_within
from toadstone.core.dataset import Dataset
from toadstone.datasets.split import Split
from toadstone.pipeline.harness.judge import Defence
from toadstone.records.audit import Removal


@dataclass(frozen=True, eq=False)
class Cleaning:
    """Rows that a sanitizer kept and removed.

    Parameters
    ----------
    method : str
    data : Dataset
        All rows.
    kept : ndarray of int
        Positions of kept rows, ascending.
    removals : tuple of Removal
        Most anomalous first.
    """

    method: str
    data: Dataset
    kept: IntArray
    removals: tuple[Removal, ...]

    @property
    def n_rows(self) -> int:
        """Number of rows before any was removed."""
        return len(self.data)

    def summary(self) -> dict[str, Any]:
        """Return the outcome as JSON types."""
        return {
            "method": self.method,
            "rows": self.n_rows,
            "kept": len(self.kept),
            "removed": [asdict(removal) for removal in self.removals],
        }


def clean_rows(split: Split, defence: Defence, method: str) -> Cleaning:
    """Fit a sanitizer on all rows of a source, and remove by rank in each class.

    Parameters
    ----------
    split : Split
        Rows held out for testing are put back first.
    defence : Defence
    method : str
        Name of the catalogue.

    Returns
    -------
    Cleaning

    Raises
    ------
    InvalidArgument
        If the share to remove is out of range.
    UnknownName
        If there is no such sanitizer.
    """
    check_within("(0, 0.5)", remove=defence.contamination)
    check_positive(ridge=defence.ridge)
    data = split.whole()
    sanitizer = defence.sanitizer(method)
    sanitizer.fit_resample(data.X, data.y)
    ids = np.arange(len(data)) if data.row_ids is None else data.row_ids
    removals = [
        Removal(int(ids[row]), str(data.y[row]), float(sanitizer.suspicion_[row]), reason)
        for row, reason in zip(sanitizer.removed_indices_, sanitizer.reasons_, strict=True)
    ]
    removals.sort(key=lambda removal: -removal.score)
    return Cleaning(method, data, sanitizer.sample_indices_, tuple(removals))
