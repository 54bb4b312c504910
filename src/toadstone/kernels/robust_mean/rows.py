"""Updates of clients as rows: read in blocks of coordinates, as given or as linear mixtures of what was given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from toadstone.core.arrays import Array, IntArray
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.kernels.robust_mean.order import Distinct, add_equal, distinct_rows
from toadstone.kernels.robust_mean.parallel import in_order, parts

_ENTRIES = 2**22
_WIDEST = 4096
_SPARSE = 4
"""Zeros for each other weight, less one, from which a product that skips them is faster."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Updates as rows, read in blocks of coordinates; optionally each a linear mixture of given rows.

    Parameters
    ----------
    base : ndarray of shape (m, d)
        Given rows, of any float dtype, all finite. A memory map is never copied whole. Its content must not change
        while these rows are in use: distances are computed once.
    mix : ndarray of shape (n, m), optional
        The rows are ``mix @ base``. By default they are `base` itself.
    among : ndarray of int of shape (m,), optional
        The rows of the base that enter, of more that are given; all by default.

    Raises
    ------
    InvalidData
        If the table is not two-dimensional, is empty, or does not hold floats.

    Examples
    --------
    >>> import numpy as np
    >>> rows = Rows(np.array([[0.0, 2.0], [4.0, 0.0]], dtype=np.float32)).mixed(np.array([[0.5, 0.5]]))
    >>> rows.shape
    (1, 2)
    >>> [block.tolist() for _, block in rows.blocks()]
    [[[2.0, 1.0]]]
    """

    base: NDArray[Any]
    mix: Array | None = None
    known: dict[str, Any] = field(default_factory=dict, repr=False)
    """What was computed from `base`; mixtures share it."""
    among: IntArray | None = None

    def __post_init__(self) -> None:
        if self.base.ndim != 2 or 0 in self.base.shape or self.base.dtype.kind != "f":
            got = f"{self.base.dtype} of shape {self.base.shape}"
            raise InvalidData(f"updates: expected floats of shape (n, d), at least one by one, got {got}")

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows, and of coordinates."""
        return (self.given if self.mix is None else len(self.mix)), self.base.shape[1]

    @property
    def given(self) -> int:
        """Number of the rows of the base that enter."""
        return len(self.base) if self.among is None else len(self.among)

    def chosen(self, rows: IntArray) -> Rows:
        """Return some of the rows, without a copy.

        Parameters
        ----------
        rows : ndarray of int of shape (k,)
            Their positions.

        Returns
        -------
        Rows
        """
        if self.mix is not None:
            return Rows(self.base, self.mix[rows], self.known, self.among)
        return Rows(self.base, among=rows if self.among is None else self.among[rows])

    def along(self, columns: IntArray) -> Rows:
        """Return the rows along some coordinates, which are copied.

        Parameters
        ----------
        columns : ndarray of int of shape (k,)

        Returns
        -------
        Rows
        """
        return Rows(np.ascontiguousarray(self.base[:, columns]), self.mix, among=self.among)

    def mixed(self, mix: Array) -> Rows:
        """Return linear mixtures of these rows.

        Parameters
        ----------
        mix : ndarray of shape (k, n)

        Returns
        -------
        Rows
            The k rows ``mix @ self``. No coordinate is read.

        Raises
        ------
        InvalidArgument
            If there is not a weight for each row.
        """
        mix, n = np.asarray(mix, dtype=np.float64), self.shape[0]
        if mix.ndim != 2 or mix.shape[1] != n:
            raise InvalidArgument("mix", f"weights of {n} rows, shape (k, {n})", f"shape {mix.shape}")
        if self.mix is None:
            return Rows(self.base, mix, self.known, self.among)
        base = distinct(self)
        weights, place = _distinct_mixtures(base, self.mix)
        # Weights of equal rows are added first, so that their order changes no digit.
        onto = np.array([add_equal(row, place, len(weights)) for row in mix]).reshape(len(mix), len(weights))
        composed = np.zeros((len(mix), self.given))
        composed[:, base.at] = _product(onto, weights)
        return Rows(self.base, composed, self.known, self.among)

    def blocks(self) -> Iterator[tuple[slice, Array]]:
        """Yield the rows in blocks of coordinates.

        Yields
        ------
        columns : slice
        block : ndarray of shape (n, width)
            Of float64, contiguous.
        """
        here = canonical(self)
        pieces = parts(self.shape[1], width_of(len(here.first)))
        yield from in_order(lambda columns: (columns, here.block(self.base, columns)[here.place]), pieces)


