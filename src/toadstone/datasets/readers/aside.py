"""Rows that are not judged: of other classes than those asked for, and of classes that are too small."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import IntArray, Labels
from toadstone.datasets.preparation.labels import MIN_ROWS, check_classes, rare_classes, rows_of_classes
from toadstone.datasets.readers.request import Request
from toadstone.datasets.split import RowAside

OTHER_CLASS = "of a class that was not asked for"


def rows_to_judge(rows: IntArray, y: Labels, what: str, request: Request) -> tuple[IntArray, tuple[RowAside, ...]]:
    """Return the rows of the requested classes that are large enough, and the others.

    Parameters
    ----------
    rows : ndarray of int
        Positions of rows in the source.
    y : ndarray
        Labels of all rows of the source.
    what : str
        Source of the labels, for error messages.
    request : Request

    Raises
    ------
    InvalidArgument
        If a requested class does not occur.
    InvalidData
        If a class is rare and the request refuses them, or all are.
    """
    asked = rows[rows_of_classes(y[rows], request.classes, what)]
    others = _aside(np.setdiff1d(rows, asked), y, OTHER_CLASS, dropped=True)
    labels = y[asked]
    if request.rare_classes == "refuse":
        check_classes(labels, what)
        return asked, others
    small = np.isin(labels.astype(np.str_), list(rare_classes(labels)))
    if small.all() or len(np.unique(labels)) < 2:
        check_classes(labels, what)
    return asked[~small], others + _aside(asked[small], y, f"class of fewer than {MIN_ROWS} rows", dropped=False)


def _aside(rows: IntArray, y: Labels, reason: str, *, dropped: bool) -> tuple[RowAside, ...]:
    pairs = zip(rows.tolist(), y[rows].tolist(), strict=True)
    return tuple(RowAside(row, str(label), reason, dropped) for row, label in pairs)
