"""Scores of all rows of a scan, listed or not: a table beside its record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toadstone.core.arrays import Array, IntArray, Mask


@dataclass(frozen=True, eq=False, repr=False)
class RowScores:
    """Scores of all rows of a scan, in the order of the source.

    Parameters
    ----------
    rows : sequence of str
        Their names.
    positions : ndarray of int of shape (n,)
        Their positions in the source, from 0.
    labels : sequence of str
    score : ndarray of shape (n,)
        Suspicion, from 0 to 1.
    wrong_probability : ndarray of shape (n,), optional
        That the label is wrong, given the estimated share of wrong labels;
        None without a verdict.
    suggested : sequence of str, optional
        The label that the values suggest.
    suggestion_probability : ndarray of shape (n,), optional
    group : ndarray of int of shape (n,)
        Place of the row's group among the groups, -1 for none.
    listed : ndarray of bool of shape (n,)
    flagged_by : sequence of sequence of str
        The detectors that flag each row.
    """

    rows: Sequence[str]
    positions: IntArray
    labels: Sequence[str]
    score: Array
    wrong_probability: Array | None
    suggested: Sequence[str] | None
    suggestion_probability: Array | None
    group: IntArray
    listed: Mask
    flagged_by: Sequence[Sequence[str]]

    def __repr__(self) -> str:
        return f"<RowScores of {len(self.rows):,} rows, {int(self.listed.sum()):,} of them listed>"
