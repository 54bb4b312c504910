"""Checks of labels: type, classes and class sizes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from toadstone.core.arrays import IntArray, Labels
from toadstone.core.errors import InvalidArgument, InvalidData

MIN_ROWS = 5
"""Smallest size of a class."""


def as_labels(values: Labels, what: str) -> Labels:
    """Convert labels to whole numbers, booleans or text.

    Parameters
    ----------
    values : ndarray
        Of shape (n,) or (n, 1).
    what : str
        Source of the labels, for error messages.

    Returns
    -------
    ndarray of shape (n,)
        int64, bool or str. Floats that are whole numbers become integers.

    Raises
    ------
    InvalidData
        If they are not one-dimensional, missing, not whole or of another type.
    """
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise InvalidData(f"{what}: expected one label a row, got an array of shape {values.shape}")
    kind = values.dtype.kind
    if kind in "bU":
        return values
    if kind in "iu":
        return values.astype(np.int64)
    if kind == "S":
        try:
            return np.char.decode(values, "utf-8")
        except UnicodeDecodeError:
            raise InvalidData(f"{what}: expected UTF-8 text, got other bytes") from None
    if kind != "f":
        raise InvalidData(f"{what}: expected whole numbers or text, got values of type {values.dtype}")
    return _whole(values, what)


def _whole(values: Labels, what: str) -> Labels:
    bad = ~np.isfinite(values)
    if bad.any():
        raise InvalidData(f"{what}: expected a label in every row, got {values[bad][0]}")
    fractional = values != np.floor(values)
    if fractional.any():
        raise InvalidData(f"{what}: expected classes, got {values[fractional][0]:g}: it looks like a regression target")
    return values.astype(np.int64)


def rows_of_classes(y: Labels, classes: Sequence[str] | None, what: str) -> IntArray:
    """Return the positions of the rows whose label, as text, is one of the classes.

    Raises
    ------
    InvalidArgument
        If a class does not occur in `y`.
    """
    if classes is None:
        return np.arange(len(y))
    present = {str(label): label for label in np.unique(y)}
    for name in classes:
        if name not in present:
            raise InvalidArgument("classes", f"labels among {listing(list(present))} ({what})", repr(name))
    return np.flatnonzero(np.isin(y, [present[name] for name in classes]))


def check_classes(y: Labels, what: str) -> None:
    """Check that a classifier can be trained and tested on the labels.

    Raises
    ------
    InvalidData
        If there is only one class, a class has fewer than 5 rows, or there
        are too many classes for the number of rows.
    """
    classes, counts = np.unique(y, return_counts=True)
    if len(classes) == 0:
        raise InvalidData(f"{what}: expected rows, got none")
    if len(classes) == 1:
        raise InvalidData(f"{what}: expected at least two classes, got only {classes[0]}")
    if len(classes) > 2 and len(classes) > len(y) / MIN_ROWS:
        raise InvalidData(
            f"{what}: expected a few classes, got {len(classes)} different labels in {len(y)} rows: "
            "it looks like a regression target or an identifier"
        )
    rarest = int(np.argmin(counts))
    if counts[rarest] < MIN_ROWS:
        raise InvalidData(
            f"{what}: expected at least {MIN_ROWS} rows of each class, got {counts[rarest]} of {classes[rarest]}"
        )


def check_test_labels(train: Labels, test: Labels, what: str) -> None:
    """Check that every test label occurs in training.

    Raises
    ------
    InvalidData
        If one does not, or if there are no test rows.
    """
    if len(test) == 0:
        raise InvalidData(f"{what}: expected test rows, got none")
    if (train.dtype.kind == "U") != (test.dtype.kind == "U"):
        raise InvalidData(f"{what}: expected training and test labels of one type, got {train.dtype} and {test.dtype}")
    unseen = np.setdiff1d(test, train)
    if len(unseen):
        raise InvalidData(f"{what}: expected test labels that occur in training, got {unseen[0]}")


def listing(names: Sequence[object], limit: int = 12) -> str:
    """Join the first names with commas and count the rest."""
    shown = ", ".join(str(name) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
