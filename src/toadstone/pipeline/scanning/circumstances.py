"""Source and time of each row, as columns of its table tell them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from toadstone.core.arrays import Array, Labels
from toadstone.core.checks import plainly, quoted
from toadstone.core.dataset import Dataset
from toadstone.datasets.split import Split
from toadstone.pipeline.scanning.source_values import sources_of, times_of

FEWEST_ROWS = 5
"""Rows of one label below which a source cannot be a group."""


@dataclass(frozen=True, eq=False)
class Circumstances:
    """Source and time of each row, where they are known.

    Parameters
    ----------
    sources : ndarray of object of shape (n,), optional
        Names; None where that is not said.
    times : ndarray of shape (n,), optional
        Not a number where they are missing.
    notes : tuple of str
        Sentences on columns of which nothing can be learned.
    """

    sources: Labels | None = None
    times: Array | None = None
    notes: tuple[str, ...] = ()

    def lengthened(self, n_trusted: int) -> dict[str, Any]:
        """Return both with blanks for trusted rows, whose source and time are not known."""
        given: dict[str, Any] = {}
        if self.sources is not None:
            given["sources"] = np.concatenate([self.sources, np.full(n_trusted, None, dtype=object)])
        if self.times is not None:
            given["times"] = np.concatenate([self.times, np.full(n_trusted, np.nan)])
        return given


def circumstances_of(split: Split, data: Dataset, group: str | None, time: str | None) -> Circumstances:
    """Read who each row is from, and when, from columns of the source.

    Parameters
    ----------
    split : Split
    data : Dataset
        The rows to be judged.
    group, time : str, optional
        Names of the columns.

    Raises
    ------
    InvalidArgument
        If there is no such column, or no times can be read from it.
    InvalidData
        If dates can be read in several ways.
    """
    sources = None if group is None else sources_of(split, data, group)
    times = None if time is None else times_of(split, data, time)
    notes = []
    if sources is not None and (why := _tells_no_source(sources.tolist())):
        notes.append(f"nothing can be learned of sources from column {quoted(str(group))}: {why}")
    if times is not None and (why := _tells_no_period(times)):
        notes.append(f"nothing can be learned of periods from column {quoted(str(time))}: {why}")
    return Circumstances(sources, times, tuple(notes))


def _tells_no_source(sources: list[str | None]) -> str:
    """Say why no source can be compared with others; empty where one can."""
    rows = Counter(source for source in sources if source is not None)
    if not rows:
        return "it has no value in any row"
    if len(rows) == 1:
        return f"it has one value only, {quoted(plainly(next(iter(rows))))}"
    if max(rows.values()) < FEWEST_ROWS:
        return f"none of its {len(rows):,} values stands in {FEWEST_ROWS} rows or more"
    return ""


def _tells_no_period(times: Array) -> str:
    known = times[np.isfinite(times)]
    if not len(known):
        return "it has no time in any row"
    return "it has the same time in every row that has one" if (known == known[0]).all() else ""
