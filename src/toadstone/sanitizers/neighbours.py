"""Remove the rows that lie far from their nearest neighbours."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar, Literal

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.neighbors import NearestNeighbors
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.extmath import row_norms

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.errors import InvalidData
from toadstone.sanitizers.scored import ClassScorer
from toadstone.sanitizers.trimming import Trimming

_CANCELLATION = 1e-5
_PAIRS_AT_ONCE = 4096
_MEGABYTES = 128


class NeighboursSanitizer(Trimming, ClassScorer, OutlierMixin, BaseEstimator):
    """Score rows by the distance to their nearest training rows of any class.

    The k-NN defence of Koh, Steinhardt and Liang [1]_. A row that coincides
    with a training row is taken to be that row, so that training rows score
    the same in `fit` and afterwards. Attributes that all sanitizers have are
    those of `Trimming`.

    Parameters
    ----------
    contamination : float, default=0.05
        Share of each class to remove, in (0, 0.5].
    n_neighbors : int, default=5
    variant : {"paper", "reference"}, default="paper"
        The distance to the k-th neighbour, the row itself not counted; or, as
        in the authors' code, the sum of the k smallest distances, the row
        itself counted at distance zero.

    Attributes
    ----------
    suspicion_ : ndarray of shape (n,)
        Distance, or sum of distances, of each training row.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022, section 2.2.

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [2.0], [9.0]])
    >>> NeighboursSanitizer(n_neighbors=2).fit(X).suspicion_
    array([2., 1., 2., 8.])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Trimming._parameter_constraints,
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "variant": [StrOptions({"paper", "reference"})],
    }
    _measure: ClassVar[str] = "distance to the nearest rows"

    def __init__(
        self,
        *,
        contamination: float = 0.05,
        n_neighbors: int = 5,
        variant: Literal["paper", "reference"] = "paper",
    ) -> None:
        self.contamination = contamination
        self.n_neighbors = n_neighbors
        self.variant = variant

    def _learn(self, X: Matrix, codes: IntArray) -> None:
        if X.shape[0] <= self.n_neighbors:
            raise InvalidData(
                f"rows: expected more than {self.n_neighbors} for {self.n_neighbors} neighbours, "
                f"got n_samples = {X.shape[0]}"
            )
        self._index = NearestNeighbors(n_neighbors=self.n_neighbors + 1, algorithm="brute").fit(X)
        self._rows = X

    def _class_suspicions(self, X: Matrix) -> Array:
        with config_context(working_memory=_MEGABYTES):
            distances, neighbours = self._index.kneighbors(X)
        distances = np.sort(self._exactly(X, distances, neighbours), axis=1)
        if self.variant == "reference":
            anomalies = distances[:, : self.n_neighbors].sum(axis=1)
        else:
            coincides = distances[:, 0] == 0
            anomalies = np.where(coincides, distances[:, -1], distances[:, -2])
        return np.broadcast_to(anomalies[:, None], (len(anomalies), len(self.classes_)))

    def _exactly(self, X: Matrix, distances: Array, neighbours: IntArray) -> Array:
        """Recompute the short distances from differences of rows.

        The index computes them from products of rows, which cancel.
        """
        reach = np.sqrt(row_norms(X, squared=True))[:, None]
        rows, ranks = np.nonzero(distances <= _CANCELLATION * reach)
        exact = distances.copy()
        for start in range(0, len(rows), _PAIRS_AT_ONCE):
            part = slice(start, start + _PAIRS_AT_ONCE)
            difference = X[rows[part]] - self._rows[neighbours[rows[part], ranks[part]]]
            exact[rows[part], ranks[part]] = row_norms(difference)
        return exact
