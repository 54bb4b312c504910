"""Ridge regression on one-hot labels as a classifier."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions

from toadstone.core.arrays import Array, Labels, Matrix
from toadstone.kernels.label_response.ridge import RidgeResponse
from toadstone.kernels.linear.fit import Bias
from toadstone.learners.label_linear.certified import LabelLinearClassifier, fit_rows, one_hot
from toadstone.learners.linear_scores import rows_to_predict


class OneHotRidgeClassifier(LabelLinearClassifier, BaseEstimator):
    """Ridge regression on one-hot labels, which counts the label flips that its predictions withstand.

    It predicts as scikit-learn's `RidgeClassifier` with ``alpha`` equal to
    `ridge` times the number of rows. On embeddings of a fixed network it is a
    linear head.

    Parameters
    ----------
    ridge : float, default=0.01
        Penalty for each row. It must be chosen without these labels: on
        trusted rows, or beforehand.
    bias : {"free", "regularized", "none"}, default="free"

    Attributes
    ----------
    coef_ : ndarray of shape (n_classes, d)
    intercept_ : ndarray of shape (n_classes,)
    classes_ : ndarray of shape (n_classes,)
    codes_ : ndarray of int of shape (n,)
        Class positions of the training rows.
    response_ : RidgeResponse
        Gives the weights of the training rows.
    n_features_in_ : int

    Examples
    --------
    >>> X = np.array([[-3.0], [-2.0], [-2.0], [2.0], [2.0], [3.0]])
    >>> classifier = OneHotRidgeClassifier().fit(X, ["ham", "ham", "ham", "spam", "spam", "spam"])
    >>> classifier.certify([[2.5], [0.5]]).count
    array([1, 0])
    >>> rows, labels = classifier.strongest_flips([[0.5]])
    >>> rows, labels
    (array([5]), array(['ham'], dtype='<U4'))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "ridge": [Interval(Real, 0, None, closed="neither")],
        "bias": [StrOptions({"free", "regularized", "none"})],
    }

    def __init__(self, *, ridge: float = 0.01, bias: Bias = "free") -> None:
        self.ridge = ridge
        self.bias = bias

    def fit(self, X: Matrix, y: Labels) -> Self:
        """Train on labelled rows.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : array_like of shape (n,)
            Labels of at least two classes.

        Returns
        -------
        OneHotRidgeClassifier
            The fitted estimator.

        Raises
        ------
        InvalidData
            If there is a single class.
        """
        response = RidgeResponse(fit_rows(self, X, y), ridge=self.ridge, bias=self.bias)
        self.response_ = response
        self.coef_, self.intercept_ = response.model(one_hot(self.codes_, len(self.classes_)))
        return self

    def class_scores(self, X: Matrix) -> Array:
        """Compute the score of each class, shape (q, n_classes)."""
        return np.asarray(rows_to_predict(self, X) @ self.coef_.T + self.intercept_)