@dataclass(frozen=True, eq=False)
class Canonical:
    """Rows in an order that depends on their content, each distinct one once.

    Attributes
    ----------
    first : ndarray of int of shape (u,)
        The distinct rows of the base that they are mixed from.
    weights : ndarray of shape (k, u) or None
        The k distinct rows as mixtures of these; None if they are these.
    place : ndarray of int of shape (n,)
        The distinct row that each row is.
    """

    first: IntArray
    weights: Array | None
    place: IntArray

    def block(self, base: NDArray[Any], columns: slice) -> Array:
        """Return some coordinates of the distinct rows: read-only float64 of shape (k, width)."""
        source, start = contiguous(base, columns)
        block = np.empty((len(self.first), columns.stop - columns.start))
        centre(source, self.first, -1, start, block)
        if self.weights is not None:
            sparse = _SPARSE * np.count_nonzero(self.weights) <= self.weights.size
            block = _product(self.weights, block) if sparse else self.weights @ block
        # Compiled loops are compiled once for tables that they may not change.
        block.flags.writeable = False
        return block

    def single_rows(self) -> tuple[IntArray, Array] | None:
        """Return the row of the base that each row is a share of, and the share; None where some row mixes several."""
        if self.weights is None or (np.count_nonzero(self.weights, axis=1) > 1).any():
            return None
        largest = np.argmax(np.abs(self.weights), axis=1)
        share = self.weights[np.arange(len(largest)), largest]
        return self.first[largest[self.place]], share[self.place]

    def read(self, base: NDArray[Any], columns: slice) -> tuple[NDArray[Any], IntArray, int]:
        """Return a table, the rows in it that are the distinct ones, and where in it these coordinates begin."""
        if self.weights is not None:
            return self.block(base, columns), np.arange(len(self.weights)), 0
        source, start = contiguous(base, columns)
        return source, self.first, start


def distinct(rows: Rows) -> Distinct:
    """Return the distinct rows of the base, which are found once."""
    found: Distinct | None = rows.known.get("distinct")
    if found is None:
        found = rows.known["distinct"] = distinct_rows(rows.base, rows.among)
    return found


def canonical(rows: Rows) -> Canonical:
    """Return the distinct rows in canonical order."""
    base = distinct(rows)
    if rows.mix is None:
        return Canonical(base.first, None, base.group)
    return Canonical(base.first, *_distinct_mixtures(base, rows.mix))


def width_of(count: int) -> int:
    """Return the coordinates in a tile of `count` rows, which depends on nothing else: sums are taken tile by tile."""
    return max(256, min(_WIDEST, _ENTRIES // count))


def readable(base: NDArray[Any]) -> bool:
    """Return whether compiled loops read a table as it is."""
    return base.dtype in (np.float32, np.float64) and base.flags.c_contiguous and base.dtype.isnative


def contiguous(base: NDArray[Any], columns: slice) -> tuple[NDArray[Any], int]:
    """Return a table of float32 or float64 in C order, and where in it these coordinates begin.

    It is `base` itself where that will do, without a copy.
    """
    if readable(base):
        source, start = base.view(np.ndarray), columns.start
    else:
        # Half precision is a part of single precision, and longer floats are rounded.
        kind = np.float32 if base.dtype.itemsize <= 4 else np.float64
        source, start = np.ascontiguousarray(base[:, columns], dtype=kind).view(), 0
    source.flags.writeable = False
    return source, start


@njit(cache=True, nogil=True)
def centre(source, rows, reference, start, block):  # type: ignore[no-untyped-def]
    """Write the chosen rows less a reference row into `block`; -1 stands for the origin, as a row and as reference."""
    width = block.shape[1]
    for k in range(len(rows)):
        row, out = rows[k], block[k]
        if row < 0:
            out[:] = 0.0
        else:
            values = source[row, start : start + width]
            for j in range(width):
                out[j] = values[j]
        if reference >= 0:
            shift = source[reference, start : start + width]
            for j in range(width):
                out[j] -= np.float64(shift[j])


def _distinct_mixtures(base: Distinct, mix: Array) -> tuple[Array, IntArray]:
    """Return the distinct rows of weights of the distinct given rows, and which of them each mixture is."""
    # Zeros of both signs are the same weight.
    weights, place = np.unique(base.total(mix) + 0.0, axis=0, return_inverse=True)
    return weights, place.reshape(-1).astype(np.int64)


def _product(left: Array, right: Array) -> Array:
    """Return ``left @ right``, each entry summed in the order of the rows of `right`, wherever it stands."""
    out = np.zeros((left.shape[0], right.shape[1]))
    _add_products(left, right, out)
    return out


@njit(cache=True, nogil=True)
def _add_products(left, right, out):  # type: ignore[no-untyped-def]
    for i in range(left.shape[0]):
        result = out[i]
        for k in range(left.shape[1]):
            weight = left[i, k]
            if weight != 0.0:
                row = right[k]
                for j in range(right.shape[1]):
                    result[j] += weight * row[j]
