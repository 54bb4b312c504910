"""A training function as a classifier, for networks and other models that are no scikit-learn estimators."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from toadstone.core.arrays import Array, IntArray, Labels, Matrix
from toadstone.core.errors import InvalidData
from toadstone.learners.linear_scores import SparseClassifier, rows_to_fit, rows_to_predict

Predictor = Callable[[Matrix], Any]
"""Takes rows and returns class positions, shape (q,), or scores, shape (q, n_classes); arrays, or what converts."""

TrainingFunction = Callable[[Matrix, IntArray, int], Predictor]
"""Takes rows, class positions and a seed, and returns a trained predictor."""


class FunctionClassifier(SparseClassifier, BaseEstimator):
    """A function that trains a model, as the classifier that votes need.

    The function takes rows, the positions of their classes and a seed, and
    returns one that predicts. It must train the same model whenever it is
    called with the same arguments, in another process too: `certify` and
    `PartitionVoteClassifier` train one part twice. For a network that is to
    seed the library, to shuffle by that seed alone, and to ask for
    deterministic algorithms, as ``torch.use_deterministic_algorithms(True)``.

    Parameters
    ----------
    train : callable
        ``train(X, y, seed)`` returns ``predict(X)``: class positions of shape
        (q,), or scores of shape (q, n_classes), the larger the better.
    random_state : int, default=0
        The seed.

    Attributes
    ----------
    predictor_ : callable
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int

    Examples
    --------
    >>> def nearest_mean(X, y, seed):
    ...     means = np.stack([X[y == c].mean(axis=0) for c in range(y.max() + 1)])
    ...     return lambda rows: -((rows[:, None] - means) ** 2).sum(axis=2)
    >>> classifier = FunctionClassifier(nearest_mean).fit([[0.0], [1.0], [4.0], [5.0]], ["a", "a", "b", "b"])
    >>> classifier.predict([[1.5], [3.5]]).tolist()
    ['a', 'b']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "train": [callable],
        "random_state": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(self, train: TrainingFunction, *, random_state: int = 0) -> None:
        self.train = train
        self.random_state = random_state

    def fit(self, X: Matrix, y: Labels) -> Self:
        """Call the training function.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : array_like of shape (n,)
            Labels of at least two classes.

        Returns
        -------
        FunctionClassifier
            The fitted estimator.

        Raises
        ------
        InvalidData
            If there is a single class.
        """
        matrix, codes, _ = rows_to_fit(self, X, y)
        self.predictor_ = self.train(matrix, codes, self.random_state)
        return self

    def predict(self, X: Matrix) -> Labels:
        """Return the class that is predicted for each row: that of the highest score, the first on a tie."""
        check_is_fitted(self, "predictor_")
        found = self._said(X)
        return np.asarray(self.classes_[found.argmax(axis=1) if found.ndim == 2 else found])

    def decision_function(self, X: Matrix) -> Array:
        """Return the scores of rows: the lead of the second of two classes, or one for each class.

        A predicted class has score one, where the function gives no scores.
        """
        check_is_fitted(self, "predictor_")
        found = self._said(X)
        scores: Array = found if found.ndim == 2 else np.eye(len(self.classes_))[found]
        return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores

    def _said(self, X: Matrix) -> Any:
        rows = rows_to_predict(self, X)
        found, k = np.asarray(self.predictor_(rows)), len(self.classes_)
        if found.shape == (rows.shape[0], k) and found.dtype.kind == "f" and not np.isnan(found).any():
            return found.astype(np.float64)
        positions = found.shape == (rows.shape[0],) and found.dtype.kind in "iu"
        if not positions or (found.size and not 0 <= found.min() <= found.max() < k):
            expected = f"a class position below {k} for each of {rows.shape[0]} rows, or {k} scores"
            raise InvalidData(f"train: expected a function that predicts {expected}, got {found.dtype} {found.shape}")
        return found
