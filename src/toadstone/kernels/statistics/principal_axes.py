"""Principal axes of centred rows, found from their Gram matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh
from scipy.sparse import issparse
from scipy.sparse.linalg import LinearOperator, eigsh
from sklearn.utils.extmath import row_norms

from toadstone.core.arrays import Array, Matrix

_LAPACK = 2000
_ROUNDING = 1e-20


@dataclass(frozen=True, eq=False)
class PrincipalAxes:
    """The directions in which centred rows vary most.

    Parameters
    ----------
    mean : ndarray of shape (d,)
    axes : ndarray of shape (d, k)
        Orthonormal columns by falling variance, each with a positive largest
        entry; zero where rounding alone makes rows differ.
    """

    mean: Array
    axes: Array

    def coordinates(self, X: Matrix) -> Array:
        """Compute the rows' coordinates along the axes, from the mean, shape (n, k)."""
        if issparse(X):
            return np.asarray(X @ self.axes - self.mean @ self.axes)
        return np.asarray((X - self.mean) @ self.axes)


def principal_axes(X: Matrix, rank: int) -> PrincipalAxes:
    """Find the leading principal axes.

    The smaller of the two Gram matrices of the centred rows goes to LAPACK up
    to a side of 2000; beyond, Lanczos runs on products with the rows.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        CSR rows are centred implicitly.
    rank : int
        How many axes, at most; there are never more than rows or columns.

    Returns
    -------
    PrincipalAxes

    Examples
    --------
    >>> principal_axes(np.array([[5.0, 1.0], [5.0, 3.0]]), 1).axes.ravel()
    array([0., 1.])
    """
    n, d = X.shape
    mean = np.asarray(X.mean(axis=0)).ravel()
    rank = min(rank, n, d)
    rows = X if issparse(X) else X - mean
    if min(n, d) <= _LAPACK or rank >= min(n, d):
        energies, vectors = _by_lapack(rows, mean, rank)
    else:
        energies, vectors = _by_lanczos(rows, mean, rank)
    axes = vectors if d <= n else np.asarray(rows.T @ vectors - (np.outer(mean, vectors.sum(axis=0)) * issparse(X)))
    # Squared singular values below this share of the whole are what rounding leaves.
    present = energies > _ROUNDING * row_norms(X, squared=True).sum()
    lengths = np.linalg.norm(axes, axis=0)
    axes = np.where(present, axes / np.where(present, lengths, 1.0), 0.0)
    # Eigenvectors have no sign of their own; this fixes one that does not depend on the solver.
    signs = np.sign(axes[np.argmax(np.abs(axes), axis=0), np.arange(rank)])
    return PrincipalAxes(mean, np.ascontiguousarray(axes * np.where(signs == 0, 1.0, signs)))


def _by_lapack(rows: Matrix, mean: Array, rank: int) -> tuple[Array, Array]:
    n, d = rows.shape
    gram = rows.T @ rows if d <= n else rows @ rows.T
    if issparse(rows):
        shared = n * np.outer(mean, mean) if d <= n else _shared(rows @ mean, float(mean @ mean))
        gram = gram.toarray() - shared
    energies, vectors = eigh(gram, subset_by_index=[len(gram) - rank, len(gram) - 1], check_finite=False)
    return energies[::-1], vectors[:, ::-1]


def _shared(projections: Array, square: float) -> Array:
    return np.asarray(projections[:, None] + projections[None, :] - square)


def _by_lanczos(rows: Matrix, mean: Array, rank: int) -> tuple[Array, Array]:
    n, d = rows.shape
    shift = mean if issparse(rows) else np.zeros(d)

    def forward(vector: Array) -> Array:
        return np.asarray(rows @ vector.ravel() - shift @ vector.ravel())

    def backward(vector: Array) -> Array:
        return np.asarray(rows.T @ vector.ravel() - shift * vector.sum())

    side = min(n, d)
    product = LinearOperator(
        (side, side),
        matvec=(lambda vector: backward(forward(vector))) if d <= n else (lambda vector: forward(backward(vector))),
        dtype=np.float64,
    )
    start = np.random.default_rng(0).standard_normal(side)
    energies, vectors = eigsh(product, k=rank, v0=start, tol=1e-8)
    order = np.argsort(energies)[::-1]
    return energies[order], vectors[:, order]
