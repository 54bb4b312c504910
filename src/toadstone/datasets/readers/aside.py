"""Rows of classes that are too small to be judged."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import IntArray, Labels
from toadstone.datasets.preparation.labels import MIN_ROWS, check_classes, rare_classes
from toadstone.datasets.readers.request import Request
from toadstone.datasets.split import RowAside


def without_rare(rows: IntArray, y: Labels, what: str, request: Request) -> tuple[IntArray, tuple[RowAside, ...]]:
    """Return the rows of classes that are large enough, and the others, set aside.

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
    InvalidData
        If a class is rare and the request refuses them, or all are.
    """
    labels = y[rows]
    if request.rare_classes == "refuse":
        check_classes(labels, what)
        return rows, ()
    small = np.isin(labels.astype(np.str_), list(rare_classes(labels)))
    if small.all() or len(np.unique(labels)) < 2:
        check_classes(labels, what)
    reason = f"class of fewer than {MIN_ROWS} rows"
    pairs = zip(rows[small].tolist(), labels[small].tolist(), strict=True)
    return rows[~small], tuple(RowAside(int(row), str(label), reason) for row, label in pairs)
