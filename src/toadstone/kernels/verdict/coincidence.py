"""Coincidence: are equal rows copies, or do few values make them equal by chance."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, issparse

from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.kernels.rows import count_distinct

_MOST_COLUMNS = 128
_DISTINCT = 0.9


def are_copies(X: Matrix) -> bool:
    """Tell if equal rows are copies of each other.

    Where rows with few values are equal by chance, still more are equal but
    for one column. Rows are copies if nine of ten are distinct, and at most
    half as many have such a near twin as have a twin; of sparse rows, and of
    more than 128 columns, only the first is asked.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)

    Returns
    -------
    bool
        True where there are no equal rows.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(60, 4))
    >>> X[1] = X[0]
    >>> are_copies(X), are_copies(np.sign(X))
    (True, False)
    """
    n, d = X.shape
    if issparse(X) or d > _MOST_COLUMNS:
        return bool(count_distinct(X) >= _DISTINCT * n)
    weights = np.random.default_rng(0).integers(1, 2**63, d, dtype=np.uint64) | np.uint64(1)
    terms = np.column_stack([np.unique(column, return_inverse=True)[1].astype(np.uint64) for column in X.T]) * weights
    whole = terms.sum(axis=1, dtype=np.uint64)
    if len(np.unique(whole)) < _DISTINCT * n:
        return False
    equal = _has_twin(whole)
    nearly = np.zeros(n, dtype=bool)
    for column in range(d):
        nearly |= _has_twin(whole - terms[:, column]) & ~equal
    return 2 * int(nearly.sum()) <= int(equal.sum())


def _has_twin(keys: Labels) -> Labels:
    """Mark the keys that occur more than once."""
    _, place, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return np.asarray(counts[place] > 1)


def sets_of_equals(X: Matrix, codes: IntArray) -> tuple[IntArray, IntArray]:
    """Return the first row of each set of rows that are equal and have one label, and the set of each row.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    codes : ndarray of int of shape (n,)

    Returns
    -------
    first : ndarray of int of shape (n_sets,)
        Ascending.
    number : ndarray of int of shape (n,)
        From zero, in the order of `first`.

    Examples
    --------
    >>> sets_of_equals(np.array([[2.0], [1.0], [2.0], [2.0]]), np.array([0, 0, 0, 1]))
    (array([0, 1, 3]), array([0, 1, 0, 2]))
    """
    seen: dict[tuple[bytes, bytes, int], int] = {}
    if issparse(X):
        rows = csr_array(X, copy=True)
        rows.sum_duplicates()
        rows.eliminate_zeros()
        ends = list(zip(rows.indptr[:-1], rows.indptr[1:], strict=True))
        keys = [(rows.indices[a:b].tobytes(), rows.data[a:b].tobytes()) for a, b in ends]
    else:
        # Adding zero makes -0.0, which equals 0.0 but has other bytes, the same row.
        keys = [(row.tobytes(), b"") for row in X + 0.0]
    number = np.array(
        [seen.setdefault((*key, code), len(seen)) for key, code in zip(keys, codes.tolist(), strict=True)],
        dtype=np.int64,
    )
    return np.unique(number, return_index=True)[1], number
