"""Equal rows with different labels: errors that need no threshold, for one of the labels must be wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse

from toadstone.core.arrays import Array, IntArray, Labels, Matrix
from toadstone.kernels.rows import canonical_form

_ROWS_AT_ONCE = 1024


@dataclass(frozen=True, eq=False)
class Contradiction:
    """Rows of equal features that do not have one label.

    Parameters
    ----------
    rows : ndarray of int
        All rows with these features, ascending.
    labels : ndarray
        The label of each of them.
    """

    rows: IntArray
    labels: Labels

    @property
    def minority(self) -> IntArray:
        """The rows whose label is not the most frequent of the group; all rows where several labels tie."""
        _, code, counts = np.unique(self.labels, return_inverse=True, return_counts=True)
        most = counts == counts.max()
        return self.rows if most.sum() > 1 else self.rows[~most[code]]


def contradicting_rows(X: Matrix, y: Labels) -> list[Contradiction]:
    """Find the groups of rows with equal features and different labels.

    Rows are sorted by a hash, a sum of their values with weights drawn at
    random by a fixed seed, and those with equal hashes are compared value by
    value: what is returned is certain, whatever the hashes.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        Of float64. -0.0 equals 0.0.
    y : ndarray of shape (n,)

    Returns
    -------
    list of Contradiction
        By their first row. None of them shares a row with another.

    Examples
    --------
    >>> X = np.array([[1.0, 0.0], [2.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    >>> found = contradicting_rows(X, np.array(["ham", "ham", "spam", "ham"]))
    >>> [(group.rows.tolist(), group.minority.tolist()) for group in found]
    [([0, 2, 3], [2])]
    """
    matrix = canonical_form(X)
    hashes = row_hashes(matrix)
    order = np.argsort(hashes, kind="stable")
    ends = np.flatnonzero(np.diff(hashes[order])) + 1
    labels = np.unique(y, return_inverse=True)[1]
    groups: list[IntArray] = []
    for rows in np.split(order, ends):
        # Most groups are single rows or of one label: only the others are compared value by value.
        if len(rows) > 1 and (labels[rows] != labels[rows[0]]).any():
            groups += [equal for equal in _equal(matrix, rows) if (labels[equal] != labels[equal[0]]).any()]
    return [Contradiction(rows, np.asarray(y)[rows]) for rows in sorted(groups, key=lambda rows: int(rows[0]))]


def row_hashes(X: Matrix) -> IntArray:
    """Hash each row: a wrapping sum over its nonzero entries of their bits times the weight of their column."""
    weights = np.random.default_rng(0).integers(1, 2**63, X.shape[1], dtype=np.uint64) | np.uint64(1)
    found = np.zeros(X.shape[0], dtype=np.uint64)
    for start in range(0, X.shape[0], _ROWS_AT_ONCE):
        part = X[start : start + _ROWS_AT_ONCE]
        if issparse(part):
            terms = _mixed(part.data) * weights[part.indices]
            # A sum of differences of running sums wraps around as the sum itself does, and takes empty rows.
            running = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(terms, dtype=np.uint64)])
            found[start : start + _ROWS_AT_ONCE] = running[part.indptr[1:]] - running[part.indptr[:-1]]
        else:
            found[start : start + _ROWS_AT_ONCE] = (_mixed(part) * weights).sum(axis=1, dtype=np.uint64)
    return found.view(np.int64)


def _mixed(values: Array) -> Labels:
    """Scatter the bits of numbers; zero stays zero."""
    bits = np.ascontiguousarray(values, dtype=np.float64).view(np.uint64)
    # Numbers such as 1 and 2 differ in their highest bits alone, which a product would shift out.
    bits = (bits ^ (bits >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
    return bits ^ (bits >> np.uint64(29))


def _equal(X: Matrix, rows: IntArray) -> list[IntArray]:
    """Split rows into groups of equal values, each ascending."""
    groups, left = [], np.sort(rows)
    while len(left):
        block = X[left]
        if issparse(block):
            differs = np.zeros(len(left), dtype=bool)
            unequal = (block - X[np.full(len(left), left[0])]).tocsr()
            unequal.eliminate_zeros()
            differs = np.diff(unequal.indptr) > 0
        else:
            differs = (block != block[0]).any(axis=1)
        groups.append(left[~differs])
        left = left[differs]
    return groups
