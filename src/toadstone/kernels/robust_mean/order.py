"""An order of rows by what they contain, so that no result depends on the order in which clients come."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toadstone.core.arrays import Array, IntArray

_SAMPLED = 64
"""Coordinates that are read first; rows that differ in none of them are read whole."""
_PIECE = 2**20


@dataclass(frozen=True, eq=False)
class Distinct:
    """The distinct rows of a table in canonical order, and which of them each row is.

    Attributes
    ----------
    first : ndarray of int of shape (u,)
        A row of the table for each distinct row.
    group : ndarray of int of shape (m,)
        The distinct row that each row of the table, or each that was asked for, is.
    at : ndarray of int of shape (u,)
        Where in `group` the rows of `first` stand; `first` itself unless some rows of the table were asked for.
    """

    first: IntArray
    group: IntArray
    at: IntArray

    def total(self, values: Array) -> Array:
        """Add the values of equal rows: shape (..., m) to (..., u), the same for any order of the rows."""
        if len(self.first) == len(self.group):
            return np.ascontiguousarray(values[..., self.at])
        return _grouped(values, self.group, len(self.first))


def distinct_rows(base: NDArray[Any], among: IntArray | None = None) -> Distinct:
    """Find the distinct rows of a table, in an order that depends on their numbers alone.

    Parameters
    ----------
    base : ndarray of shape (m, d)
    among : ndarray of int, optional
        The rows to look at; all by default.

    Notes
    -----
    Rows are told apart by 64 coordinates. Those that agree there are read whole, and by a cryptographic digest,
    so that no client can make two different rows pass for one.
    """
    rows = np.arange(len(base)) if among is None else among
    keys = _keys(base, rows)
    ranks = {key: rank for rank, key in enumerate(sorted(set(keys)))}
    group = np.array([ranks[key] for key in keys], dtype=np.int64)
    at = np.unique(group, return_index=True)[1].astype(np.int64)
    return Distinct(rows[at], group, at)


def canonical_order(base: NDArray[Any]) -> IntArray:
    """Order the rows of a table by their content.

    Parameters
    ----------
    base : ndarray of shape (m, d)
        Of any float dtype; a memory map is not copied.

    Returns
    -------
    ndarray of int of shape (m,)
        A permutation: ``base[canonical_order(base)]`` is the same table for any order of the rows.

    Examples
    --------
    >>> import numpy as np
    >>> table = np.random.default_rng(0).normal(size=(4, 3))
    >>> mirrored = table[::-1]
    >>> bool((table[canonical_order(table)] == mirrored[canonical_order(mirrored)]).all())
    True
    """
    return np.argsort(distinct_rows(base).group, kind="stable")


def add_equal(values: Array, group: IntArray, count: int) -> Array:
    """Add the values of each group, smallest first: shape (m,) to (count,), the same for any order."""
    order = np.lexsort((values, group))
    total: Array = np.bincount(group[order], weights=values[order], minlength=count).astype(np.float64)
    return total


def _grouped(values: Array, group: IntArray, count: int) -> Array:
    rows = values.reshape(-1, len(group))
    return np.array([add_equal(row, group, count) for row in rows]).reshape(*values.shape[:-1], count)


def _keys(base: NDArray[Any], rows: IntArray) -> list[tuple[bytes, bytes]]:
    """Return what each row is sorted by: some of its numbers, and a digest of all of them where others agree."""
    width = base.shape[1]
    columns = np.unique(np.linspace(0, width - 1, min(width, _SAMPLED)).astype(np.int64))
    sample = [_ascending(base[row, columns]) for row in rows]
    if len(columns) == width:
        return [(key, b"") for key in sample]
    shared = Counter(sample)
    return [(key, _digest(base[row]) if shared[key] > 1 else b"") for key, row in zip(sample, rows, strict=True)]


def _ascending(values: NDArray[Any]) -> bytes:
    """Return bytes that are ordered as the numbers are, so that a tie goes to the row of lower numbers."""
    bits = np.ascontiguousarray(values, dtype=np.float64).view(np.int64)
    # The magnitude of negative numbers runs the other way, and negative bits come first.
    ordered = np.where(bits < 0, ~bits, bits ^ np.int64(-(2**63)))
    return ordered.astype(">i8").tobytes()


def _digest(row: NDArray[Any]) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for start in range(0, len(row), _PIECE):
        digest.update(np.ascontiguousarray(row[start : start + _PIECE]).view(np.uint8).data)
    return digest.digest()
