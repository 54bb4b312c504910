"""Labelled rows as sanitizers take them, whatever they then do with their scores."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from toadstone.core.arrays import Array, IntArray, Labels, Mask, Matrix
from toadstone.core.dataset import as_matrix
from toadstone.core.errors import InvalidArgument, InvalidData


def admit(sanitizer: Any, X: Matrix, y: Labels | None) -> tuple[Matrix, Labels, IntArray]:
    """Check training rows and their labels; without labels all rows form class zero.

    Returns
    -------
    X : ndarray or CSR of shape (n, d)
    classes : ndarray of shape (n_classes,)
        Sorted labels.
    codes : ndarray of shape (n,)
        Class of each row, counted from zero.
    """
    if y is None:
        matrix = as_matrix(validate_data(sanitizer, X, y, accept_sparse="csr", dtype=np.float64))
        return matrix, np.zeros(1, dtype=np.int64), np.zeros(matrix.shape[0], dtype=np.int64)
    checked, labels = validate_data(sanitizer, X, _column(y), accept_sparse="csr", dtype=np.float64)
    check_classification_targets(labels)
    classes, codes = np.unique(labels, return_inverse=True)
    return as_matrix(checked), classes, codes


def class_codes(classes: Labels, y: Labels | None, n_rows: int) -> IntArray:
    """Class of each row, counted from zero; zero without labels.

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


def own(table: Array, codes: IntArray) -> Array:
    """What a table of shape (n, n_classes) says about each row's own class."""
    return np.asarray(table[np.arange(len(codes)), codes])


def value_order(X: Matrix, codes: IntArray) -> IntArray:
    """An order of labelled rows that depends on nothing but their values.

    Examples
    --------
    >>> X, codes = np.array([[2.0], [1.0]]), np.array([1, 0])
    >>> value_order(X, codes) + value_order(X[::-1], codes[::-1])
    array([1, 1])
    """
    if issparse(X):
        ends = zip(X.indptr[:-1], X.indptr[1:], strict=True)
        keys = [
            (X.indices[a:b].tobytes(), X.data[a:b].tobytes(), code) for (a, b), code in zip(ends, codes, strict=True)
        ]
        return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)
    # Any order will do: that of the bytes is found at the first one that differs.
    table = np.empty((len(codes), X.shape[1] + 1))
    table[:, :-1], table[:, -1] = X + 0.0, codes
    return np.argsort(table.view(f"V{table.itemsize * table.shape[1]}").ravel(), kind="stable")


def trusted_mask(trusted: IntArray | Mask | None, n_rows: int) -> Mask:
    """Which rows are trusted, named by position or by a mask; none without.

    Raises
    ------
    InvalidArgument
        If there are no such rows.
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
