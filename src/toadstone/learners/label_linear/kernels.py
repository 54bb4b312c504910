"""Kernel ridge regression and kernel smoothing of one-hot labels as classifiers."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions

from toadstone.core.arrays import Array, Labels, Matrix
from toadstone.kernels.label_response.kernels import (
    KernelName,
    KernelRidgeResponse,
    KernelSmootherResponse,
    median_gamma,
)
from toadstone.learners.label_linear.certified import LabelLinearClassifier, fit_rows, one_hot
from toadstone.learners.linear_scores import rows_to_predict

_KERNEL = [StrOptions({"rbf", "laplacian"})]
_GAMMA = [Interval(Real, 0, None, closed="neither"), None]


class KernelRidgeClassifier(LabelLinearClassifier, BaseEstimator):
    """Kernel ridge regression on one-hot labels, which counts the label flips that its predictions withstand.

    Its scores are those of scikit-learn's `KernelRidge` with ``alpha`` equal
    to `ridge` times the number of rows. Training takes the square of the
    number of rows in memory.

    Parameters
    ----------
    ridge : float, default=0.01
        Penalty for each row.
    kernel : {"rbf", "laplacian"}, default="rbf"
    gamma : float, optional
        Of the kernel; one over the number of columns times the variance of
        all values by default.

    Attributes
    ----------
    gamma_ : float
    dual_coef_ : ndarray of shape (n, n_classes)
    classes_ : ndarray of shape (n_classes,)
    codes_ : ndarray of int of shape (n,)
    response_ : KernelRidgeResponse
    n_features_in_ : int

    Examples
    --------
    >>> X = np.array([[-3.0], [-2.0], [-2.0], [2.0], [2.0], [3.0]])
    >>> KernelRidgeClassifier(gamma=1.0).fit(X, [0, 0, 0, 1, 1, 1]).certify([[2.0]]).count
    array([1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "ridge": [Interval(Real, 0, None, closed="neither")],
        "kernel": _KERNEL,
        "gamma": _GAMMA,
    }

    response_: KernelRidgeResponse

    def __init__(self, *, ridge: float = 0.01, kernel: KernelName = "rbf", gamma: float | None = None) -> None:
        self.ridge = ridge
        self.kernel = kernel
        self.gamma = gamma

    def fit(self, X: Matrix, y: Labels) -> Self:
        """Train on labelled rows.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : array_like of shape (n,)
            Labels of at least two classes.

        Returns
        -------
        KernelRidgeClassifier
            The fitted estimator.

        Raises
        ------
        InvalidData
            If there is a single class.
        """
        matrix = fit_rows(self, X, y)
        self.gamma_ = median_gamma(matrix) if self.gamma is None else self.gamma
        response = KernelRidgeResponse(matrix, ridge=self.ridge, kernel=self.kernel, gamma=self.gamma_)
        self.response_ = response
        self.dual_coef_ = response.model(one_hot(self.codes_, len(self.classes_)))
        return self

    def class_scores(self, X: Matrix) -> Array:
        """Compute the score of each class, shape (q, n_classes)."""
        queries = rows_to_predict(self, X)
        values, _ = self.response_.kernel.values(queries)
        return np.asarray(values @ self.dual_coef_)


class KernelSmootherClassifier(LabelLinearClassifier, BaseEstimator):
    """The kernel-weighted vote of all training rows, which counts the label flips that its predictions withstand.

    Parameters
    ----------
    kernel : {"rbf", "laplacian"}, default="rbf"
    gamma : float, optional
        As for `KernelRidgeClassifier`.

    Attributes
    ----------
    gamma_ : float
    classes_ : ndarray of shape (n_classes,)
    codes_ : ndarray of int of shape (n,)
    response_ : KernelSmootherResponse
    n_features_in_ : int

    Examples
    --------
    >>> X = np.array([[-3.0], [-2.0], [-2.0], [2.0], [2.0], [3.0]])
    >>> KernelSmootherClassifier(gamma=1.0).fit(X, [0, 0, 0, 1, 1, 1]).certify([[2.0]]).count
    array([1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"kernel": _KERNEL, "gamma": _GAMMA}

    def __init__(self, *, kernel: KernelName = "rbf", gamma: float | None = None) -> None:
        self.kernel = kernel
        self.gamma = gamma

    def fit(self, X: Matrix, y: Labels) -> Self:
        """Keep labelled rows.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        y : array_like of shape (n,)
            Labels of at least two classes.

        Returns
        -------
        KernelSmootherClassifier
            The fitted estimator.

        Raises
        ------
        InvalidData
            If there is a single class.
        """
        matrix = fit_rows(self, X, y)
        self.gamma_ = median_gamma(matrix) if self.gamma is None else self.gamma
        self.response_ = KernelSmootherResponse(matrix, kernel=self.kernel, gamma=self.gamma_)
        return self
