"""Leading right singular vectors of a matrix, for a given share of its squared norm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.sparse import issparse
from sklearn.utils.extmath import row_norms
from threadpoolctl import threadpool_limits

from toadstone.core.arrays import Array, Matrix

_SMALL = 1024
_MODERATE = 6000
_BLOCK = 16
_RESIDUAL = 1e-9
_EXHAUSTED = 1e-10


@dataclass(frozen=True, eq=False)
class LeadingSubspace:
    """The span of the leading right singular vectors.

    Parameters
    ----------
    axes : ndarray of shape (d, k)
        Orthonormal columns, by falling singular value.
    energies : ndarray of shape (k,)
        Squared singular values.
    captured : float
        Their share of the squared Frobenius norm.
    residual : float
        Largest residual of any kept vector in the eigenvalue equation, as a
        share of its squared singular value; about 1e-16 from LAPACK, below
        1e-9 from converged block Lanczos, more where the rank was capped.
    """

    axes: Array
    energies: Array
    captured: float
    residual: float


def leading_subspace(X: Matrix, *, energy: float, max_rank: int, rng: Generator) -> LeadingSubspace:
    """Find the fewest leading singular vectors that hold a share of the squared norm.

    LAPACK decomposes the smaller Gram matrix if its side is at most 1024.
    Otherwise block Lanczos with full reorthogonalization runs on products
    with `X` until every kept vector has converged. If the spectrum is too
    flat for that, LAPACK is used up to a side of 6000; beyond, the vectors
    found so far are kept, and their residual is stated.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        Not centred.
    energy : float
        Share of the squared Frobenius norm to exceed, in (0, 1).
    max_rank : int
        Keep no more vectors than this.
    rng : Generator
        Of the first block.

    Returns
    -------
    LeadingSubspace

    References
    ----------
    .. [1] Golub and Underwood, "The block Lanczos method for computing
       eigenvalues", Mathematical Software III, 1977.

    Examples
    --------
    >>> X = np.diag([3.0, 2.0, 1.0])
    >>> leading_subspace(X, energy=0.9, max_rank=3, rng=np.random.default_rng(0)).energies.round(6)
    array([9., 4.])
    """
    n, d = X.shape
    total = float(row_norms(X, squared=True).sum())
    side = min(n, d)
    transposed = X.T.tocsr() if issparse(X) else X.T
    if side <= _SMALL:
        energies, vectors, residual = _by_lapack(X, transposed)
    else:
        limit = min(2 * max_rank, side // 3)
        # Blocks this narrow gain nothing from threads, and on a busy machine
        # waiting for them costs many times the work itself.
        with threadpool_limits(1, user_api="blas"):
            energies, vectors, residual = _by_lanczos(_gram(X, transposed), side, energy * total, limit, max_rank, rng)
        if residual > _RESIDUAL and side <= _MODERATE:
            energies, vectors, residual = _by_lapack(X, transposed)
    kept = min(_rank(energies, energy * total), max_rank)
    energies, vectors = energies[:kept], vectors[:, :kept]
    axes = vectors if d <= n else transposed @ vectors / np.sqrt(energies)
    captured = float(energies.sum() / total) if total > 0 else 1.0
    return LeadingSubspace(np.ascontiguousarray(axes), energies, captured, residual)


def _gram(X: Matrix, transposed: Matrix) -> Callable[[Array], Array]:
    if X.shape[1] <= X.shape[0]:
        return lambda block: np.asarray(transposed @ (X @ block))
    return lambda block: np.asarray(X @ (transposed @ block))


def _rank(energies: Array, wanted: float) -> int:
    """Count the leading energies whose sum exceeds the wanted one; else all nonzero ones."""
    present = int(np.count_nonzero(energies > 1e-14 * energies[0])) if energies[0] > 0 else 0
    return min(int(np.searchsorted(np.cumsum(energies), wanted, side="right")) + 1, present)


def _by_lapack(X: Matrix, transposed: Matrix) -> tuple[Array, Array, float]:
    gram = transposed @ X if X.shape[1] <= X.shape[0] else X @ transposed
    energies, vectors = np.linalg.eigh(gram.toarray() if issparse(gram) else gram)
    return np.maximum(energies[::-1], 0.0), vectors[:, ::-1], float(np.finfo(float).eps)


def _by_lanczos(
    gram: Callable[[Array], Array], side: int, wanted: float, limit: int, max_rank: int, rng: Generator
) -> tuple[Array, Array, float]:
    basis = np.empty((side, limit + _BLOCK), order="F")
    coefficients = np.zeros((limit + _BLOCK, limit + _BLOCK))
    block, _ = np.linalg.qr(gram(rng.standard_normal((side, _BLOCK))))
    width, next_check = 0, 4 * _BLOCK
    while True:
        basis[:, width : width + _BLOCK] = block
        width += _BLOCK
        known = basis[:, :width]
        image = gram(block)
        # Twice, because one pass of Gram-Schmidt leaves what rounding lost.
        first = known.T @ image
        image -= known @ first
        second = known.T @ image
        image -= known @ second
        coefficients[:width, width - _BLOCK : width] = first + second
        block, coupling = np.linalg.qr(image)
        if np.abs(np.diag(coupling)).min() <= _EXHAUSTED * coefficients[0, 0]:
            # Nothing new to see in some directions: rounding filled them.
            block, _ = np.linalg.qr(block - known @ (known.T @ block))
        if width < limit and (width < next_check or np.trace(coefficients) <= wanted):
            continue
        next_check = max(width + 2 * _BLOCK, int(1.15 * width))
        # Rayleigh-Ritz in the Krylov space; the block after the last couples it to the rest, which gives the residuals.
        energies, rotation = np.linalg.eigh(coefficients[:width, :width], UPLO="U")
        energies, rotation = np.maximum(energies[::-1], 0.0), rotation[:, ::-1]
        kept = min(_rank(energies, wanted), max_rank)
        residuals = np.linalg.norm(coupling @ rotation[-_BLOCK:, :kept], axis=0)
        residual = float(np.max(residuals / energies[:kept], initial=0.0))
        reached = energies[:kept].sum() > wanted or kept == max_rank
        if (reached and residual <= _RESIDUAL) or width >= limit:
            return energies[:kept], known @ rotation[:, :kept], residual if reached else 1.0
