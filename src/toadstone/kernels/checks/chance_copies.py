"""Equal rows of a table that chance does not explain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array
from scipy.stats import poisson

from toadstone.core.arrays import Array, IntArray, Matrix

LEVEL = 1e-3
"""Largest chance of as many equal pairs, from the values of two columns, at which they are no coincidence."""

EXCESS = 10.0
"""Least ratio of equal pairs to those expected, since columns that depend on each other repeat together."""

DEVIATIONS = 5.0
"""Standard deviations by which the sizes of groups must contradict independent rows."""

FEWEST_DISTINCT = 0.25
"""Share of distinct rows below which repeating is the rule, and the values of columns say nothing."""

_SIZES = (2, 3, 4)


def beyond_chance(X: Matrix, groups: Sequence[IntArray]) -> bool:
    """Tell whether equal rows are copies, by the values of the columns or by the sizes of their groups.

    Either of two signs is enough. The first: equal pairs are at least ten times
    as many as those expected of the two columns whose values repeat least, and
    as many have a probability below 0.001. Of each column, the share of pairs
    with one value is taken over distinct rows, so that copies do not hide
    themselves, and at least one pair is counted; a quarter of the rows must be
    distinct, for few combinations of categories repeat without being copied. The second: for independent
    rows of any distribution over few or many values, the numbers ``f_k`` of
    distinct rows that occur k times obey ``2 k f_k <= f_(k-1) + k (k + 1) f_(k+1)``
    in expectation, by the inequality of arithmetic and geometric means under a
    mixture of Poisson laws. A table with every row doubled violates it.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    groups : sequence of ndarray of int
        All groups of equal rows of X.

    Returns
    -------
    bool

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> beyond_chance(np.vstack([X, X[:1]]), [np.array([0, 60])])
    True
    >>> coins = np.array([[0.0, 1.0], [1.0, 1.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    >>> beyond_chance(coins, [np.array([0, 2]), np.array([1, 3])])
    False
    """
    if not groups:
        return False
    n = X.shape[0]
    sizes = np.array([len(rows) for rows in groups])
    copies = np.concatenate([np.sort(rows)[1:] for rows in groups])
    if _uneven(np.bincount(sizes, minlength=_SIZES[-1] + 2), n - len(copies) - len(groups)):
        return True
    if n - len(copies) < FEWEST_DISTINCT * n:
        return False
    seen = float(_pairs(sizes).sum())
    repeats = np.sort(_repeats(csr_array(X)[np.setdiff1d(np.arange(n), copies)]))[:2]
    if len(repeats) < 2:
        return False
    expected = float(_pairs(np.array(n)) * repeats.prod())
    return seen >= EXCESS * expected and float(poisson.sf(seen - 1, expected)) <= LEVEL


def _pairs(counts: IntArray) -> Array:
    halves: Array = np.asarray(counts, dtype=np.float64) * (np.asarray(counts) - 1) / 2
    return halves


def _uneven(found: IntArray, single: int) -> bool:
    """Tell whether groups of one size are too many beside those of one row fewer and of one more."""
    times = found.astype(np.float64)
    times[1] = single
    for k in _SIZES:
        parts = np.array([2 * k, -1.0, -k * (k + 1)]), times[[k, k - 1, k + 1]]
        # Numbers of groups are nearly independent and of Poisson's law, so their variance is their mean.
        if parts[0] @ parts[1] > DEVIATIONS * np.sqrt((parts[0] ** 2) @ parts[1]):
            return True
    return False


def _repeats(distinct: Matrix) -> Array:
    """Return for each column the share of pairs of distinct rows that have one value there."""
    n, d = distinct.shape
    rows = csr_array(distinct, copy=True)
    rows.sum_duplicates()
    rows.eliminate_zeros()
    order = np.lexsort((rows.data, rows.indices))
    values, columns = rows.data[order], rows.indices[order]
    begins = np.flatnonzero(np.concatenate([[True], (values[1:] != values[:-1]) | (columns[1:] != columns[:-1])]))
    begins = begins[: len(columns)]
    runs = np.diff(np.append(begins, len(columns)))
    equal = np.bincount(columns[begins], weights=_pairs(runs), minlength=d)
    zeros = _pairs(n - np.bincount(columns, minlength=d))
    shares: Array = np.maximum(equal + zeros, 1.0) / max(float(_pairs(np.array(n))), 1.0)
    return shares
