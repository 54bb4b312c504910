"""Rows that are equal in all columns, or in all but one, where chance does not make them so."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.kernels.checks.chance_copies import beyond_chance

RARE = 0.05
"""Largest share of the rows that have a value, for it to count as rare."""

FEWEST_RARE = 3
"""Rare values that two rows must share."""

SPARE_BITS = 10.0
"""Bits by which the surprise of the shared values must exceed that of finding one such pair among all."""

MOST_ENTRIES = 20_000_000
"""Entries beyond which rows that differ in a column are not looked for."""


class NearDuplicates(NamedTuple):
    """Groups of rows that are equal, or equal in all columns but one.

    Attributes
    ----------
    equal : tuple of ndarray of int
        Groups of rows that are equal in every column, each ascending, by
        their first row: all of them where the table says that they are no
        coincidence, otherwise those whose own values say so.
    near : tuple of ndarray of int
        Groups of rows linked by a difference in a single column, with their
        equal rows; likewise.
    repeated : int
        Rows that are equal to another one, whether chance explains it or not.
    """

    equal: tuple[IntArray, ...]
    near: tuple[IntArray, ...]
    repeated: int = 0


def near_duplicates(X: Matrix) -> NearDuplicates:
    """Find rows that are equal, or equal in all columns but one.

    Two rows count only where chance does not explain them. All equal rows count
    where the table as a whole says so (`beyond_chance`). Otherwise, and for rows
    that differ in a column, two rows must share at least
    three values that at most 5 % of the rows have, and the surprise of these,
    the sum of ``-log2`` of their shares, must exceed ``log2(n (n - 1) / 2)``, that
    of one pair among all, by ten bits. Common categories or a few short words
    therefore make no duplicates. Sums of hashes without one column find the
    candidates in the time of sorting the entries, and rows are compared before
    they are returned.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(60, 6))
    >>> X[7] = X[3]
    >>> X[9], X[9, 2] = X[4], 8.0
    >>> found = near_duplicates(X)
    >>> [rows.tolist() for rows in found.equal], [rows.tolist() for rows in found.near]
    ([[3, 7]], [[4, 9]])
    """
    rows = csr_array(X, copy=True)
    rows.sum_duplicates()
    rows.eliminate_zeros()
    n = rows.shape[0]
    if rows.nnz == 0:
        return NearDuplicates((), ())
    terms, hashes = _hashes(rows)
    alike = _all_equal(rows, hashes)
    repeated = sum(map(len, alike))
    copied = beyond_chance(rows, alike)
    surprise = _surprise(rows)
    demanded = np.log2(max(n * (n - 1) / 2, 1.0)) + SPARE_BITS
    # Rows that lack surprise by themselves, such as those of categories alone, need not be compared.
    own = np.where(surprise >= -np.log2(RARE), surprise, 0.0)
    running = np.concatenate([[0.0], np.cumsum(own)])
    able = np.flatnonzero(running[rows.indptr[1:]] - running[rows.indptr[:-1]] >= demanded)
    if len(able) < 2:
        return NearDuplicates(tuple(alike) if copied else (), (), repeated)
    taken = rows[able]
    inside = np.isin(np.repeat(np.arange(n), np.diff(rows.indptr)), able)
    bits = surprise[inside]
    equal = _verified(taken, bits, _pairs_of_equal(hashes[able]), demanded, differing=0)
    near = equal[:0]
    if taken.nnz <= MOST_ENTRIES:
        pairs = _pairs_but_one(taken, terms[inside], hashes[able])
        near = _verified(taken, bits, pairs, demanded, differing=1)
    groups = alike if copied else [able[group] for group in _components(len(able), equal)]
    # Copies of a row are no near-duplicates of it, but belong to a group of them.
    linked = [group for group in _components(len(able), np.concatenate([equal, near])) if np.isin(near, group).any()]
    return NearDuplicates(tuple(groups), tuple(able[group] for group in linked), repeated)


def _all_equal(rows: Matrix, hashes: IntArray) -> list[IntArray]:
    """Return the groups of rows that are equal in every column, ascending, by their first row."""
    pairs = _pairs_of_equal(hashes)
    n = rows.shape[0]
    if not len(pairs):
        return []
    apart = abs(rows[pairs[:, 0]] - rows[pairs[:, 1]])
    return _components(n, pairs[np.asarray(apart.sum(axis=1)).ravel() == 0])


def _hashes(rows: Matrix) -> tuple[IntArray, IntArray]:
    """Hash each entry with its column, and each row as the wrapping sum over its entries."""
    weights = np.random.default_rng(0).integers(1, 2**63, rows.shape[1], dtype=np.uint64) | np.uint64(1)
    bits = rows.data.astype(np.float64).view(np.uint64)
    bits = (bits ^ (bits >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
    terms = (bits ^ (bits >> np.uint64(29))) * weights[rows.indices]
    running = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(terms, dtype=np.uint64)])
    return terms, running[rows.indptr[1:]] - running[rows.indptr[:-1]]


def _pairs_of_equal(keys: IntArray) -> IntArray:
    """Pair each row with the next of the same key."""
    order = np.argsort(keys, kind="stable")
    same = keys[order][1:] == keys[order][:-1]
    return np.column_stack([order[:-1][same], order[1:][same]])


def _pairs_but_one(rows: Matrix, terms: IntArray, hashes: IntArray) -> IntArray:
    """Pair rows whose sums agree once a column is left out of one or of both."""
    owner = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    # An entry left out may face another value in that column, or a zero there: then the other sum is whole.
    keys = np.concatenate([hashes[owner] - terms, hashes])
    pairs = _pairs_of_equal(keys)
    owners = np.concatenate([owner, np.arange(rows.shape[0])])
    found = np.sort(owners[pairs], axis=1)
    return np.unique(found[found[:, 0] != found[:, 1]], axis=0)


def _verified(rows: Matrix, bits: Array, pairs: IntArray, demanded: float, *, differing: int) -> IntArray:
    """Keep the pairs that differ in exactly so many columns and share what is rare enough."""
    kept = []
    for one, other in pairs.tolist():
        a, b = slice(*rows.indptr[one : one + 2]), slice(*rows.indptr[other : other + 2])
        _, left, right = np.intersect1d(rows.indices[a], rows.indices[b], assume_unique=True, return_indices=True)
        same = rows.data[a][left] == rows.data[b][right]
        apart = len(rows.data[a]) + len(rows.data[b]) - len(left) - np.count_nonzero(same)
        shared = bits[a][left][same]
        rare = shared[shared >= -np.log2(RARE)]
        if apart == differing and len(rare) >= FEWEST_RARE and rare.sum() >= demanded:
            kept.append((one, other))
    return np.array(kept, dtype=np.int64).reshape(-1, 2)


def _surprise(rows: Matrix) -> Array:
    """Bits of each entry: minus the logarithm of the share of rows that have this value in its column."""
    order = np.lexsort((rows.data, rows.indices))
    values, columns = rows.data[order], rows.indices[order]
    begins = np.concatenate([[True], (values[1:] != values[:-1]) | (columns[1:] != columns[:-1])])
    run = np.cumsum(begins) - 1
    bits = np.empty(rows.nnz)
    bits[order] = -np.log2(np.bincount(run)[run] / rows.shape[0])
    return bits


def _components(n: int, pairs: IntArray) -> list[IntArray]:
    if not len(pairs):
        return []
    links = csr_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    code = connected_components(links, directed=False)[1]
    members = np.unique(pairs)
    order = members[np.argsort(code[members], kind="stable")]
    groups = np.split(order, np.flatnonzero(np.diff(code[order])) + 1)
    return sorted(groups, key=lambda rows: int(rows[0]))
