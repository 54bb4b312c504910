"""Kernel ridge regression and kernel smoothing as weights of the training rows."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import issparse
from sklearn.metrics.pairwise import laplacian_kernel, rbf_kernel
from sklearn.utils.extmath import row_norms

from toadstone.core.arrays import Array, Matrix
from toadstone.core.checks import check_positive
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.label_response.responses import ROUNDING, Weights

KernelName = Literal["rbf", "laplacian"]
_KERNELS = {"rbf": rbf_kernel, "laplacian": laplacian_kernel}


class RowKernel:
    """A kernel between queries and training rows, and how far rounding may move its values.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    name : {"rbf", "laplacian"}
        ``exp(-gamma |x - z|^2)`` with Euclidean, or ``exp(-gamma |x - z|)``
        with Manhattan distance.
    gamma : float
        Positive.
    """

    def __init__(self, X: Matrix, *, name: KernelName = "rbf", gamma: float) -> None:
        if name not in _KERNELS:
            raise InvalidArgument("kernel", f"one of {', '.join(_KERNELS)}", name)
        check_positive(gamma=gamma)
        self.rows, self.name, self.gamma = X, name, gamma
        self.largest = float(self._sizes(X).max())

    def values(self, queries: Matrix) -> tuple[Array, Array]:
        """Return the values, shape (q, n), and a bound on the relative error of each query's, shape (q,)."""
        found = np.asarray(_KERNELS[self.name](queries, self.rows, gamma=self.gamma))
        # An error of the exponent is a relative one of its exponential.
        exponent = self.gamma * 2 * (self.rows.shape[1] + 8) * ROUNDING * (self.largest + self._sizes(queries))
        return found, np.expm1(exponent) + 4 * ROUNDING

    def _sizes(self, X: Matrix) -> Array:
        if self.name == "rbf":
            return 2 * np.asarray(row_norms(X, squared=True))
        return np.asarray(abs(X).sum(axis=1)).ravel()


class KernelRidgeResponse:
    """Kernel ridge regression on one-hot labels: ``alpha(x) = (K + lambda I)^-1 k(x)``.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    ridge : float
        Penalty for each row: lambda is `ridge` times n.
    kernel : {"rbf", "laplacian"}
    gamma : float

    Examples
    --------
    >>> response = KernelRidgeResponse(np.array([[0.0], [9.0]]), ridge=0.5, gamma=1.0)
    >>> response.weights(np.array([[0.0]])).alpha.round(6)
    array([[0.5, 0. ]])
    """

    def __init__(self, X: Matrix, *, ridge: float, kernel: KernelName = "rbf", gamma: float) -> None:
        check_positive(ridge=ridge)
        self.kernel = RowKernel(X, name=kernel, gamma=gamma)
        self.n_rows, self.penalty = X.shape[0], ridge * X.shape[0]
        shifted, relative = self.kernel.values(X)
        self.error = float(np.linalg.norm(relative * np.linalg.norm(shifted, axis=1)))
        shifted[np.diag_indices_from(shifted)] += self.penalty
        self.shifted, self.size = shifted, float(np.linalg.norm(shifted))
        self.factor = cho_factor(shifted)

    def weights(self, queries: Matrix) -> Weights:
        """Compute the weights of the training rows for each query, as `Weights`."""
        values, relative = self.kernel.values(queries)
        solved = cho_solve(self.factor, values.T)
        rounding = self.error + (self.n_rows + 4) * ROUNDING * self.size
        left = np.linalg.norm(values.T - self.shifted @ solved, axis=0) + rounding * np.linalg.norm(solved, axis=0)
        left += relative * np.linalg.norm(values, axis=1)
        return Weights(np.ascontiguousarray(solved.T), np.sqrt(self.n_rows) * left / self.penalty)

    def model(self, targets: Array) -> Array:
        """Compute the coefficients of the training rows for targets, shape (n, k)."""
        return np.asarray(cho_solve(self.factor, targets))


class KernelSmootherResponse:
    """The Nadaraya-Watson smoother of one-hot labels: ``alpha_i(x) = k(x, x_i)``.

    Dividing by the sum of the weights would change no order of the scores.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    kernel : {"rbf", "laplacian"}
    gamma : float

    Examples
    --------
    >>> KernelSmootherResponse(np.array([[0.0], [1.0]]), gamma=np.log(2)).weights(np.array([[0.0]])).alpha
    array([[1. , 0.5]])
    """

    def __init__(self, X: Matrix, *, kernel: KernelName = "rbf", gamma: float) -> None:
        self.kernel = RowKernel(X, name=kernel, gamma=gamma)
        self.n_rows = X.shape[0]

    def weights(self, queries: Matrix) -> Weights:
        """Compute the weights of the training rows for each query, as `Weights`."""
        values, relative = self.kernel.values(queries)
        return Weights(values, relative * values.sum(axis=1))


def median_gamma(X: Matrix) -> float:
    """Return one over the number of columns times the variance of the values, scikit-learn's "scale"."""
    values = X.multiply(X).mean() - X.mean() ** 2 if issparse(X) else X.var()
    return 1.0 / (X.shape[1] * float(values)) if values > 0 else 1.0
