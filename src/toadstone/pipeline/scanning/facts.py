"""Facts about a table that need no model, and equal rows of different labels, as findings in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from toadstone.core.arrays import IntArray, Mask
from toadstone.core.dataset import Dataset
from toadstone.kernels.checks.identifiers import identifier_columns
from toadstone.kernels.checks.near_duplicates import NearDuplicates, near_duplicates
from toadstone.kernels.checks.row_order import label_runs
from toadstone.kernels.checks.telling_columns import NEEDED, telling_columns
from toadstone.kernels.statistics.row_digests import first_equal
from toadstone.pipeline.scanning.groups import LONGEST_LIST, finding
from toadstone.pipeline.scanning.source_values import SourceValues
from toadstone.records.scan import Finding, FindingKind

ORDER_LEVEL = 1e-6
"""Largest p-value at which the order of rows is said to tell the label."""

ORDER_EFFECT = 0.25
"""Least excess of neighbouring rows of one label, as a share of the largest possible."""

_NO_ROWS = np.empty(0, dtype=np.int64)
_ROWS_SHOWN = 1000
"""Rows whose values are looked at to show what a column holds."""


def facts(source: SourceValues, test: Dataset | None = None, grouped: Mask | None = None) -> tuple[Finding, ...]:
    """Check a table for copies, rows of the test set, and columns or an order that give the label away.

    Copies of different labels come first: they are the only findings that put
    rows under suspicion.

    Parameters
    ----------
    source : SourceValues
        The rows, in the order of the source.
    test : Dataset, optional
        Rows that models are tested on.
    grouped : ndarray of bool of shape (n,), optional
        Rows of groups that a verdict found; copies of them are not named again.
    """
    data = source.data
    codes = np.unique(data.y, return_inverse=True)[1]
    duplicates = near_duplicates(data.X)
    found = _contradictory(source, duplicates, grouped)
    found += [*_copies(source, duplicates), *([] if test is None else _tested(source, test))]
    found += _identifiers(source)[:LONGEST_LIST]
    telling = telling_columns(data.X, codes, source.column_of)
    found += [_telling(source, one.column, one.accuracy) for one in telling[:LONGEST_LIST]]
    return (*found, *_order(source, codes))


def _contradictory(source: SourceValues, duplicates: NearDuplicates, grouped: Mask | None) -> list[Finding]:
    """Name the copies whose labels differ; equal rows that chance explains are what overlapping classes look like."""
    y, found = source.data.y, []
    for rows in duplicates.equal:
        labels = y[rows]
        if (labels == labels[0]).all() or (grouped is not None and grouped[rows].any()):
            continue
        shares = [f"{np.count_nonzero(labels == label):,} {label}" for label in np.unique(labels).tolist()]
        said = (
            f"{len(rows):,} rows are equal in every column but the label ({', '.join(shares)}), so that not all of "
            "these labels can be right."
        )
        found.append(replace(finding("contradictory duplicates", source, rows, said), p_value=0.0))
    return found


def _copies(source: SourceValues, duplicates: NearDuplicates) -> list[Finding]:
    found = []
    others = duplicates.repeated - sum(map(len, duplicates.equal))
    equal = "equal in every column"
    if others:
        equal += f", which chance does not explain; {others:,} more repeat, which common values may explain"
    kinds: tuple[tuple[FindingKind, Sequence[IntArray], str], ...] = (
        ("equal rows", duplicates.equal, equal),
        ("near-duplicates", duplicates.near, "equal in every column but one, which chance does not explain"),
    )
    for kind, groups, how in kinds:
        if groups:
            rows = np.concatenate(groups)
            many = "1 group" if len(groups) == 1 else f"{len(groups):,} groups"
            found.append(finding(kind, source, rows, f"{len(rows):,} rows in {many} are {how}."))
    return found


def _tested(source: SourceValues, test: Dataset) -> list[Finding]:
    place = first_equal(test.X, source.data.X)
    n = int(np.count_nonzero(place >= 0))
    if not n:
        return []
    said = f"{n:,} of {len(test):,} test rows also {'stands' if n == 1 else 'stand'} in these data."
    return [replace(finding("rows in the test set", source, np.unique(place[place >= 0]), said), score=n / len(test))]


def _identifiers(source: SourceValues) -> list[Finding]:
    found = []
    for column in identifier_columns(source.data.X):
        ends = np.array([source.data.X[:, column].argmin(), source.data.X[:, column].argmax()])
        name = source.column(int(column))
        said = f"Column {name} numbers the rows: all values differ, and grow from row to row or are evenly spaced."
        values = source.shared(ends, [int(column)])
        found.append(replace(finding("identifier column", source, _NO_ROWS, said), values=values))
    return found


def _telling(source: SourceValues, column: int, accuracy: float) -> Finding:
    feature = int(np.flatnonzero(source.column_of == column)[0])
    name, some = source.column(feature), np.arange(min(len(source.data), _ROWS_SHOWN))
    said = f"Column {name} alone tells the label of {100 * accuracy:.1f} % of the rows."
    values = source.shared(some, [feature])
    found = finding("telling column", source, _NO_ROWS, said)
    return replace(found, values=values, score=accuracy, threshold=NEEDED)


def _order(source: SourceValues, codes: IntArray) -> list[Finding]:
    order = np.argsort(source.ids, kind="stable")
    runs = label_runs(codes[order])
    pairs = len(codes) - 1
    if runs.p_value >= ORDER_LEVEL or runs.same - runs.expected < ORDER_EFFECT * (pairs - runs.expected):
        return []
    said = (
        f"The order of the rows tells their labels: {runs.same:,} of {pairs:,} neighbouring rows have one label, where "
        f"a random order has about {runs.expected:,.0f}."
    )
    found = finding("order of rows", source, _NO_ROWS, said)
    return [replace(found, p_value=runs.p_value, score=runs.p_value, threshold=ORDER_LEVEL)]
