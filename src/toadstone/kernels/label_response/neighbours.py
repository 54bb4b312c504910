"""The vote of nearest neighbours as weights of the training rows."""

from __future__ import annotations

import numpy as np
from sklearn.utils.extmath import row_norms

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.label_response.responses import Weights


class NeighbourResponse:
    """The vote of the k nearest training rows: weight one for each of them.

    Among rows equally far away, those that come first are nearer. Distances
    are Euclidean, as computed.

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
        self.rows, self.n_neighbors, self.n_rows = X, n_neighbors, X.shape[0]
        self.squares: Array = np.asarray(row_norms(X, squared=True))

    def weights(self, queries: Matrix) -> Weights:
        """Compute the weights of the training rows for each query, as `Weights`."""
        products = queries @ self.rows.T
        # The query's own length changes no order.
        distances = self.squares - 2 * np.asarray(products.toarray() if hasattr(products, "toarray") else products)
        alpha = np.zeros(distances.shape)
        for weights, far in zip(alpha, distances, strict=True):
            weights[_nearest(far, self.n_neighbors)] = 1.0
        return Weights(alpha, np.zeros(len(alpha)))


def _nearest(distances: Array, k: int) -> IntArray:
    """Return the positions of the k smallest, the first among equals."""
    last = np.partition(distances, k - 1)[k - 1]
    nearer = np.flatnonzero(distances < last)
    return np.concatenate([nearer, np.flatnonzero(distances == last)[: k - len(nearer)]])
