"""The vote of nearest neighbours as a classifier."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar, Self

from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from toadstone.core.arrays import Labels, Matrix
from toadstone.kernels.label_response.neighbours import NeighbourResponse
from toadstone.learners.label_linear.certified import LabelLinearClassifier, fit_rows


class NeighbourVoteClassifier(LabelLinearClassifier, BaseEstimator):
    """The vote of the k nearest training rows, which counts the label flips that its predictions withstand.

    It predicts as scikit-learn's `KNeighborsClassifier`, but for neighbours
    that are equally far away, which are ordered by their values here.

    Parameters
    ----------
    n_neighbors : int, default=5

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    codes_ : ndarray of int of shape (n,)
    response_ : NeighbourResponse
    n_features_in_ : int

    Examples
    --------
    >>> X = [[-3.0], [-2.0], [-2.0], [2.0], [2.0], [3.0]]
    >>> NeighbourVoteClassifier(n_neighbors=3).fit(X, [0, 0, 0, 1, 1, 1]).certify([[2.0]]).count
    array([1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")]
    }

    def __init__(self, *, n_neighbors: int = 5) -> None:
        self.n_neighbors = n_neighbors

    def fit(self, X: Matrix, y: Labels) -> Self:
        """Keep labelled rows.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
            At least as many rows as neighbours.
        y : array_like of shape (n,)
            Labels of at least two classes.

        Returns
        -------
        NeighbourVoteClassifier
            The fitted estimator.

        Raises
        ------
        InvalidData
            If there is a single class.
        InvalidArgument
            If there are fewer rows than neighbours.
        """
        self.response_ = NeighbourResponse(fit_rows(self, X, y), n_neighbors=self.n_neighbors)
        return self
