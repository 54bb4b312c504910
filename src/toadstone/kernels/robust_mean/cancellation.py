"""Squared distances from inner products, and anew wherever the subtraction has cancelled."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from toadstone.core.arrays import Array, IntArray

_FEW = 2
"""Pairs for each point, up to which they are computed one by one at once."""


class Products(NamedTuple):
    """Inner products of points about one of them, and how large the terms were that they were summed from.

    Attributes
    ----------
    gram : ndarray of shape (k, k)
    scale : ndarray of shape (k,)
        The error of a squared distance is that of arithmetic times the scales of its two points.
    """

    gram: Array
    scale: Array


class Points(Protocol):
    """Points whose inner products about one of them can be computed, and single differences."""

    def centre(self, members: IntArray) -> int:
        """Return a member that lies among the others, where it can."""

    def products(self, clusters: list[tuple[IntArray, int]]) -> list[Products]:
        """Return the inner products of each cluster of points about its centre."""

    def pairs(self, pairs: IntArray) -> Array:
        """Return the squared distances of pairs, shape (p, 2), from their differences."""


def squared_distances_of(points: Points, count: int, *, least: float) -> Array:
    """Return the squared distances of all pairs.

    Parameters
    ----------
    points : Points
    count : int
    least : float
        A squared distance below this share of its points' scales has lost too many digits, and is computed anew.

    Returns
    -------
    ndarray of shape (count, count)

    Notes
    -----
    Points that are near each other, seen from the centre, form clusters. Each cluster is measured again about a
    centre of its own; together that costs no more than the first time. What has cancelled again, as in clusters
    within clusters, is computed pair by pair.
    """
    everything = np.arange(count)
    result = np.zeros((count, count))
    lost = _measure(points, [(everything, points.centre(everything))], result, least)
    if len(lost) > _FEW * count:
        lost = _measure(points, _clusters(points, lost, count), result, least, of=lost)
    if len(lost):
        values = points.pairs(lost)
        result[lost[:, 0], lost[:, 1]] = values
        result[lost[:, 1], lost[:, 0]] = values
    return result


def _measure(
    points: Points, clusters: list[tuple[IntArray, int]], result: Array, least: float, *, of: IntArray | None = None
) -> IntArray:
    """Write the distances within clusters, of all pairs or of some; return the pairs that have cancelled."""
    wanted = np.ones(result.shape, dtype=bool) if of is None else np.zeros(result.shape, dtype=bool)
    if of is not None:
        wanted[of[:, 0], of[:, 1]] = wanted[of[:, 1], of[:, 0]] = True
    lost = []
    for (members, _), found in zip(clusters, points.products(clusters), strict=True):
        here = np.ix_(members, members)
        squares, far = np.diagonal(found.gram), np.maximum.outer(found.scale, found.scale)
        with np.errstate(invalid="ignore", over="ignore"):
            values = np.add.outer(squares, squares) - 2.0 * found.gram
            # Written so that what is not a number, from squares that overflow, counts as lost.
            bad = ~(values >= least * far) & wanted[here]
        np.fill_diagonal(values, 0.0)
        np.fill_diagonal(bad, val=False)
        result[here] = np.where(wanted[here], values, result[here])
        rows, columns = np.nonzero(np.triu(bad))
        lost.append(np.stack([members[rows], members[columns]], axis=1))
    return np.concatenate(lost)


def _clusters(points: Points, pairs: IntArray, count: int) -> list[tuple[IntArray, int]]:
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    number, labels = connected_components(graph, directed=False)
    members = [np.flatnonzero(labels == label) for label in range(number)]
    return [(cluster, points.centre(cluster)) for cluster in members if len(cluster) > 1]
