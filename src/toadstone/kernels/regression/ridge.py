"""Ridge regression in closed form, and the derivative of its model with respect to training rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import issparse
from scipy.sparse.linalg import LinearOperator, cg

from toadstone.core.arrays import Array, Matrix

_MOST_COLUMNS = 2_000
_TOLERANCE = 1e-12
_LEAST_RIDGE = 1e-10


@dataclass(frozen=True, eq=False)
class RidgeModel:
    """A linear model of numeric targets.

    Parameters
    ----------
    weights : ndarray of shape (d,)
    bias : float
    """

    weights: Array
    bias: float

    def predict(self, X: Matrix) -> Array:
        """Return the prediction for each row, shape (n,)."""
        return np.asarray(X @ self.weights + self.bias)

    def squared_residuals(self, X: Matrix, y: Array) -> Array:
        """Return the squared error of each row, shape (n,)."""
        return np.asarray((self.predict(X) - y) ** 2)

    def objective(self, X: Matrix, y: Array, ridge: float) -> float:
        """Return the mean squared error plus ridge times the squared norm of the weights."""
        return float(self.squared_residuals(X, y).mean() + ridge * self.weights @ self.weights)


def fit_ridge(X: Matrix, y: Array, ridge: float) -> RidgeModel:
    """Minimise the mean squared error plus ridge times the squared norm of the weights; the bias is free.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    y : ndarray of shape (n,)
    ridge : float
        Not negative.

    Returns
    -------
    RidgeModel

    Examples
    --------
    >>> model = fit_ridge(np.array([[0.0], [1.0], [2.0]]), np.array([1.0, 3.0, 5.0]), 0.0)
    >>> model.weights.round(6), round(model.bias, 6)
    (array([2.]), 1.0)
    """
    n = len(y)
    mean, centre = np.asarray(X.mean(axis=0)).ravel(), float(y.mean())
    moments = np.asarray(X.T @ (y - centre)).ravel() / n
    weights = _solve(X, mean, ridge, moments)
    return RidgeModel(weights, centre - float(mean @ weights))


def _solve(X: Matrix, mean: Array, ridge: float, right: Array) -> Array:
    """Solve (covariance + ridge) w = right: by factors where columns are few, else by conjugate gradients."""
    n, d = X.shape
    if d <= _MOST_COLUMNS:
        return np.asarray(cho_solve(_factor(X, mean, ridge), right))

    def times(vector: Array) -> Array:
        away = np.asarray(X @ vector) - mean @ vector
        pulled: Array = np.asarray(X.T @ away).ravel() / n
        return pulled - mean * float(away.mean()) + max(ridge, _LEAST_RIDGE) * vector

    return np.asarray(cg(LinearOperator((d, d), matvec=times, dtype=np.float64), right, rtol=_TOLERANCE)[0])


def _factor(X: Matrix, mean: Array, ridge: float) -> tuple[Array, bool]:
    dense = X.toarray() if issparse(X) else X
    away = dense - mean
    covariance = away.T @ away / len(dense)
    # Columns that repeat each other leave least squares without a unique model: a trace of ridge picks the shortest.
    least = _LEAST_RIDGE * float(np.trace(covariance)) / X.shape[1] or 1.0
    covariance[np.diag_indices_from(covariance)] += max(ridge, least)
    found: tuple[Array, bool] = cho_factor(covariance)
    return found


@dataclass(frozen=True, eq=False)
class RowGradient:
    """The derivative of a loss of the trained model with respect to some of its training rows.

    Parameters
    ----------
    features : ndarray of shape (m, d)
    targets : ndarray of shape (m,)
    """

    features: Array
    targets: Array


def row_gradient(
    X: Array, y: Array, ridge: float, probe: tuple[Array, Array], rows: slice
) -> tuple[float, RowGradient]:
    """Return the mean squared error on a probe of the ridge model, and its derivative with respect to training rows.

    By the implicit function theorem at the optimality conditions of the model
    theta, bordered rows ``z = (x, 1)`` and residuals ``r = z theta - y``::

        H = (1/n) sum z z' + ridge diag(1, ..., 1, 0),  v = H^-1 grad(theta)
        d/dy = v'z / n,   d/dx = -(r v_x + (v'z) w) / n

    Parameters
    ----------
    X : ndarray of shape (n, d)
    y : ndarray of shape (n,)
    ridge : float
        Positive.
    probe : (ndarray of shape (k, d), ndarray of shape (k,))
        Rows and targets whose error is differentiated.
    rows : slice
        The training rows that may change.

    Returns
    -------
    error : float
    gradient : RowGradient

    References
    ----------
    .. [1] Jagielski, Oprea, Biggio, Liu, Nita-Rotaru and Li, "Manipulating
       machine learning: Poisoning attacks and countermeasures for regression
       learning", IEEE Symposium on Security and Privacy 2018, section IV.A.

    Examples
    --------
    >>> X, y = np.array([[0.0], [1.0], [2.0]]), np.array([0.0, 1.0, 5.0])
    >>> error, gradient = row_gradient(X, y, 0.1, (X, np.array([0.0, 1.0, 2.0])), slice(2, 3))
    >>> bool(gradient.targets[0] > 0)
    True
    """
    n, d = X.shape
    bordered = np.column_stack([X, np.ones(n)])
    curvature = bordered.T @ bordered / n
    curvature[np.arange(d), np.arange(d)] += ridge
    factor = cho_factor(curvature)
    theta = cho_solve(factor, bordered.T @ y / n)
    seen = np.column_stack([probe[0], np.ones(len(probe[1]))])
    missed = seen @ theta - probe[1]
    v = cho_solve(factor, 2 * seen.T @ missed / len(missed))
    own = bordered[rows]
    along, residual = own @ v, own @ theta - y[rows]
    features = -(np.outer(residual, v[:d]) + np.outer(along, theta[:d])) / n
    return float((missed**2).mean()), RowGradient(features, along / n)
