"""Effect of one more training row on a least-squares model, by rank-one updates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import issparse

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.checks import check_positive
from toadstone.kernels.influence.inverse_hessian import products


@dataclass(frozen=True, eq=False)
class Candidates:
    """Candidate training rows, given by their products with known rows.

    Parameters
    ----------
    near : ndarray of shape (m, n)
        Products of each known row with each candidate, the constant feature's
        included, as of `inner`.
    norms : ndarray of shape (n,)
        Squared norms of the candidates, the constant feature included.
    targets : ndarray of shape (n, k)
    """

    near: Array
    norms: Array
    targets: Array


class SmallRidge:
    """Ridge regression on a few of the known rows, tested on others of them.

    It minimises the sum of squared distances from the targets plus `penalty`
    times the squared norm of the weights, that of the constant feature
    included, and works with products of rows only.

    Parameters
    ----------
    gram : ndarray of shape (m, m)
        Products of the known rows, as of `inner`.
    targets : ndarray of shape (m, k)
    base, quiz : ndarray of int
        The rows to train on, and those to test on.
    penalty : float
        Positive; it stays the same when a row is added.

    Raises
    ------
    InvalidArgument
        If `penalty` is not positive.
    """

    def __init__(self, gram: Array, targets: Array, base: IntArray, quiz: IntArray, *, penalty: float) -> None:
        check_positive(penalty=penalty)
        self._base, self._quiz, self._penalty = base, quiz, penalty
        system = gram[np.ix_(base, base)]
        system[np.diag_indices_from(system)] += penalty
        factor = cho_factor(system, lower=True, overwrite_a=True, check_finite=False)
        self._inverse = cho_solve(factor, np.eye(len(base)), check_finite=False)
        self._duals = self._inverse @ targets[base]
        self._to_quiz = gram[np.ix_(quiz, base)]
        self._left = targets[quiz] - self._to_quiz @ self._duals

    @property
    def error(self) -> float:
        """Mean squared error on the test rows, summed over the targets."""
        return float((self._left**2).sum() / len(self._quiz))

    def cost_of_each(self, rows: Candidates) -> Array:
        """Compute the change of the test error when each row alone is added to the training rows.

        Exact: the inverse of a matrix to which one row is added follows from
        the inverse without it [1]_.

        Parameters
        ----------
        rows : Candidates

        Returns
        -------
        ndarray of shape (n,)
            Negative for rows that help.

        References
        ----------
        .. [1] Hager, "Updating the inverse of a matrix", SIAM Review 31, 1989.

        Examples
        --------
        >>> known, targets = np.array([[-1.0], [1.0], [1.5]]), np.array([[-1.0], [1.0], [1.0]])
        >>> model = SmallRidge(inner(known, known), targets, np.array([0, 1]), np.array([2]), penalty=0.1)
        >>> X = np.array([[2.0], [2.0]])
        >>> rows = Candidates(inner(known, X), squared_norms(X), np.array([[1.0], [-1.0]]))
        >>> model.cost_of_each(rows).round(2)
        array([-0.18,  1.28])
        """
        near = rows.near[self._base]
        solved = self._inverse @ near
        # Products through the inverse, times the penalty, which cancels in the moves.
        reach = rows.near[self._quiz] - self._to_quiz @ solved
        own = rows.norms - np.einsum("ij,ij->j", near, solved)
        # Block inversion: penalty + own is the Schur complement of the new row.
        moves = (rows.targets - near.T @ self._duals) / (self._penalty + own)[:, None]
        gained = np.einsum("ij,ij->i", reach.T @ self._left, moves)
        spread = np.einsum("ij,ij->j", reach, reach) * np.einsum("ij,ij->i", moves, moves)
        return np.asarray((spread - 2 * gained) / len(self._quiz))


def inner(one: Matrix, other: Matrix) -> Array:
    """Return the products of the rows of two matrices, a constant feature included, as a dense table."""
    return products(one, other) + 1.0


def squared_norms(X: Matrix) -> Array:
    """Compute the squared norms of rows, a constant feature included, shape (n,)."""
    squares = X.multiply(X).sum(axis=1) if issparse(X) else np.einsum("ij,ij->i", X, X)
    return np.asarray(squares).ravel() + 1.0
