"""Labelled rows as sanitizers and detectors take them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from toadstone.core.arrays import Array, IntArray, Labels, Mask, Matrix
from toadstone.core.dataset import as_matrix
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.kernels.rows import canonical_form


def admit(scorer: Any, X: Matrix, y: Labels | None) -> tuple[Matrix, Labels, IntArray]:
    """Check the parameters of a scorer and its training rows; without labels all rows form class zero.

    Returns
    -------
    X : ndarray or CSR of shape (n, d)
        In the form of `canonical_form`, so that rows of equal values get equal scores however they are stored.
    classes : ndarray of shape (n_classes,)
        Sorted labels.
    codes : ndarray of shape (n,)
        Class of each row, counted from zero.

    Raises
    ------
    InvalidData
        If the scorer needs labels and they are all equal.
    """
    scorer._validate_params()
    if y is None:
        matrix = canonical_form(as_matrix(validate_data(scorer, X, y, accept_sparse="csr", dtype=np.float64)))
        return matrix, np.zeros(1, dtype=np.int64), np.zeros(matrix.shape[0], dtype=np.int64)
    checked, labels = validate_data(scorer, X, _column(y), accept_sparse="csr", dtype=np.float64)
    check_classification_targets(labels)
    classes, codes = np.unique(labels, return_inverse=True)
    if scorer.needs_labels and len(classes) < 2:
        raise InvalidData("labels: expected at least two classes, got 1 class")
    return canonical_form(as_matrix(checked)), classes, codes


def class_codes(classes: Labels, y: Labels | None, n_rows: int) -> IntArray:
    """Return the class of each row, counted from zero; zero without labels.

    Raises
    ------
    InvalidData
        If there are not as many labels as rows, or a label is new.
    """
    if y is None:
        return np.zeros(n_rows, dtype=np.int64)
    labels = _column(y)
    if labels.shape != (n_rows,):
        raise InvalidData(f"labels: expected one for each of {n_rows} rows, got shape {labels.shape}")
    codes = np.minimum(np.searchsorted(classes, labels), len(classes) - 1)
    unknown = np.flatnonzero(classes[codes] != labels)
    if unknown.size:
        known = ", ".join(map(str, classes))
        raise InvalidData(f"labels: expected one of {known}, got {labels[unknown[0]]} in row {unknown[0]}")
    return codes


def memberships(codes: IntArray) -> list[Mask]:
    """Return a mask of the rows of each class, by class code."""
    return [codes == code for code in range(int(codes.max()) + 1)]


def own(table: Array, codes: IntArray) -> Array:
    """Return each row's entry for its own class, from a table of shape (n, n_classes)."""
    return np.asarray(table[np.arange(len(codes)), codes])


def trusted_mask(trusted: IntArray | Mask | None, n_rows: int) -> Mask:
    """Return a mask of the trusted rows, given by position or as a mask; all false for None.

    Raises
    ------
    InvalidArgument
        If a position or the length of the mask does not fit the rows.
    """
    mask = np.zeros(n_rows, dtype=bool)
    if trusted is None:
        return mask
    rows: Labels = np.asarray(trusted)
    if rows.dtype == bool and rows.shape != (n_rows,):
        raise InvalidArgument("trusted", f"a mask of {n_rows} rows", f"shape {rows.shape}")
    if rows.dtype != bool and (rows.ndim != 1 or np.any((rows < 0) | (rows >= n_rows)) or rows.dtype.kind not in "iu"):
        raise InvalidArgument("trusted", f"positions of rows from 0 to {n_rows - 1}", rows.tolist())
    mask[rows] = True
    return mask


def _column(y: Labels) -> Labels:
    labels = np.asarray(y)
    return labels.ravel() if labels.ndim == 2 and labels.shape[1] == 1 else labels
