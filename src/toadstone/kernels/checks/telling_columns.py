"""Columns that give the label away by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, issparse

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.kernels.statistics.contradictions import row_hashes

NEEDED = 0.99
"""Balanced accuracy at which a column gives the label away."""

MOST_LEVELS = 64
ROWS_A_LEVEL = 10
"""Rows that a level must have on average: fewer would tell their own labels."""


class TellingColumn(NamedTuple):
    """A column that gives the label away.

    Attributes
    ----------
    column : int
    accuracy : float
        Mean over labels of the share of their rows that the column alone tells.
    """

    column: int
    accuracy: float


def telling_columns(X: Matrix, codes: IntArray, column_of: IntArray) -> list[TellingColumn]:
    """Find columns whose value alone tells the label of at least 99 % of the rows, whichever the label.

    The rule of a column is the most frequent label of each of its levels or,
    where it has more than 64 or fewer than ten rows a level, of each of so
    many intervals with equally many rows. The accuracy is balanced, so that a
    rare label counts like a frequent one. Of sparse rows, only whether a
    column has a value is looked at.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    codes : ndarray of int of shape (n,)
        Labels, counted from 0.
    column_of : ndarray of int of shape (d,)
        Column of the source that each feature comes from, such as those of
        one category.

    Returns
    -------
    list of TellingColumn
        By column.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(0, 2, 200)
    >>> X = np.column_stack([rng.normal(size=200) + y, 3.0 * y + rng.random(200)])
    >>> [found.column for found in telling_columns(X, y, np.arange(2))]
    [1]
    """
    most = min(MOST_LEVELS, len(codes) // ROWS_A_LEVEL)
    if most < 2:
        return []
    found = [TellingColumn(column, _accuracy(levels, codes)) for column, levels in _columns(X, column_of, most)]
    return sorted(one for one in found if one.accuracy >= NEEDED)


def _columns(X: Matrix, column_of: IntArray, most: int) -> Iterator[tuple[int, IntArray]]:
    """Give the level of every row in each column."""
    if issparse(X):
        rows = csr_array(X).tocsc()
        for feature in range(rows.shape[1]):
            part = slice(*rows.indptr[feature : feature + 2])
            levels = np.zeros(rows.shape[0], dtype=np.int64)
            levels[rows.indices[part][rows.data[part] != 0]] = 1
            yield int(column_of[feature]), levels
        return
    for column in np.unique(column_of):
        yield int(column), _levels(X[:, column_of == column], most)


def _levels(values: Array, most: int) -> IntArray:
    alone = values[:, 0] if values.shape[1] == 1 else row_hashes(values)
    distinct, levels = np.unique(alone, return_inverse=True)
    if len(distinct) <= most:
        return np.asarray(levels, dtype=np.int64)
    if values.shape[1] > 1:
        # Levels of a category have no order, and so many of them no rows to learn from.
        return np.zeros(len(values), dtype=np.int64)
    edges = np.unique(np.quantile(alone, np.arange(1, most) / most))
    return np.asarray(np.searchsorted(edges, alone), dtype=np.int64)


def _accuracy(levels: IntArray, codes: IntArray) -> float:
    n_labels, n_levels = int(codes.max()) + 1, int(levels.max()) + 1
    table = np.bincount(levels * n_labels + codes, minlength=n_levels * n_labels).reshape(n_levels, n_labels)
    told = np.bincount(table.argmax(axis=1), weights=table.max(axis=1), minlength=n_labels)
    return float(np.mean(told / np.maximum(table.sum(axis=0), 1)))
