"""Source, rows set aside, and what became of every row of a source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from toadstone.core.arrays import IntArray
from toadstone.core.dataset import Dataset
from toadstone.datasets.split import RowAside, Split
from toadstone.records.header import Source
from toadstone.records.rows import AsideKind, AsideRow, RowAccount, SetAside

_LONGEST_LIST = 200


def ids_of(data: Dataset) -> IntArray:
    """Return the positions of rows in their source; from 0 where they carry none."""
    return np.arange(len(data)) if data.row_ids is None else data.row_ids


def source_of(split: Split, given: Source | None = None) -> Source:
    """Describe the origin of rows: name and place as given, numbering as the split has it."""
    source = given or Source(split.name)
    return replace(source, numbering=split.row_names.kind, id_column=split.row_names.column)


def set_aside(split: Split) -> SetAside:
    """Count the rows of a source that are not judged, and name the first of them."""
    groups: dict[tuple[str, bool], list[RowAside]] = {}
    for row in split.aside:
        groups.setdefault((row.reason, row.dropped), []).append(row)
    kinds = tuple(
        AsideKind(reason, dropped, len(rows), dict(sorted(Counter(row.label for row in rows if row.label).items())))
        for (reason, dropped), rows in groups.items()
    )
    first = sorted(split.aside, key=lambda row: row.position)[:_LONGEST_LIST]
    n_dropped = sum(row.dropped for row in split.aside)
    return SetAside(
        kept=len(split.aside) - n_dropped,
        dropped=n_dropped,
        kinds=kinds,
        rows=tuple(
            AsideRow(split.row_names[row.position], row.position, row.label, row.reason, row.dropped) for row in first
        ),
    )


def account_for(split: Split, data: Dataset, kept: IntArray, removed: Sequence[int]) -> RowAccount:
    """Check that every row of a source was kept, removed or dropped, and count them.

    Parameters
    ----------
    split : Split
    data : Dataset
        All rows that were judged.
    kept : ndarray of int
        Positions of kept rows among them.
    removed : sequence of int
        Positions of removed rows in the source.

    Returns
    -------
    RowAccount

    Raises
    ------
    RuntimeError
        If a row has no fate, or two. That is a failure of ours.
    """
    aside = [row.position for row in split.aside]
    dropped = sum(row.dropped for row in split.aside)
    read = np.concatenate([ids_of(data), np.array(aside, dtype=np.int64)])
    fates = np.concatenate([ids_of(data)[kept], np.array([*removed, *aside], dtype=np.int64)])
    if not np.array_equal(np.sort(read), np.sort(fates)):
        raise RuntimeError(f"of {len(read)} rows read, {len(fates)} were kept, removed or dropped")
    # Rows in memory may share a number; a row that is judged and set aside would be kept twice.
    if np.isin(aside, ids_of(data)).any() or len(set(aside)) < len(aside):
        raise RuntimeError("a row was both judged and set aside, or set aside twice")
    # Where rows are named one by one, the reader has counted them; a published test set is not among `data`.
    named = split.row_names.names
    if named is not None and len(data) == len(split.train) + len(split.test) and len(named) != len(read):
        raise RuntimeError(f"{len(named)} rows are in the source, but {len(read)} were kept, removed or dropped")
    return RowAccount(len(read), len(kept) + len(aside) - dropped, len(removed), dropped)
