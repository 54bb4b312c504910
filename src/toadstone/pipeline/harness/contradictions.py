"""Groups of rows that are equal but for the label, by the names of their source."""

from __future__ import annotations

from collections.abc import Iterable

from toadstone.core.arrays import IntArray
from toadstone.core.dataset import Dataset
from toadstone.core.row_names import RowNames
from toadstone.pipeline.harness.row_account import ids_of
from toadstone.records.rows import Contradiction

_LONGEST_LIST = 200


def list_contradictions(
    groups: Iterable[IntArray], data: Dataset, names: RowNames, *, longest: int = _LONGEST_LIST
) -> tuple[int, tuple[Contradiction, ...]]:
    """Name the rows of groups whose features are equal and whose labels are not.

    Parameters
    ----------
    groups : iterable of ndarray of int
        Positions in `data`, one array a group.
    data : Dataset
    names : RowNames
        Of the rows in their source.
    longest : int
        Groups to list at most.

    Returns
    -------
    count : int
        Of all groups.
    listed : tuple of Contradiction
        Those that come first in the source, and the rows of each in its order.
    """
    ids = ids_of(data)
    ordered = sorted((sorted(group.tolist(), key=lambda row: ids[row]) for group in groups), key=lambda g: ids[g[0]])
    return len(ordered), tuple(
        Contradiction(
            rows=tuple(names[int(ids[row])] for row in group),
            positions=tuple(int(ids[row]) for row in group),
            labels=tuple(str(data.y[row]) for row in group),
        )
        for group in ordered[:longest]
    )
