"""Distances of linear mixtures from what is known of the rows that they are mixed from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from toadstone.core.arrays import Array, IntArray

_LEAST = 1e-3
"""Share of its terms that a sum must keep to have nine digits."""
_ROUNDED = 64 * np.finfo(np.float64).eps


class Mixtures:
    """Mixtures as points, whose differences have weights that shared rows cancel from before anything is multiplied.

    Parameters
    ----------
    weights : ndarray of shape (k, u)
        Of u rows.
    apart : callable
        Returns the squared distances D of the u rows and the origin, the last: shape (u + 1, u + 1). A difference
        whose weights c sum to zero has the square ``-c D c / 2``, whatever offset the rows share.
    products : callable
        Returns the inner products of the u rows about the origin, asked for where weights do not sum to one: a
        row of 1e30 that was scaled down spoils only the former.
    exactly : callable
        Takes pairs, shape (p, 2), and returns their squared distances from the coordinates.
    """

    def __init__(
        self,
        weights: Array,
        apart: Callable[[], Array],
        products: Callable[[], Array],
        exactly: Callable[[IntArray], Array],
    ) -> None:
        rest = 1.0 - weights.sum(axis=1)
        # What rounding left of weights that sum to one would draw the origin in.
        rest[np.abs(rest) <= _ROUNDED] = 0.0
        self.weights, self.affine = np.column_stack([weights, rest]), not rest.any()
        self.apart, self.about_origin, self.exactly = apart, products, exactly

    def centre(self) -> int:
        """Return the mixture with the smallest median distance to the others, found in two steps.

        About the first mixture the others may have cancelled, but not those that are far from most.
        """
        middle = 0
        for _ in range(2):
            gram, _ = self.products(middle)
            squares = np.diagonal(gram)
            middle = int(np.argmin(np.median(np.add.outer(squares, squares) - 2.0 * gram, axis=1)))
        return middle

    def products(self, middle: int) -> tuple[Array, Array]:
        """Return the inner products about a mixture, and the sizes of the terms that they are sums of."""
        weights = self.weights - self.weights[middle]
        size = np.abs(weights)
        if self.affine:
            apart = self.apart()
            gram, scale = -0.5 * (weights @ apart @ weights.T), 0.5 * np.einsum("ij,ij->i", size @ apart, size)
        else:
            given = self.about_origin()
            gram = weights[:, :-1] @ given @ weights[:, :-1].T
            scale = np.square(size[:, :-1] @ np.sqrt(np.diagonal(given)))
        return (gram + gram.T) / 2.0, scale

    def pairs(self, pairs: IntArray) -> Array:
        """Return squared distances of pairs from the differences of their weights, or from the coordinates."""
        result, scale, apart = np.empty(len(pairs)), np.empty(len(pairs)), self.apart()
        for row in np.unique(pairs[:, 0]):
            here = np.flatnonzero(pairs[:, 0] == row)
            weights = self.weights[pairs[here, 1]] - self.weights[row]
            result[here] = -0.5 * np.einsum("ij,ij->i", weights @ apart, weights)
            size = np.abs(weights)
            scale[here] = 0.5 * np.einsum("ij,ij->i", size @ apart, size)
        lost = np.flatnonzero(~(result >= _LEAST * scale))
        if len(lost):
            result[lost] = self.exactly(pairs[lost])
        return result


def squared_distances_of(points: Mixtures) -> Array:
    """Return the squared distances of all pairs: from inner products, and anew wherever these have cancelled.

    Parameters
    ----------
    points : Mixtures

    Returns
    -------
    ndarray of shape (k, k)
    """
    products, scale = points.products(points.centre())
    squares = np.diagonal(products)
    with np.errstate(invalid="ignore", over="ignore"):
        result = np.add.outer(squares, squares) - 2.0 * products
        # Written so that what is not a number, from squares that overflow, counts as lost.
        lost = ~(result >= _LEAST * np.maximum.outer(scale, scale))
    np.fill_diagonal(result, 0.0)
    np.fill_diagonal(lost, val=False)
    pairs = np.argwhere(np.triu(lost))
    if len(pairs):
        result[pairs[:, 0], pairs[:, 1]] = result[pairs[:, 1], pairs[:, 0]] = points.pairs(pairs)
    return result
