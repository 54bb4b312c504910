"""Columns that number the rows."""

from __future__ import annotations

import numpy as np
from scipy.sparse import issparse

from toadstone.core.arrays import IntArray, Matrix

FEWEST_ROWS = 20
_EVEN = 1e-9


def identifier_columns(X: Matrix) -> IntArray:
    """Find columns that number the rows: all values differ, and they grow or fall row by row or lie evenly spaced.

    Either has a probability of at most ``2 / n!`` where values are drawn
    independently of the row. Scaling and shifting a column changes nothing.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        Of at least twenty rows; with fewer, nothing is found. Columns of a
        sparse matrix hold zeros, so that none numbers its rows.

    Returns
    -------
    ndarray of int
        Ascending.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.column_stack([rng.normal(size=30), np.arange(30) / 7, rng.permutation(30) + 500])
    >>> identifier_columns(X)
    array([1, 2])
    """
    if issparse(X) or X.shape[0] < FEWEST_ROWS:
        return np.empty(0, dtype=np.int64)
    return np.array([column for column in range(X.shape[1]) if _numbers_rows(X[:, column])], dtype=np.int64)


def _numbers_rows(values: IntArray) -> bool:
    # Most columns repeat a value soon; this spares sorting them.
    if len(np.unique(values[:FEWEST_ROWS])) < FEWEST_ROWS:
        return False
    steps = np.diff(values)
    if (steps > 0).all() or (steps < 0).all():
        return True
    gaps = np.diff(np.sort(values))
    return bool(gaps[0] > 0 and np.ptp(gaps) <= _EVEN * np.abs(values).max() + _EVEN * gaps[0])
