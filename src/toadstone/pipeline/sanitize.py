"""Remove the most suspicious rows of each class, and log each with its reason."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from toadstone.core.arrays import IntArray
from toadstone.core.checks import check_positive, check_within
from toadstone.core.dataset import Dataset
from toadstone.datasets.split import Split
from toadstone.pipeline.harness.judge import Defence
from toadstone.pipeline.harness.row_account import account_for, ids_of, set_aside, source_of
from toadstone.records.audit import Removal
from toadstone.records.header import Source
from toadstone.records.rows import RowAccount, SetAside
from toadstone.records.serial import as_fields


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
    source : Source
    account : RowAccount
        What became of all rows of the source.
    set_aside : SetAside
        Rows of the source that were not judged.
    """

    method: str
    data: Dataset
    kept: IntArray
    removals: tuple[Removal, ...]
    source: Source
    account: RowAccount
    set_aside: SetAside

    @property
    def n_rows(self) -> int:
        """Number of rows that were judged."""
        return len(self.data)

    def summary(self) -> dict[str, Any]:
        """Return the outcome as JSON types: rows of the source, how many are kept or dropped, and the removed ones."""
        return {
            "method": self.method,
            "source": asdict(self.source),
            "rows": self.account.read,
            "kept": self.account.kept,
            "dropped": self.account.dropped,
            "removed": [asdict(removal) for removal in self.removals],
            "set_aside": as_fields(self.set_aside),
        }


def clean_rows(split: Split, defence: Defence, method: str, *, source: Source | None = None) -> Cleaning:
    """Fit a sanitizer on all rows of a source, and remove by rank in each class.

    Parameters
    ----------
    split : Split
        Rows held out for testing are put back first.
    defence : Defence
    method : str
        Name of the catalogue.
    source : Source, optional
        Origin of the rows; the name of the split by default.

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
    ids, names = ids_of(data), split.row_names
    removals = [
        Removal(names[int(ids[row])], int(ids[row]), str(data.y[row]), float(sanitizer.suspicion_[row]), reason)
        for row, reason in zip(sanitizer.removed_indices_, sanitizer.reasons_, strict=True)
    ]
    removals.sort(key=lambda removal: -removal.score)
    kept = sanitizer.sample_indices_
    account = account_for(split, data, kept, [removal.position for removal in removals])
    return Cleaning(method, data, kept, tuple(removals), source_of(split, source), account, set_aside(split))
