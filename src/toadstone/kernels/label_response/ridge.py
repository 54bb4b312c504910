"""Ridge regression as weights of the training rows."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.blas import dsyrk
from scipy.sparse import csr_array, issparse
from sklearn.utils.extmath import row_norms

from toadstone.core.arrays import Array, Matrix
from toadstone.core.checks import check_positive
from toadstone.kernels.label_response.responses import ROUNDING, Weights
from toadstone.kernels.linear.fit import Bias


class RidgeGram:
    """Products of training rows with themselves, from which ridge models of any penalty follow.

    By columns, ``X'X``, where they are fewer than rows; by rows, ``XX'``,
    otherwise. Rows are centred for a free bias, and get a column of ones for a
    regularized one.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    bias : {"none", "free", "regularized"}
    """

    def __init__(self, X: Matrix, *, bias: Bias = "none") -> None:
        self.bias = bias
        self.rows = self.bordered(X)
        self.n_rows, self.n_columns = self.rows.shape
        self.centre = np.asarray(self.rows.mean(axis=0)).ravel() * (bias == "free")
        self.lengths = np.sqrt(row_norms(self.rows, squared=True)) + np.linalg.norm(self.centre)
        self.side: Literal["columns", "rows"] = "columns" if self.n_columns <= self.n_rows else "rows"
        if self.side == "columns":
            self.products = _symmetric(self.rows) - self.n_rows * np.outer(self.centre, self.centre)
        else:
            self.products = self.against_rows(self.rows)
        self.size = float(np.linalg.norm(self.products))
        terms = self.n_rows if self.side == "columns" else self.n_columns
        # Entry by entry: a sum of that many products, then those with the centre.
        self.error = 4 * (terms + 8) * ROUNDING * float(self.lengths @ self.lengths)

    def bordered(self, X: Matrix) -> Matrix:
        """Return rows with the column of ones that a regularized bias stands for."""
        if self.bias != "regularized":
            return X
        ones = np.ones((X.shape[0], 1))
        if not issparse(X):
            return np.hstack([X, ones])
        ends = X.indptr + np.arange(X.shape[0] + 1, dtype=X.indptr.dtype)
        values, columns = np.ones(ends[-1]), np.full(ends[-1], X.shape[1], dtype=X.indices.dtype)
        inside = np.ones(ends[-1], dtype=bool)
        inside[ends[1:] - 1] = False
        values[inside], columns[inside] = X.data, X.indices
        return csr_array((values, columns, ends), shape=(X.shape[0], X.shape[1] + 1))

    def against_rows(self, queries: Matrix) -> Array:
        """Compute the products of centred queries with centred training rows, shape (q, n)."""
        products = queries @ self.rows.T
        products = products.toarray() if issparse(products) else products
        if self.bias == "free":
            own, centre = self.rows @ self.centre, float(self.centre @ self.centre)
            products = products - own[None, :] - (queries @ self.centre)[:, None] + centre
        return np.asarray(products)


class RidgeResponse:
    """Ridge regression on one-hot labels: ``alpha(x) = X (X'X + lambda I)^-1 x``.

    A free bias centres the rows and adds 1/n to each weight, which is what
    centring the labels comes to.

    Parameters
    ----------
    X : ndarray, CSR or RidgeGram of shape (n, d)
        Training rows; their products, where models of several penalties are wanted.
    ridge : float
        Penalty for each row: lambda is `ridge` times n.
    bias : {"none", "free", "regularized"}
        Of rows that are given; that of products is theirs.

    Examples
    --------
    >>> response = RidgeResponse(np.array([[1.0], [2.0]]), ridge=0.5)
    >>> response.weights(np.array([[3.0]])).alpha.round(6)
    array([[0.5, 1. ]])
    """

    def __init__(self, X: Matrix | RidgeGram, *, ridge: float, bias: Bias = "none") -> None:
        check_positive(ridge=ridge)
        self.gram = X if isinstance(X, RidgeGram) else RidgeGram(X, bias=bias)
        self.n_rows = self.gram.n_rows
        self.penalty = ridge * self.n_rows
        shifted = self.gram.products.copy(order="F")
        shifted[np.diag_indices_from(shifted)] += self.penalty
        # The products and one factor are held, and no third matrix of their size.
        self.factor = cho_factor(shifted, overwrite_a=True, check_finite=False)

    def weights(self, queries: Matrix) -> Weights:
        """Compute the weights of the training rows for each query.

        Parameters
        ----------
        queries : ndarray or CSR of shape (q, d)

        Returns
        -------
        Weights
        """
        asked = self.gram.bordered(queries)
        constant = (self.gram.bias == "free") / self.n_rows
        alpha, error = (self._by_columns if self.gram.side == "columns" else self._by_rows)(asked)
        alpha += constant
        # Adding the constant rounds once more.
        return Weights(alpha, error + ROUNDING * (np.abs(alpha).sum(axis=1) + 1.0) * (constant > 0))

    def model(self, targets: Array) -> tuple[Array, Array]:
        """Compute the coefficients and intercepts of linear models of targets.

        Parameters
        ----------
        targets : ndarray of shape (n, k)

        Returns
        -------
        coefficients : ndarray of shape (k, d)
        intercepts : ndarray of shape (k,)
        """
        gram = self.gram
        free = gram.bias == "free"
        means = targets.mean(axis=0) * free
        right = targets - means
        if gram.side == "rows":
            right = cho_solve(self.factor, right)
        moments = np.asarray(gram.rows.T @ right) - np.outer(gram.centre, right.sum(axis=0))
        whole = (cho_solve(self.factor, moments) if gram.side == "columns" else moments).T
        if gram.bias == "regularized":
            return whole[:, :-1], whole[:, -1]
        return whole, means - whole @ gram.centre

    def _by_columns(self, queries: Matrix) -> tuple[Array, Array]:
        gram = self.gram
        right = ((queries.toarray() if issparse(queries) else queries) - gram.centre).T
        solved = cho_solve(self.factor, right)
        alpha = np.ascontiguousarray(np.asarray(gram.rows @ solved).T)
        if gram.bias == "free":
            alpha -= (gram.centre @ solved)[:, None]
        long = np.linalg.norm(solved, axis=0)
        left = self._residual(right, solved) + self._rounding(long)
        left += 2 * ROUNDING * np.linalg.norm(right, axis=0)
        # X (X'X + lambda)^-1 r is at most |r| / (2 sqrt(lambda)) long, and the sum of n entries sqrt(n) times that.
        error = np.sqrt(self.n_rows) * left / (2 * np.sqrt(self.penalty))
        return alpha, error + 2 * (gram.n_columns + 4) * ROUNDING * float(gram.lengths.sum()) * long

    def _by_rows(self, queries: Matrix) -> tuple[Array, Array]:
        gram = self.gram
        right = gram.against_rows(queries).T
        solved = cho_solve(self.factor, right)
        asked = np.sqrt(row_norms(queries, squared=True)) + np.linalg.norm(gram.centre)
        right_error = 4 * (gram.n_columns + 8) * ROUNDING * float(np.linalg.norm(gram.lengths)) * asked
        left = self._residual(right, solved) + right_error
        left += self._rounding(np.linalg.norm(solved, axis=0))
        # The eigenvalues of XX' + lambda I are at least lambda.
        return np.ascontiguousarray(solved.T), np.sqrt(self.n_rows) * left / self.penalty

    def _residual(self, right: Array, solved: Array) -> Array:
        """Bound the length of what each solution leaves, as computed."""
        left = right - self.gram.products @ solved - self.penalty * solved
        return np.asarray(np.linalg.norm(left, axis=0))

    def _rounding(self, lengths: Array) -> Array:
        """Bound the rounding of the residual: of the products themselves, and of their product with the solution."""
        size = self.gram.size + self.penalty
        return np.asarray((self.gram.error + (len(self.gram.products) + 6) * ROUNDING * size) * lengths)


def _symmetric(rows: Matrix) -> Array:
    """Compute X'X; of dense rows one triangle only, for the other is its mirror."""
    if issparse(rows):
        return np.asarray((rows.T @ rows).toarray())
    half: Array = dsyrk(1.0, rows.T)
    return np.triu(half) + np.triu(half, 1).T
