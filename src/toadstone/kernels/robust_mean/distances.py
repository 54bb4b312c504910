"""Squared distances, inner products and linear combinations of long rows, in tiles of coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from toadstone.core.arrays import Array, IntArray
from toadstone.kernels.robust_mean.cancellation import Products, squared_distances_of
from toadstone.kernels.robust_mean.mixtures import LEAST, Mixtures
from toadstone.kernels.robust_mean.order import add_equal
from toadstone.kernels.robust_mean.parallel import in_order, one_blas_thread, parts
from toadstone.kernels.robust_mean.rows import Canonical, Rows, canonical, centre, contiguous, distinct, width_of

_TOGETHER = 8
"""Tiles in a part: few partial sums to keep, and enough parts for several threads."""
_SAMPLES = 8
_SAMPLED = 128
_SMALL = 2**21
"""Coordinates of pairs, up to which every pair is computed from its difference."""
_LEAST = 1.0 / 256
"""Squared distance, relative to the squared lengths it is the difference of, that keeps nine digits at worst."""


def squared_distances(rows: Rows) -> Array:
    """Return the squared distances between all rows.

    Parameters
    ----------
    rows : Rows
        n rows of d coordinates.

    Returns
    -------
    ndarray of shape (n, n)
        Symmetric, with a zero diagonal. The relative error is below 1e-9, also where the rows share an offset that
        is much larger than their distances, and beside rows of 1e30.

    Notes
    -----
    One pass over the coordinates and n² d / 2 multiplications, about a row among the others. Rows that lie closely
    together far from it are measured again, see `cancellation`: malicious rows can cost time, not digits.

    Examples
    --------
    >>> import numpy as np
    >>> squared_distances(Rows(np.array([[0.0, 0.0], [3.0, 4.0]]))).tolist()
    [[0.0, 25.0], [25.0, 0.0]]
    """
    here = canonical(rows)
    if here.weights is None:
        return _spread(_base_distances(rows)[:-1, :-1], here.place)
    points = Mixtures(
        here.weights,
        lambda: _base_distances(rows),
        lambda: _base_products(rows),
        lambda pairs: _pairs(rows.base, here, pairs),
    )
    with one_blas_thread():
        return _spread(squared_distances_of(points, len(here.weights), least=LEAST), here.place)


def squared_norms(rows: Rows) -> Array:
    """Return the squared length of each row, shape (n,), from the same pass as the distances."""
    if rows.mix is None:
        return np.ascontiguousarray(_base_distances(rows)[-1, canonical(rows).place])
    return np.ascontiguousarray(np.diagonal(inner_products(rows)))


def inner_products(rows: Rows) -> Array:
    """Return the inner products of all rows about the origin.

    Parameters
    ----------
    rows : Rows

    Returns
    -------
    ndarray of shape (n, n)
        Symmetric; squared lengths on its diagonal. The error of an entry is below 1e-12 times the lengths of its
        two rows, those of what they are mixed from where they are mixtures.

    Examples
    --------
    >>> import numpy as np
    >>> inner_products(Rows(np.array([[1.0, 2.0], [3.0, 4.0]]))).tolist()
    [[5.0, 11.0], [11.0, 25.0]]
    """
    here, products = canonical(rows), _base_products(rows)
    if here.weights is not None:
        with one_blas_thread():
            products = here.weights @ products @ here.weights.T
        products = (products + products.T) / 2.0
    return _spread(products, here.place)


def distances_to(rows: Rows, point: Array) -> Array:
    """Return the distance of each row to a point.

    Parameters
    ----------
    rows : Rows
    point : ndarray of shape (d,)

    Returns
    -------
    ndarray of shape (n,)
        Euclidean distances, not squared.

    Examples
    --------
    >>> import numpy as np
    >>> distances_to(Rows(np.array([[3.0, 4.0], [0.0, 0.0]])), np.zeros(2)).tolist()
    [5.0, 0.0]
    """
    here, base = canonical(rows), rows.base
    point = np.asarray(point, dtype=np.float64)

    def part(columns: slice) -> Array:
        block = here.block(base, columns)
        found = np.empty(len(block))
        _squares(block, point[columns], found)
        return found

    total = np.zeros(len(here.first) if here.weights is None else len(here.weights))
    for found in in_order(part, parts(rows.shape[1], width_of(len(here.first)))):
        total += found
    return np.ascontiguousarray(np.sqrt(total)[here.place])


def inner_with(rows: Rows, vector: Array) -> Array:
    """Return the inner product of each row with a vector.

    Parameters
    ----------
    rows : Rows
    vector : ndarray of shape (d,)

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> inner_with(Rows(np.array([[3.0, 4.0], [0.0, 1.0]])), np.array([1.0, 2.0])).tolist()
    [11.0, 2.0]
    """
    here, base = canonical(rows), rows.base
    vector = np.asarray(vector, dtype=np.float64)

    def part(columns: slice) -> Array:
        block = here.block(base, columns)
        found = np.empty(len(block))
        _inner(block, vector[columns], found)
        return found

    total = np.zeros(_count(here))
    for found in in_order(part, parts(rows.shape[1], width_of(len(here.first)))):
        total += found
    return np.ascontiguousarray(total[here.place])


def central_products(rows: Rows) -> tuple[Array, Array]:
    """Return the inner products of all rows about one that lies among the others.

    Parameters
    ----------
    rows : Rows

    Returns
    -------
    products : ndarray of shape (n, n)
    lengths : ndarray of shape (n,)
        The error of a product goes by the lengths of its two rows, so that a row at 1e30 costs the others no digit:
        their distances from the central row, or, of mixtures, of what they are mixed from.

    Examples
    --------
    >>> import numpy as np
    >>> products, lengths = central_products(Rows(np.array([[0.0], [1.0], [3.0]])))
    >>> products.tolist(), lengths.tolist()
    ([[1.0, 0.0, -2.0], [0.0, 0.0, 0.0], [-2.0, 0.0, 4.0]], [1.0, 0.0, 2.0])
    """
    here, gram = canonical(rows), _base_central(rows)
    if here.weights is None:
        products = np.ascontiguousarray(gram[:-1, :-1])
        lengths = np.sqrt(np.diagonal(products))
    else:
        rest = 1.0 - here.weights.sum(axis=1)
        weights = np.column_stack([here.weights, rest])
        with one_blas_thread():
            products = weights @ gram @ weights.T
            squares = np.diagonal(products)
            middle = np.argmin(np.median(np.add.outer(squares, squares) - 2.0 * products, axis=1))
            weights = weights - weights[middle]
            products = weights @ gram @ weights.T
            lengths = np.abs(weights) @ np.sqrt(np.diagonal(gram))
        products = (products + products.T) / 2.0
    return _spread(products, here.place), np.ascontiguousarray(lengths[here.place])


def combine(rows: Rows, coefficients: Array) -> Array:
    """Return a linear combination of the rows.

    Parameters
    ----------
    rows : Rows
    coefficients : ndarray of shape (n,)
        Rows whose coefficient is zero are not read.

    Returns
    -------
    ndarray of shape (d,)
        ``coefficients @ rows``, summed in float64.

    Examples
    --------
    >>> import numpy as np
    >>> combine(Rows(np.array([[1.0, 2.0], [3.0, 4.0]])), np.array([0.5, 0.5])).tolist()
    [2.0, 3.0]
    """
    here, base = canonical(rows), rows.base
    share = add_equal(np.asarray(coefficients, dtype=np.float64), here.place, _count(here))
    if here.weights is not None:
        # One sum after another, so that the order of the clients changes no digit.
        share = np.add.reduce(share[:, None] * here.weights, axis=0)
    used = np.flatnonzero(share)
    members, share = here.first[used], share[used]
    result = np.zeros(rows.shape[1])

    def part(columns: slice) -> None:
        source, start = contiguous(base, columns)
        _add_rows(source, members, share, start, result[columns])

    for _ in in_order(part, parts(rows.shape[1], _TOGETHER * width_of(1))):
        pass
    return result


def _count(here: Canonical) -> int:
    return len(here.first) if here.weights is None else len(here.weights)


def _spread(values: Array, place: IntArray) -> Array:
    """Give each row the values of the distinct row that it is."""
    return np.ascontiguousarray(values[np.ix_(place, place)])


def _base_distances(rows: Rows) -> Array:
    """Return the squared distances of the distinct given rows and the origin, which is the last; found once."""
    apart: Array | None = rows.known.get("distances")
    if apart is None:
        given = _Given(rows.base, np.append(distinct(rows).first, -1))
        count = len(given.rows)
        if count * count * rows.shape[1] <= _SMALL:
            apart = np.zeros((count, count))
            above = np.stack(np.triu_indices(count, 1), axis=1)
            apart[above[:, 0], above[:, 1]] = apart[above[:, 1], above[:, 0]] = given.pairs(above)
        else:
            apart = squared_distances_of(given, count, least=_LEAST)
            rows.known["central"] = given.whole
        rows.known["distances"] = apart
    return apart


def _base_central(rows: Rows) -> Array:
    """Return the inner products of the distinct given rows, and the origin, about one of them; found once."""
    products: Array | None = rows.known.get("central")
    if products is None:
        given = _Given(rows.base, np.append(distinct(rows).first, -1))
        everything = np.arange(len(given.rows))
        products = given.products([(everything, given.centre(everything))])[0].gram
        rows.known["central"] = products
    return products


def _base_products(rows: Rows) -> Array:
    """Return the inner products of the distinct given rows about the origin; found once."""
    products: Array | None = rows.known.get("products")
    if products is None:
        first = distinct(rows).first
        products = rows.known["products"] = _Given(rows.base, first).products([(np.arange(len(first)), -1)])[0].gram
    return products


class _Given:
    """Rows of a table as points; row -1 is the origin."""

    def __init__(self, base: NDArray[Any], rows: IntArray) -> None:
        self.base, self.rows = base, rows
        self.whole: Array | None = None
        """The products of all of them about their centre, once they were asked for."""

    def centre(self, members: IntArray) -> int:
        """Return the member nearest to the median of some coordinates, leaving the origin out."""
        members = members[self.rows[members] >= 0] if (self.rows[members] >= 0).any() else members
        width = self.base.shape[1]
        starts = np.unique(np.linspace(0, max(width - _SAMPLED, 0), _SAMPLES).astype(np.int64))
        columns = np.unique((starts[:, None] + np.arange(_SAMPLED)).reshape(-1))
        chosen = self.rows[members]
        sample = self.base[np.ix_(chosen, columns[columns < width])].astype(np.float64)
        with np.errstate(over="ignore"):
            far = np.square(sample - np.median(sample, axis=0)).sum(axis=1)
        return int(members[np.argmin(far)])

    def products(self, clusters: list[tuple[IntArray, int]]) -> list[Products]:
        """Sum the inner products of each cluster about its centre over all tiles."""
        groups = [(self.rows[members], -1 if middle < 0 else self.rows[middle]) for members, middle in clusters]
        width = width_of(max(len(members) for members, _ in groups))
        totals = [np.zeros((len(members), len(members))) for members, _ in groups]

        def part(columns: slice) -> list[Array]:
            source, start = contiguous(self.base, columns)
            return [_gram(source, members, middle, start, columns, width) for members, middle in groups]

        for found in in_order(part, parts(self.base.shape[1], _TOGETHER * width)):
            for total, gram in zip(totals, found, strict=True):
                total += gram
        if len(clusters) == 1 and len(groups[0][0]) == len(self.rows) and self.whole is None:
            self.whole = totals[0].copy()
        return [Products(total, np.ascontiguousarray(np.diagonal(total))) for total in totals]

    def pairs(self, pairs: IntArray) -> Array:
        """Sum the squared differences of pairs of rows over all tiles."""
        members, among = np.unique(pairs, return_inverse=True)
        chosen, among = self.rows[members], among.reshape(pairs.shape)

        def block_of(columns: slice) -> Array:
            source, start = contiguous(self.base, columns)
            block = np.empty((len(chosen), columns.stop - columns.start))
            centre(source, chosen, -1, start, block)
            return block

        return _differences(block_of, among, self.base.shape[1], width_of(4 * len(chosen)))


def _gram(source: NDArray[Any], members: IntArray, middle: int, start: int, columns: slice, width: int) -> Array:
    """Add up the products of the tiles of one part."""
    total = np.zeros((len(members), len(members)))
    for piece in parts(columns.stop - columns.start, width):
        block = np.empty((len(members), piece.stop - piece.start))
        centre(source, members, middle, start + piece.start, block)
        total += block @ block.T
    return total


def _pairs(base: NDArray[Any], here: Canonical, pairs: IntArray) -> Array:
    """Return squared distances of pairs of mixtures from the coordinates of the mixtures."""
    return _differences(lambda columns: here.block(base, columns), pairs, base.shape[1], width_of(len(here.first)))


def _differences(block_of: Any, pairs: IntArray, length: int, width: int) -> Array:
    total = np.zeros(len(pairs))

    def part(columns: slice) -> Array:
        found = np.zeros(len(pairs))
        _add_pairs(block_of(columns), pairs, found)
        return found

    for found in in_order(part, parts(length, width)):
        total += found
    return total


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _add_pairs(block: Array, pairs: IntArray, found: Array) -> None:
    for p in range(len(pairs)):
        left, right, total = block[pairs[p, 0]], block[pairs[p, 1]], 0.0
        for j in range(block.shape[1]):
            total += (left[j] - right[j]) * (left[j] - right[j])
        found[p] += total


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _squares(block: Array, point: Array, found: Array) -> None:
    for i in range(block.shape[0]):
        row, total = block[i], 0.0
        for j in range(block.shape[1]):
            total += (row[j] - point[j]) * (row[j] - point[j])
        found[i] = total


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _inner(block: Array, vector: Array, found: Array) -> None:
    for i in range(block.shape[0]):
        row, total = block[i], 0.0
        for j in range(block.shape[1]):
            total += row[j] * vector[j]
        found[i] = total


@njit(cache=True, nogil=True)
def _add_rows(source, members, share, start, result):  # type: ignore[no-untyped-def]
    width = len(result)
    for first in range(0, width, 2048):
        last = min(first + 2048, width)
        out = result[first:last]
        for k in range(len(members)):
            values, weight = source[members[k], start + first : start + last], share[k]
            for j in range(last - first):
                out[j] += weight * values[j]
