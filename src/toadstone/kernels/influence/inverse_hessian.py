"""Exact products with the inverse Hessian of a ridge-penalised linear model."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import issparse
from scipy.sparse.linalg import LinearOperator, cg

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.checks import check_positive

LARGEST_FACTOR, LARGEST_TABLE = 1000, 5000
_ACCURACY = 1e-12


class InverseHessian(Protocol):
    """The inverse of ``ridge I + U.T U``, with U the weighted rows and a constant feature."""

    def solve(self, vector: Array) -> Array:
        """Multiply a vector of shape (d + 1,), bias last."""


class _Scaled:
    """Rows times the roots of their weights, constant feature last.

    Parameters
    ----------
    rows : ndarray or CSR of shape (s, d)
    weights : ndarray of shape (s,)
        Second derivatives of the mean loss by the rows' scores, not negative.
    """

    def __init__(self, rows: Matrix, weights: Array) -> None:
        self.rows, self.roots = rows, np.sqrt(weights)

    def forth(self, vector: Array) -> Array:
        return np.asarray(self.roots * (self.rows @ vector[:-1] + vector[-1]))

    def back(self, along: Array) -> Array:
        scaled = self.roots * along
        return np.append(self.rows.T @ scaled, scaled.sum())


class Woodbury:
    """The inverse by Woodbury's identity, from a Cholesky factor of one row for each row of `rows`.

    ``inverse(H) v = (v - U.T inverse(ridge I + U U.T) U v) / ridge``.

    Parameters
    ----------
    rows : ndarray or CSR of shape (s, d)
    weights : ndarray of shape (s,)
    ridge : float
    gram : ndarray of shape (s, s), optional
        Products of the rows, where they are known; without the constant
        feature.
    """

    def __init__(self, rows: Matrix, weights: Array, ridge: float, gram: Array | None = None) -> None:
        self._scaled, self._ridge = _Scaled(rows, weights), ridge
        # Plus one for the constant feature that each row carries.
        system = (products(rows, rows) if gram is None else gram) + 1.0
        system *= np.outer(self._scaled.roots, self._scaled.roots)
        system[np.diag_indices_from(system)] += ridge
        self._factor = cho_factor(system, lower=True, overwrite_a=True, check_finite=False) if len(weights) else None

    def solve(self, vector: Array) -> Array:
        """Multiply a vector of shape (d + 1,), bias last."""
        if self._factor is None:
            return vector / self._ridge
        along = cho_solve(self._factor, self._scaled.forth(vector), check_finite=False)
        return np.asarray((vector - self._scaled.back(along)) / self._ridge)


class DenseCholesky:
    """The inverse by a Cholesky factor of the Hessian itself, for few features.

    Parameters
    ----------
    rows : ndarray or CSR of shape (s, d)
    weights : ndarray of shape (s,)
    ridge : float
    """

    def __init__(self, rows: Matrix, weights: Array, ridge: float) -> None:
        dense = rows.toarray() if issparse(rows) else rows
        table = np.column_stack([dense, np.ones(len(weights))]) * np.sqrt(weights)[:, None]
        system = table.T @ table
        system[np.diag_indices_from(system)] += ridge
        self._factor = cho_factor(system, lower=True, overwrite_a=True, check_finite=False)

    def solve(self, vector: Array) -> Array:
        """Multiply a vector of shape (d + 1,), bias last."""
        return np.asarray(cho_solve(self._factor, vector, check_finite=False))


class ConjugateGradients:
    """The inverse by conjugate gradients, preconditioned by the diagonal, for many rows and features.

    Parameters
    ----------
    rows : ndarray or CSR of shape (s, d)
    weights : ndarray of shape (s,)
    ridge : float
    """

    def __init__(self, rows: Matrix, weights: Array, ridge: float) -> None:
        self._scaled, self._ridge = _Scaled(rows, weights), ridge
        # Jacobi's preconditioner: features of different scale are what slows the iteration down.
        squares = rows.multiply(rows) if issparse(rows) else rows**2
        self._diagonal = ridge + np.append(squares.T @ weights, weights.sum())

    def solve(self, vector: Array) -> Array:
        """Multiply a vector of shape (d + 1,), bias last, to 1e-12 of its norm."""
        shape = (len(vector), len(vector))
        hessian = LinearOperator(
            shape, dtype=float, matvec=lambda v: self._ridge * v + self._scaled.back(self._scaled.forth(v))
        )
        precondition = LinearOperator(shape, dtype=float, matvec=lambda v: v / self._diagonal)
        found, _ = cg(hessian, vector, rtol=_ACCURACY, maxiter=10 * len(vector), M=precondition)
        return np.asarray(found)


def invert_hessian(rows: Matrix, weights: Array, ridge: float, gram: Array | None = None) -> InverseHessian:
    """Invert ``ridge I + sum of weight * row row.T`` by the cheapest exact method.

    Parameters
    ----------
    rows : ndarray or CSR of shape (s, d)
        A constant feature is appended to each, and penalised like the others.
    weights : ndarray of shape (s,)
        Second derivatives of the mean loss by the rows' scores, not negative;
        rows of weight zero had better be left out.
    ridge : float
        Positive.
    gram : ndarray of shape (s, s), optional
        Products of the rows, where they are known.

    Returns
    -------
    InverseHessian
        `Woodbury` for fewer rows than features, otherwise `DenseCholesky`;
        `ConjugateGradients` where both are more than 1000.

    Raises
    ------
    InvalidArgument
        If `ridge` is not positive.

    Examples
    --------
    >>> inverse = invert_hessian(np.array([[2.0]]), np.array([1.0]), 1.0)
    >>> inverse.solve(np.array([1.0, 0.0])).round(3)
    array([ 0.333, -0.333])
    """
    check_positive(ridge=ridge)
    side = min(rows.shape[0], rows.shape[1] + 1)
    if side > LARGEST_FACTOR:
        return ConjugateGradients(rows, weights, ridge)
    if rows.shape[0] <= rows.shape[1]:
        return Woodbury(rows, weights, ridge, gram)
    return DenseCholesky(rows, weights, ridge)


class RowProducts:
    """A cache of inner products between rows.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    """

    def __init__(self, X: Matrix) -> None:
        self._X = X
        self._places: IntArray
        self._known: IntArray
        self._table: Array
        self._forget()

    def among(self, rows: IntArray) -> Array:
        """Return the products of the given rows, a new array of shape (s, s)."""
        # Few rows lie near the margin at a time, and mostly the same ones: their products are worth keeping.
        new = rows[self._places[rows] < 0]
        if len(self._known) + len(new) > LARGEST_TABLE:
            self._forget()
            new = rows
        if len(new):
            old = len(self._known)
            self._known = np.concatenate([self._known, new])
            self._places[new] = np.arange(old, len(self._known))
            fresh = products(self._X[new], self._X[self._known])
            self._table = np.block([[self._table, fresh[:, :old].T], [fresh]])
        places = self._places[rows]
        return self._table.take(places, axis=0).take(places, axis=1)

    def _forget(self) -> None:
        self._places = np.full(self._X.shape[0], -1)
        self._known, self._table = np.empty(0, dtype=np.int64), np.empty((0, 0))


def products(one: Matrix, other: Matrix) -> Array:
    """Return the products of the rows of two matrices, as a dense table."""
    table = one @ other.T
    return np.asarray(table.toarray() if issparse(table) else table)
