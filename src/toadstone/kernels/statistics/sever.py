"""SEVER: removal of the rows whose gradients project farthest on their top singular vector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from scipy.sparse.linalg import LinearOperator, svds
from sklearn.utils.extmath import row_norms

from toadstone.core.arrays import Array, IntArray, Mask, Matrix

_SMALL = 12
_ROUNDING = 1e-12

Model = TypeVar("Model")


@dataclass(frozen=True, eq=False)
class Pull:
    """The top singular vector of the centred gradients of a class.

    The gradient of a row is the outer product of its slopes with the row and
    a one; it is never formed.

    Parameters
    ----------
    axis : ndarray of shape (k, d + 1)
        Of unit norm: for each of k linear scores its weights, then the bias.
    centre : float
        Projection of the mean gradient on the axis.
    usual : float
        Mean squared projection of the centred gradients; zero if they
        coincide.
    """

    axis: Array
    centre: float
    usual: float

    def excess(self, X: Matrix, slopes: Array) -> Array:
        """Compute the squared projections of centred gradients, as multiples of their mean.

        Parameters
        ----------
        X : ndarray or CSR of shape (n, d)
        slopes : ndarray of shape (n, k)
            Derivatives of each row's loss with respect to the linear scores.

        Returns
        -------
        ndarray of shape (n,)
            All zero if the gradients coincide.
        """
        if self.usual <= 0:
            return np.zeros(len(slopes))
        return np.asarray((_along(X, slopes, self.axis) - self.centre) ** 2 / self.usual)


def strongest_pull(X: Matrix, slopes: Array) -> Pull:
    """Find the top singular vector of centred gradients.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    slopes : ndarray of shape (n, k)
        Derivatives of each row's loss with respect to k linear scores.

    Returns
    -------
    Pull

    Examples
    --------
    >>> X = np.array([[0.0], [0.0], [3.0]])
    >>> strongest_pull(X, np.ones((3, 1))).excess(X, np.ones((3, 1))).round(6)
    array([0.5, 0.5, 2. ])
    """
    n, k, d = len(slopes), slopes.shape[1], X.shape[1]

    def forward(vector: Array) -> Array:
        values = _along(X, slopes, vector.reshape(k, d + 1))
        return np.asarray(values - values.mean())

    def backward(vector: Array) -> Array:
        weighted = slopes * (vector.ravel() - vector.mean())[:, None]
        return np.column_stack([np.asarray(X.T @ weighted).T, weighted.sum(axis=0)]).ravel()

    operator = LinearOperator((n, k * (d + 1)), matvec=forward, rmatvec=backward, dtype=np.float64)
    axis = _top_axis(operator).reshape(k, d + 1)
    values = _along(X, slopes, axis)
    centre = float(values.mean())
    usual = float(((values - centre) ** 2).mean())
    # What is left of a difference of equal numbers is no pull.
    largest = float((row_norms(X, squared=True) + 1).max() * (slopes**2).sum(axis=1).max())
    return Pull(axis, centre, usual if usual > _ROUNDING**2 * largest else 0.0)


def _along(X: Matrix, slopes: Array, axis: Array) -> Array:
    return np.asarray((slopes * (X @ axis[:, :-1].T + axis[:, -1])).sum(axis=1))


def _top_axis(operator: LinearOperator) -> Array:
    if min(operator.shape) <= _SMALL:
        dense = operator.rmatmat(np.eye(operator.shape[0]))
        return np.asarray(np.linalg.svd(dense, full_matrices=False)[0][:, 0])
    start = np.random.default_rng(0).standard_normal(min(operator.shape))
    n, d = operator.shape
    gram = operator.T @ operator if d <= n else operator @ operator.T
    if not (gram @ start).any():
        # ARPACK refuses an operator that maps its start to zero, as that of coincident gradients does.
        return np.asarray(np.eye(1, d)[0])
    return np.asarray(svds(operator, k=1, v0=start, return_singular_vectors="vh")[2][0])


@dataclass(frozen=True, eq=False)
class Severed(Generic[Model]):
    """The outcome of some rounds of SEVER.

    Parameters
    ----------
    kept : ndarray of bool of shape (n,)
    models : tuple of Model
        The one trained in each round.
    pulls : tuple of tuple of Pull
        Of each class, by round.
    """

    kept: Mask
    models: tuple[Model, ...]
    pulls: tuple[tuple[Pull, ...], ...]


def sever(
    train: Callable[[IntArray], Model],
    judge: Callable[[Model], Array],
    X: Matrix,
    codes: IntArray,
    *,
    share: float,
    rounds: int,
) -> Severed[Model]:
    """Train, drop the rows whose gradients project farthest, and repeat.

    Each class is treated on its own. A round removes nothing from a class whose
    quantile of projections is zero, as where its gradients coincide.

    Parameters
    ----------
    train : callable
        Fits a model to the rows of the given indices.
    judge : callable
        Slopes of all rows at a model, shape (n, k).
    X : ndarray or CSR of shape (n, d)
    codes : ndarray of shape (n,)
        Class of each row, counted from zero; all occur.
    share : float
        Of the kept rows of each class, dropped in each round at most; the
        paper's is half of the share of poison.
    rounds : int

    Returns
    -------
    Severed

    References
    ----------
    .. [1] Diakonikolas and others, "Sever: A robust meta-algorithm for
       stochastic optimization", ICML 2019, algorithms 1 and 2.
    """
    kept = np.ones(len(codes), dtype=bool)
    classes = [codes == code for code in range(int(codes.max()) + 1)]
    models, pulls = [], []
    for _ in range(rounds):
        models.append(train(np.flatnonzero(kept)))
        slopes = judge(models[-1])
        pulls.append(tuple(strongest_pull(X[kept & own], slopes[kept & own]) for own in classes))
        for own, pull in zip(classes, pulls[-1], strict=True):
            rows = np.flatnonzero(kept & own)
            excess = pull.excess(X[rows], slopes[rows])
            # Where the quantile is zero all of them are, as the excess of coincident gradients is.
            limit = np.quantile(excess, 1 - share, method="inverted_cdf")
            kept[rows[excess > limit]] = False
    return Severed(kept, tuple(models), tuple(pulls))
