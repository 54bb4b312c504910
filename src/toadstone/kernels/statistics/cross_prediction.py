"""Prediction of every column of a matrix from its other columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import issparse

from toadstone.core.arrays import Array, IntArray, Matrix

_ROWS_AT_ONCE = 1024
_ALMOST_ONE = 1 - 1e-9


@dataclass(frozen=True, eq=False)
class CrossPrediction:
    """Ridge regressions of each column on the others, all from one inverse.

    The error of column j in row x is ``(P (x - mean))_j / P_jj``, where P is
    the inverse of the covariance with the ridge on its diagonal: axes of small
    variance dominate it.

    Parameters
    ----------
    columns : ndarray of int of shape (k,)
        Columns that are predicted from each other.
    mean : ndarray of shape (k,)
    inverse : ndarray of shape (k, k)
        P.
    n_rows : int
        Number of training rows.
    """

    columns: IntArray
    mean: Array
    inverse: Array
    n_rows: int

    def unexplained(self, X: Matrix, *, seen: bool) -> Array:
        """Compute the share of each row's deviations that its columns do not predict of each other.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        seen : bool
            True if these are the training rows; each is then scored as if it
            alone had been left out, by a rank-one change of the inverse.

        Returns
        -------
        ndarray of shape (n,)
            Sum of the absolute errors of all columns over that of their
            absolute deviations from the mean; 0 for the mean itself.
        """
        found, diagonal = np.empty(X.shape[0]), np.diag(self.inverse)
        for start in range(0, X.shape[0], _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            away = _dense(X[part], self.columns) - self.mean
            pulled = away @ self.inverse
            # Leave-one-out residual e / (1 - h), with h kept below one for a row that alone spans an axis.
            leverage = np.minimum(np.einsum("ij,ij->i", pulled, away) / self.n_rows, _ALMOST_ONE) if seen else 0.0
            errors = np.sum(np.abs(pulled) / diagonal, axis=1) / (1 - leverage)
            deviations = np.abs(away).sum(axis=1)
            found[part] = np.divide(errors, deviations, out=np.zeros_like(errors), where=deviations > 0)
        return found


def cross_predict(X: Matrix, *, ridge: float, most_columns: int) -> CrossPrediction:
    """Fit the prediction of each column from the others.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    ridge : float
        As a share of the mean variance of a column.
    most_columns : int
        Of more columns, those that vary most are used.

    Returns
    -------
    CrossPrediction

    References
    ----------
    .. [1] Guttman, "A note on the derivation of formulae for multiple and
       partial correlation", Annals of Mathematical Statistics 9, 1938, on
       regressions by the inverse covariance.

    Examples
    --------
    >>> X = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    >>> learned = cross_predict(X, ridge=1e-6, most_columns=2)
    >>> learned.unexplained(np.array([[1.0, 1.0], [3.0, 0.0]]), seen=False).round(3)
    array([0., 2.])
    """
    columns = _most_varied(X, most_columns)
    k, n = len(columns), X.shape[0]
    total, moments = np.zeros(k), np.zeros((k, k))
    for start in range(0, n, _ROWS_AT_ONCE):
        block = _dense(X[start : start + _ROWS_AT_ONCE], columns)
        total += block.sum(axis=0)
        moments += block.T @ block
    mean = total / n
    covariance = moments / n - np.outer(mean, mean)
    penalty = ridge * float(np.trace(covariance)) / k
    # Where nothing varies, the mean is the prediction.
    if penalty <= np.finfo(float).eps * float(np.trace(moments)) / n:
        return CrossPrediction(columns, mean, np.eye(k), n)
    covariance[np.diag_indices(k)] += penalty
    return CrossPrediction(columns, mean, cho_solve(cho_factor(covariance), np.eye(k)), n)


def _most_varied(X: Matrix, most: int) -> IntArray:
    if X.shape[1] <= most:
        return np.arange(X.shape[1])
    mean = np.asarray(X.mean(axis=0)).ravel()
    squares = np.asarray((X.multiply(X) if issparse(X) else X**2).mean(axis=0)).ravel()
    return np.sort(np.argsort(-(squares - mean**2), kind="stable")[:most])


def _dense(X: Matrix, columns: IntArray) -> Array:
    block = X[:, columns] if len(columns) < X.shape[1] else X
    return np.asarray(block.toarray() if issparse(block) else block)
