"""Values of a row that speak for another label than its own."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, issparse

from toadstone.core.arrays import Array, IntArray, Matrix

_LEAST_SPREAD = 1e-9


def telling_features(
    X: Matrix, codes: IntArray, rows: IntArray, towards: IntArray, *, column_of: IntArray, most: int
) -> list[IntArray]:
    """Order the features of some rows by how much they speak for another label than the one given.

    A feature counts by its part in the log odds of a diagonal linear
    discriminant, ``(x - (m + m') / 2) (m' - m) / s^2``, with ``m`` and ``m'``
    the means of the given and the other label and ``s`` the deviation within
    labels. Of the features of one column their parts are added, and the
    largest stands for all. Of sparse rows, only the entries count.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    codes : ndarray of int of shape (n,)
        Labels, counted from 0.
    rows : ndarray of int of shape (m,)
    towards : ndarray of int of shape (m,)
        The other label of each of them.
    column_of : ndarray of int of shape (d,)
        Column of the source that each feature comes from.
    most : int
        Features of a row at most.

    Returns
    -------
    list of ndarray of int
        For each row, most telling first; those that speak for the given label
        are left out.

    Examples
    --------
    >>> X = np.array([[0.0, 5.0, 1.0], [0.2, 5.0, 0.0], [4.0, 5.0, 1.0], [4.2, 5.0, 1.2], [3.9, 5.0, 0.9]])
    >>> telling_features(X, np.array([0, 0, 1, 1, 0]), np.array([4]), np.array([1]), column_of=np.arange(3), most=2)
    [array([0, 2])]
    """
    means, spread = _moments(X, codes)
    found = []
    for row, other in zip(rows.tolist(), towards.tolist(), strict=True):
        features, values = _entries(X, row)
        own, rival = means[codes[row], features], means[other, features]
        parts = (values - (own + rival) / 2) * (rival - own) / spread[features]
        found.append(features[_strongest(parts, column_of[features], most)])
    return found


def _moments(X: Matrix, codes: IntArray) -> tuple[Array, Array]:
    """Mean of each label, and the variance within labels."""
    n_labels = int(codes.max(initial=0)) + 1
    belongs = csr_array((np.ones(len(codes)), (codes, np.arange(len(codes)))), shape=(n_labels, len(codes)))
    sizes = np.maximum(np.bincount(codes, minlength=n_labels), 1.0)[:, None]
    sums = belongs @ X
    means = (sums.toarray() if issparse(sums) else np.asarray(sums)) / sizes
    squares = np.asarray((X * X).sum(axis=0)).ravel()
    within = squares / len(codes) - (means**2 * sizes).sum(axis=0) / len(codes)
    # A column without spread within labels tells them exactly; one without any differs nowhere.
    return means, np.maximum(within, _LEAST_SPREAD * np.maximum(squares / len(codes), 1.0))


def _entries(X: Matrix, row: int) -> tuple[IntArray, Array]:
    if not issparse(X):
        return np.arange(X.shape[1]), X[row]
    part = slice(*X.indptr[row : row + 2])
    return X.indices[part].astype(np.int64), X.data[part]


def _strongest(parts: Array, columns: IntArray, most: int) -> IntArray:
    _, code = np.unique(columns, return_inverse=True)
    sums = np.bincount(code, weights=parts)
    order = np.lexsort((np.arange(len(parts)), -parts, -sums[code]))
    order = order[sums[code[order]] > 0]
    _, first = np.unique(code[order], return_index=True)
    return order[np.sort(first)][:most]
