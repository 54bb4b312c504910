"""Windows: columns in which a group of rows agrees, and all rows that fit it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csc_array, issparse

from toadstone.core.arrays import Array, IntArray, Mask, Matrix
from toadstone.kernels.rows import count_entries

AGREE = 0.8
"""Share of a group that lies in the window of each of its columns."""

_OTHERS, _WORDS = 0.4, 1 / 8
_FEW = 4
_LEAST = np.nextafter(0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Window:
    """A range for each of some columns.

    Parameters
    ----------
    columns : ndarray of int of shape (k,)
    lows, highs : ndarray of shape (k,)
        Both ends belong to the range.
    """

    columns: IntArray
    lows: Array
    highs: Array

    def fits(self, X: Any, share: float = AGREE) -> Mask:
        """Tell which rows lie in all ranges, or in a share of them where they are more than four.

        Parameters
        ----------
        X : ndarray or CSC of shape (n, d)
        share : float, default=0.8

        Returns
        -------
        ndarray of bool of shape (n,)

        Examples
        --------
        >>> window = Window(np.array([1]), np.array([2.0]), np.array([3.0]))
        >>> window.fits(np.array([[0.0, 2.5], [2.5, 0.0]]))
        array([ True, False])
        """
        inside = np.zeros(X.shape[0], dtype=np.int64)
        for column, low, high in zip(self.columns.tolist(), self.lows, self.highs, strict=True):
            values = column_of(X, column)
            inside += (values >= low) & (values <= high)
        k = len(self.columns)
        return inside >= (k if k <= _FEW else int(np.ceil(share * k)))

    def doubled(self) -> Window:
        """Return the ranges of the same centres and twice the width.

        Examples
        --------
        >>> window = Window(np.array([1]), np.array([2.0]), np.array([4.0])).doubled()
        >>> window.lows, window.highs
        (array([1.]), array([5.]))
        """
        half = (self.highs - self.lows) / 2
        return Window(self.columns, self.lows - half, self.highs + half)

    def rare_among(self, X: Any, rows: IntArray) -> Window:
        """Return the ranges that hold at most 40 % of some rows; all without rows.

        Parameters
        ----------
        X : ndarray or CSC of shape (n, d)
        rows : ndarray of int

        Examples
        --------
        >>> window = Window(np.array([0, 1]), np.array([2.0, 4.0]), np.array([3.0, 4.0]))
        >>> window.rare_among(np.array([[2.0, 5.0], [3.0, 4.0], [2.5, 6.0]]), np.arange(3)).columns
        array([1])
        """
        if not len(rows):
            return self
        rare = np.zeros(len(self.columns), dtype=bool)
        for place, (column, low, high) in enumerate(zip(self.columns.tolist(), self.lows, self.highs, strict=True)):
            values = column_of(X, column)[rows]
            rare[place] = ((values >= low) & (values <= high)).mean() <= _OTHERS
        return Window(self.columns[rare], self.lows[rare], self.highs[rare])


def are_words(X: Matrix) -> bool:
    """Tell whether columns are words of texts, or as seldom filled: fewer than one entry of eight is not zero.

    Examples
    --------
    >>> are_words(np.eye(30)), are_words(np.eye(4))
    (True, False)
    """
    return bool(count_entries(X) < _WORDS * X.shape[0] * X.shape[1])


def column_of(X: Any, column: int) -> Array:
    """Return one column of a dense or CSC matrix as an array."""
    return np.asarray(X[:, [column]].toarray().ravel() if issparse(X) else X[:, column])


def by_columns(X: Matrix) -> Any:
    """Return a matrix in a form whose columns are cheap to take: CSC where it is sparse."""
    return csc_array(X) if issparse(X) else X


def deviations(X: Any) -> Array:
    """Return the standard deviation of each column, shape (d,).

    Examples
    --------
    >>> deviations(csc_array([[0.0, 2.0], [2.0, 2.0]]))
    array([1., 0.])
    """
    if not issparse(X):
        return np.asarray(X.std(axis=0))
    mean = np.asarray(X.mean(axis=0))
    return np.asarray(np.sqrt(np.maximum(np.asarray(X.multiply(X).mean(axis=0)) - mean**2, 0.0)))


def shared_window(X: Any, group: IntArray, tolerance: Array, agreement: float = AGREE) -> Window:
    """Find the columns in which most of a group lies near its median, and most other rows do not.

    Parameters
    ----------
    X : ndarray or CSC of shape (n, d)
    group : ndarray of int
    tolerance : ndarray of shape (d,)
        How far from the median a value is near it.
    agreement : float, default=0.8
        Share of the group that is near.

    Returns
    -------
    Window
        Of the columns where that share of the group, and no more than 40 % of
        the other rows, are within the tolerance.

    Examples
    --------
    >>> X = np.array([[5.0, 1.0], [5.0, 2.0], [1.0, 3.0], [2.0, 4.0]])
    >>> shared_window(X, np.array([0, 1]), np.array([0.1, 0.1])).columns
    array([0])
    """
    columns = _candidates(X, group)
    inside = X[:, columns].toarray() if issparse(X) else X
    members = inside[group]
    centre = np.median(members, axis=0)
    margin = tolerance[columns]
    agree = np.flatnonzero((np.abs(members - centre) <= margin).mean(axis=0) >= agreement)
    near = np.abs(inside[:, agree] - centre[agree]) <= margin[agree]
    # A column without variance has nothing to share.
    others = (near.sum(axis=0) - near[group].sum(axis=0)) / max(len(inside) - len(group), 1)
    kept = agree[others <= _OTHERS]
    return Window(columns[kept], centre[kept] - margin[kept], centre[kept] + margin[kept])


def signs_of(X: Any) -> Any:
    """Return -1, 0 or 1 for each entry, in the form of the matrix.

    Examples
    --------
    >>> signs_of(csc_array([[0.5, -2.0], [0.0, 3.0]])).toarray().tolist()
    [[1.0, -1.0], [0.0, 1.0]]
    """
    return X.sign() if issparse(X) else np.sign(X)


def present_window(signs: Any, group: IntArray, agreement: float = AGREE) -> Window:
    """Find the columns in which most of a group has an entry of one sign, and most other rows have none.

    The weight of a word depends on the other words of its text, so that words
    that rows share need not have one value.

    Parameters
    ----------
    signs : ndarray or CSC of shape (n, d)
        -1, 0 or 1 for each entry.
    group : ndarray of int
    agreement : float, default=0.8
        Share of the group that has an entry.

    Returns
    -------
    Window
        Of all positive, or all negative, numbers in each column.

    Examples
    --------
    >>> X = np.array([[0.3, 0.0], [0.7, 0.2], [0.0, 0.5], [0.0, 0.0]])
    >>> window = present_window(signs_of(X), np.array([0, 1]))
    >>> window.columns, window.fits(X)
    (array([0]), array([ True,  True, False, False]))
    """
    found = shared_window(signs, group, np.zeros(signs.shape[1]), agreement)
    filled = found.lows != 0
    positive = found.lows[filled] > 0
    lows, highs = np.where(positive, _LEAST, -np.inf), np.where(positive, np.inf, -_LEAST)
    return Window(found.columns[filled], lows, highs)


def _candidates(X: Any, group: IntArray) -> IntArray:
    """Return the columns that can qualify: of sparse rows, where half of the group or most rows have an entry."""
    if not issparse(X):
        return np.arange(X.shape[1])
    filled = np.diff(X.indptr)
    marked = np.zeros(X.shape[0], dtype=bool)
    marked[group] = True
    before = np.append(0, np.cumsum(marked[X.indices]))
    own = before[X.indptr[1:]] - before[X.indptr[:-1]]
    return np.flatnonzero((own >= len(group) / 2) | (filled >= (1 - _OTHERS) * X.shape[0] / 2))
