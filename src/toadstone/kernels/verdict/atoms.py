"""Atoms: values and short ranges of single columns that several rows share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csc_array, issparse

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.kernels.verdict.windows import are_words

WIDTH = 0.04
"""Share of the rows that lie in a window of quantiles; windows start half as far apart."""

TAIL = 0.02
"""Share of the rows in the two windows at the ends of a column."""

_COMMON = 0.4


@dataclass(frozen=True, eq=False)
class Atoms:
    """Ranges of single columns, and the rows that lie in them.

    Parameters
    ----------
    columns : ndarray of int of shape (m,)
    lows, highs : ndarray of shape (m,)
        Both ends belong to the range; they are equal for an exact value.
    members : CSC of float32 of shape (n, m)
        1 where a row lies in a range.
    """

    columns: IntArray
    lows: Array
    highs: Array
    members: Any


@dataclass(frozen=True, eq=False)
class _Ranges:
    """Candidates of one column: places in its sorted entries, and how remarkable each is."""

    rows: IntArray
    starts: IntArray
    stops: IntArray
    values: Array
    gain: Array
    strangeness: Array


def find_atoms(X: Matrix, codes: IntArray, strange: Any, *, least: int, most: int) -> Atoms:
    """Find the values and windows of quantiles whose labels, or whose strangeness, differ most from the usual.

    Of each column come every exact value that at least `least` rows and at
    most 40 % have, windows that hold 4 % of the rows every 2 %, and the first
    and last 2 %; where columns are words, also all positive and all negative
    values, which says that the word is there. Half of those kept have the largest G statistic [1]_ of their
    label counts against those of all rows, the others the largest sum of
    strangeness within a label, in its standard deviations.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    codes : ndarray of int of shape (n,)
        Label of each row, counted from zero.
    strange : callable
        Gives for a column the strangeness of each row, shape (n,), with mean
        zero and variance one in each label.
    least : int
    most : int
        Number of atoms.

    Returns
    -------
    Atoms
        By column and place.

    References
    ----------
    .. [1] Sokal and Rohlf, "Biometry", 1981, chapter 17.

    Examples
    --------
    >>> X = np.array([[7.0], [7.0], [7.0], [1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [8.0]])
    >>> codes = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0, 0])
    >>> atoms = find_atoms(X, codes, lambda column: np.zeros(10), least=3, most=1)
    >>> atoms.lows.tolist(), atoms.members.toarray().sum(axis=0).tolist()
    ([7.0], [3.0])
    """
    n, d = X.shape
    by_column, words = csc_array(X) if issparse(X) else X, are_words(X)
    ranges: dict[int, _Ranges] = {}
    for column in range(d):
        rows, values = entries(by_column, column)
        if len(rows) >= least:
            places = _places(values, least, n, whole=len(rows) == n, words=words)
            found = _ranges(rows, values, codes, strange(column), places, least)
            if len(found.starts):
                ranges[column] = found
    return _strongest(ranges, n, most)


def entries(X: Any, column: int) -> tuple[IntArray, Array]:
    """Return rows and values of a column in the order of their values, without zeros where they are common.

    Parameters
    ----------
    X : ndarray or CSC of shape (n, d)
    column : int

    Returns
    -------
    rows, values : ndarray of shape (m,)
        All rows, unless more than 40 % of them are zero: then those that are not.

    Examples
    --------
    >>> rows, values = entries(np.array([[0.0], [4.0], [0.0], [3.0]]), 0)
    >>> rows.tolist(), values.tolist()
    ([3, 1], [3.0, 4.0])
    """
    n = X.shape[0]
    if issparse(X):
        part = slice(X.indptr[column], X.indptr[column + 1])
        rows, values = X.indices[part].astype(np.int64), np.asarray(X.data[part])
        if n - len(rows) <= _COMMON * n:
            table = np.zeros(n)
            table[rows] = values
            rows, values = np.arange(n), table
    else:
        rows, values = np.arange(n), X[:, column]
        present = values != 0
        if n - np.count_nonzero(present) > _COMMON * n:
            rows, values = rows[present], values[present]
    order = np.lexsort((rows, values))
    return rows[order], values[order]


def _ranges(
    rows: IntArray, values: Array, codes: IntArray, strange: Array, places: tuple[IntArray, IntArray], least: int
) -> _Ranges:
    """Return the exact values and windows of one column with their two statistics."""
    (starts, stops), n = places, len(codes)
    n_labels = int(codes.max()) + 1
    usual = np.bincount(codes, minlength=n_labels) / n
    of_label = np.zeros((len(rows) + 1, n_labels))
    of_label[np.arange(1, len(rows) + 1), codes[rows]] = 1.0
    sums = np.zeros_like(of_label)
    sums[1:] = of_label[1:] * strange[rows][:, None]
    np.cumsum(of_label, axis=0, out=of_label)
    np.cumsum(sums, axis=0, out=sums)
    counts = of_label[stops] - of_label[starts]
    total = counts.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(counts > 0, counts * np.log(counts / (total * usual)), 0.0)
        deviations = np.where(counts >= least, (sums[stops] - sums[starts]) / np.sqrt(counts), -np.inf)
    return _Ranges(rows, starts, stops, values, 2 * terms.sum(axis=1), deviations.max(axis=1))


def _places(values: Array, least: int, n: int, *, whole: bool, words: bool) -> tuple[IntArray, IntArray]:
    """Return where exact values and windows start and stop in sorted entries."""
    size = len(values)
    first = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    last = np.append(first[1:], size)
    width, tail = max(least, round(WIDTH * n)), max(least, round(TAIL * n))
    begins = np.arange(0, max(size - width // 2, 1), max(width // 2, 1))
    begins, ends = np.append(begins, [0, max(size - tail, 0)]), np.append(begins + width, [tail, size])
    lows, highs = values[begins], values[np.minimum(ends, size) - 1]
    if not whole:
        # Zeros were left out as too common; a range across them would hold them.
        inside = (lows > 0) | (highs < 0)
        lows, highs = lows[inside], highs[inside]
    wide = lows < highs
    left, right = np.searchsorted(values, lows[wide], "left"), np.searchsorted(values, highs[wide], "right")
    if words and not whole:
        # The weight of a word differs between texts; that it is there is what they share.
        sign = int(np.searchsorted(values, 0.0))
        left, right = np.append(left, [0, sign]), np.append(right, [sign, size])
    places = np.unique(np.column_stack([np.append(first, left), np.append(last, right)]), axis=0)
    length = places[:, 1] - places[:, 0]
    kept = places[(length >= least) & (length <= _COMMON * n)]
    return kept[:, 0], kept[:, 1]


def _strongest(ranges: dict[int, _Ranges], n: int, most: int) -> Atoms:
    """Keep the ranges with the largest statistics, half by each, and list their rows."""
    if not ranges:
        return Atoms(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0), csc_array((n, 0), dtype=np.float32))
    columns = np.concatenate([np.full(len(found.starts), column) for column, found in ranges.items()])
    places = np.concatenate([np.arange(len(found.starts)) for found in ranges.values()])
    gain = np.concatenate([found.gain for found in ranges.values()])
    strangeness = np.concatenate([found.strangeness for found in ranges.values()])
    half = (most + 1) // 2
    chosen = np.zeros(len(gain), dtype=bool)
    chosen[np.argsort(-gain, kind="stable")[:half]] = True
    chosen[np.argsort(-strangeness, kind="stable")[: most - half]] = True
    kept = np.flatnonzero(chosen)
    members, lows, highs = [], [], []
    for column, place in zip(columns[kept].tolist(), places[kept].tolist(), strict=True):
        found = ranges[column]
        start, stop = found.starts[place], found.stops[place]
        members.append(np.sort(found.rows[start:stop]))
        lows.append(found.values[start])
        highs.append(found.values[stop - 1])
    pointers = np.concatenate([[0], np.cumsum([len(rows) for rows in members])])
    indices = np.concatenate(members)
    table = csc_array((np.ones(len(indices), dtype=np.float32), indices, pointers), shape=(n, len(kept)))
    return Atoms(columns[kept], np.array(lows), np.array(highs), table)
