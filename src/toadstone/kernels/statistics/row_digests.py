"""Rows as byte strings: equal if and only if their values are."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from toadstone.core.arrays import IntArray, Matrix


def contents(X: Matrix) -> list[bytes]:
    """Return the columns and values of each row's nonzero entries, as bytes.

    Dense and sparse rows of equal values have equal contents, whatever the
    order in which a sparse matrix stores them.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)

    Returns
    -------
    list of bytes
        Little-endian, so that a hash of them is the same on every machine.

    Examples
    --------
    >>> dense, sparse = contents([[0.0, 2.0]]), contents(csr_array([[0.0, 2.0]]))
    >>> dense == sparse
    True
    """
    ordered = csr_array(X, copy=True)
    ordered.sum_duplicates()
    ordered.eliminate_zeros()
    columns, values = ordered.indices.astype("<i8"), ordered.data.astype("<f8")
    ends = zip(ordered.indptr[:-1].tolist(), ordered.indptr[1:].tolist(), strict=True)
    return [columns[a:b].tobytes() + values[a:b].tobytes() for a, b in ends]


def first_equal(X: Matrix, others: Matrix) -> IntArray:
    """Find for each row the first of some others with equal values, -1 where there is none.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    others : ndarray or CSR of shape (m, d)

    Returns
    -------
    ndarray of int, shape (n,)

    Examples
    --------
    >>> first_equal(np.array([[2.0], [3.0]]), np.array([[1.0], [2.0], [2.0]]))
    array([ 1, -1])
    """
    first: dict[bytes, int] = {}
    for row, content in enumerate(contents(others)):
        first.setdefault(content, row)
    return np.array([first.get(content, -1) for content in contents(X)], dtype=np.int64)
