"""Updates as rules see them: rows ordered by content, their distances, norms and mixtures, found when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toadstone.core.arrays import Array, IntArray
from toadstone.kernels.robust_mean.distances import (
    central_products,
    combine,
    distances_to,
    inner_products,
    inner_with,
    squared_distances,
    squared_norms,
)
from toadstone.kernels.robust_mean.geometric_median import products_from
from toadstone.kernels.robust_mean.rows import Rows, canonical


@dataclass(frozen=True, eq=False)
class Geometry:
    """Rows, and what the rules need to know of them.

    All arrays follow `order`, so that a sum or a tie does not depend on the
    order in which clients came.

    Parameters
    ----------
    rows : Rows
    order : ndarray of int, shape (n,)
        Positions of the rows by content.
    """

    rows: Rows
    order: IntArray

    @classmethod
    def of(cls, rows: Rows) -> Geometry:
        """Return the geometry of rows in their canonical order."""
        return cls(rows, np.argsort(canonical(rows).place, kind="stable"))

    @property
    def count(self) -> int:
        """Number of rows."""
        return self.rows.shape[0]

    @cached_property
    def squared(self) -> Array:
        """Squared distances, shape (n, n)."""
        return self._both(squared_distances(self.rows))

    @cached_property
    def products(self) -> Array:
        """Inner products about the origin, shape (n, n)."""
        return self._both(inner_products(self.rows))

    @cached_property
    def central(self) -> tuple[Array, Array]:
        """Inner products about a row in the midst of the others, and by what their errors go, both of shape (n, n)."""
        found = products_from(self.squared)
        if found is not None:
            return found
        # A pass of its own: beside rows this far the distances have lost what the near ones need.
        products, lengths = central_products(self.rows)
        return self._both(products), np.outer(lengths[self.order], lengths[self.order])

    @cached_property
    def norms(self) -> Array:
        """Norms, shape (n,)."""
        if self.rows.mix is None:
            # A pass over the coordinates, where the distances would need one for each row.
            return self.distances_to(np.zeros(self.rows.shape[1]))
        return np.sqrt(np.maximum(squared_norms(self.rows), 0.0))[self.order]

    def distances_to(self, point: Array) -> Array:
        """Return the distances to a point, shape (n,)."""
        return distances_to(self.rows, point)[self.order]

    def inner_with(self, point: Array) -> Array:
        """Return the inner products with a vector, shape (n,)."""
        return inner_with(self.rows, point)[self.order]

    def combine(self, coefficients: Array) -> Array:
        """Return the linear combination of the rows, shape (d,)."""
        return combine(self.rows, self.placed(coefficients))

    def mixed(self, weights: Array) -> Geometry:
        """Return the geometry of mixtures of the rows, whose weights are the rows of a matrix (m, n)."""
        onto = np.empty_like(weights)
        onto[:, self.order] = weights
        return Geometry(self.rows.mixed(onto), np.arange(len(weights)))

    def chosen(self, rows: IntArray) -> Rows:
        """Return some of the rows."""
        return self.rows.chosen(self.order[rows])

    def squared_along(self, columns: IntArray) -> Array:
        """Return the squared distances along some coordinates, shape (n, n)."""
        return self._both(squared_distances(self.rows.along(columns)))

    def placed(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values of the rows in the order in which these came."""
        result = np.empty_like(values)
        result[self.order] = values
        return result

    def _both(self, matrix: Array) -> Array:
        return np.ascontiguousarray(matrix[np.ix_(self.order, self.order)])
