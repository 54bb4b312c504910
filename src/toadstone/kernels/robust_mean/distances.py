"""Squared distances, inner products and linear combinations of long rows, in tiles of coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from toadstone.core.arrays import Array, IntArray
from toadstone.kernels.robust_mean.mixtures import Mixtures, squared_distances_of
from toadstone.kernels.robust_mean.order import add_equal
from toadstone.kernels.robust_mean.pairwise import (
    central_row,
    differences_of_pairs,
    products_about,
    squared_differences,
)
from toadstone.kernels.robust_mean.parallel import in_order, one_blas_thread, parts
from toadstone.kernels.robust_mean.rows import Canonical, Rows, canonical, contiguous, distinct, readable, width_of

_NEAR = 16384
"""Coordinates of a sum of rows that stay in a near cache."""
_LONG = 8 * _NEAR


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
    One pass over the coordinates of given rows, whose differences are squared and added; n² d / 2 of them. Mixtures
    need no other pass, but for pairs whose difference is hardly one, seen from what they are mixed from.

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
        lambda pairs: differences_of_pairs(lambda part: here.block(rows.base, part), pairs, rows.shape[1]),
    )
    with one_blas_thread():
        return _spread(squared_distances_of(points), here.place)


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
        found = np.empty(_count(here))
        _squares_of_rows(*here.read(base, columns), point[columns], found)
        return found

    total = np.zeros(_count(here))
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
        found = np.empty(_count(here))
        _inner_of_rows(*here.read(base, columns), vector[columns], found)
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
        ``coefficients @ rows``, summed in float64; read-only where all coefficients are one.

    Examples
    --------
    >>> import numpy as np
    >>> combine(Rows(np.array([[1.0, 2.0], [3.0, 4.0]])), np.array([0.5, 0.5])).tolist()
    [2.0, 3.0]
    """
    here = canonical(rows)
    coefficients = np.asarray(coefficients, dtype=np.float64)
    if rows.mix is None and (coefficients == 1.0).all():
        return total(rows)
    share = add_equal(coefficients, here.place, _count(here))
    if here.weights is not None:
        # One sum after another, so that the order of the clients changes no digit.
        share = np.add.reduce(share[:, None] * here.weights, axis=0)
    return _combined(rows.base, here.first, share)


def total(rows: Rows) -> Array:
    """Return the sum of the given rows, of which these may be mixtures; found once.

    Parameters
    ----------
    rows : Rows

    Returns
    -------
    ndarray of shape (d,)
        Not finite wherever one of the values is not; read-only.

    Examples
    --------
    >>> import numpy as np
    >>> total(Rows(np.array([[1.0, np.inf], [3.0, -np.inf]]))).tolist()
    [4.0, nan]
    """
    found: Array | None = rows.known.get("total")
    if found is None:
        here = distinct(rows)
        found = _combined(rows.base, here.first, np.bincount(here.group).astype(np.float64))
        found.flags.writeable = False
        rows.known["total"] = found
    return found


def _combined(base: NDArray[Any], members: IntArray, share: Array) -> Array:
    """Add up shares of rows."""
    used = np.flatnonzero(share)
    members, share = members[used], share[used]
    result = np.zeros(base.shape[1])

    def part(columns: slice) -> None:
        source, start = contiguous(base, columns)
        _add_rows(source, members, share, start, result[columns])

    for _ in in_order(part, parts(base.shape[1], _LONG if readable(base) else _NEAR)):
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
        apart = rows.known["distances"] = squared_differences(rows.base, np.append(distinct(rows).first, -1))
    return apart


def _base_central(rows: Rows) -> Array:
    """Return the inner products of the distinct given rows, and the origin, about one of them; found once."""
    products: Array | None = rows.known.get("central")
    if products is None:
        every = np.append(distinct(rows).first, -1)
        middle = int(every[central_row(rows.base, every)])
        products = rows.known["central"] = products_about(rows.base, every, middle)
    return products


def _base_products(rows: Rows) -> Array:
    """Return the inner products of the distinct given rows about the origin; found once."""
    products: Array | None = rows.known.get("products")
    if products is None:
        products = rows.known["products"] = products_about(rows.base, distinct(rows).first, -1)
    return products


@njit(cache=True, nogil=True)
def _add_rows(source, members, share, start, result):  # type: ignore[no-untyped-def]
    """Add shares of rows to `result`, one row after the other at each coordinate, four for each time it is read."""
    count, length = len(members), len(result)
    for first in range(0, length, _NEAR):
        out = result[first : first + _NEAR]
        low, high = start + first, start + min(first + _NEAR, length)
        for k in range(0, count - 3, 4):
            a, b = source[members[k], low:high], source[members[k + 1], low:high]
            c, d = source[members[k + 2], low:high], source[members[k + 3], low:high]
            p, q, r, s = share[k], share[k + 1], share[k + 2], share[k + 3]
            for j in range(len(out)):
                out[j] = (((out[j] + p * a[j]) + q * b[j]) + r * c[j]) + s * d[j]
        for k in range(count - count % 4, count):
            a = source[members[k], low:high]
            for j in range(len(out)):
                out[j] += share[k] * a[j]


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _squares_of_rows(source, members, start, point, found):  # type: ignore[no-untyped-def]
    for i in range(len(members)):
        row, total = source[members[i], start : start + len(point)], 0.0
        for j in range(len(point)):
            total += (row[j] - point[j]) * (row[j] - point[j])
        found[i] = total


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _inner_of_rows(source, members, start, vector, found):  # type: ignore[no-untyped-def]
    for i in range(len(members)):
        row, total = source[members[i], start : start + len(vector)], 0.0
        for j in range(len(vector)):
            total += row[j] * vector[j]
        found[i] = total
