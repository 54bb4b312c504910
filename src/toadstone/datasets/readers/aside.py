"""Rows that are not judged: of other classes than those asked for, and of classes that are too small."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import IntArray, Labels
from toadstone.datasets.preparation.labels import (
    MIN_ROWS,
    as_labels,
    check_classes,
    rare_classes,
    refuse_many_numbers,
    rows_of_classes,
)
from toadstone.datasets.preparation.targets import as_targets
from toadstone.datasets.readers.request import Request
from toadstone.datasets.split import RowAside, stratified_rows
from toadstone.kernels.regression.targets import check_targets

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
    if request.regression:
        check_targets(y[rows], what)
        return rows, ()
    asked = rows[rows_of_classes(y[rows], request.classes, what)]
    others = _aside(np.setdiff1d(rows, asked), y, OTHER_CLASS, dropped=True)
    labels = y[asked]
    refuse_many_numbers(labels, what)
    if request.rare_classes == "refuse":
        check_classes(labels, what)
        return asked, others
    small = np.isin(labels.astype(np.str_), list(rare_classes(labels)))
    if small.all() or len(np.unique(labels)) < 2:
        check_classes(labels, what)
    return asked[~small], others + _aside(asked[small], y, f"class of fewer than {MIN_ROWS} rows", dropped=False)


def held_out_rows(y: Labels, request: Request) -> tuple[IntArray, IntArray]:
    """Return the positions of the training rows and of the held-out rows: of each class its share, of targets any."""
    strata = np.zeros(len(y)) if request.regression else y
    return stratified_rows(strata, share=request.test_share, random_state=request.random_state)


def labels_of(values: Labels, what: str, request: Request) -> Labels:
    """Convert values to labels of classes, or to numeric targets where the request is for these.

    Raises
    ------
    InvalidData
        If they are neither.
    """
    return as_targets(values, what) if request.regression else as_labels(values, what)


def _aside(rows: IntArray, y: Labels, reason: str, *, dropped: bool) -> tuple[RowAside, ...]:
    pairs = zip(rows.tolist(), y[rows].tolist(), strict=True)
    return tuple(RowAside(row, str(label), reason, dropped) for row, label in pairs)
