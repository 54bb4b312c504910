"""The vote of nearest neighbours as weights of the training rows."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import Matrix
from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.label_response.responses import Weights
from toadstone.kernels.neighbours.search import index_rows, nearest_codes


class NeighbourResponse:
    """The vote of the k nearest training rows: weight one for each of them.

    Rows at equal Euclidean distance are ordered by their values, and equal
    rows by their positions, in an order that no label decides.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    n_neighbors : int
        At most n.

    Examples
    --------
    >>> NeighbourResponse(np.array([[0.0], [1.0], [5.0]]), n_neighbors=2).weights(np.array([[4.0]])).alpha
    array([[0., 1., 1.]])
    """

    def __init__(self, X: Matrix, *, n_neighbors: int) -> None:
        check_count(n_neighbors=n_neighbors)
        if n_neighbors > X.shape[0]:
            raise InvalidArgument("n_neighbors", f"at most the {X.shape[0]} training rows", n_neighbors)
        self.n_neighbors, self.n_rows = n_neighbors, X.shape[0]
        self.index = index_rows(X, np.arange(X.shape[0]), X.shape[1])

    def weights(self, queries: Matrix) -> Weights:
        """Compute the weights of the training rows for each query, as `Weights`."""
        nearest = nearest_codes(self.index, queries, self.n_neighbors)
        alpha = np.zeros((len(nearest), self.n_rows))
        np.put_along_axis(alpha, nearest, 1.0, axis=1)
        return Weights(alpha, np.zeros(len(alpha)))
