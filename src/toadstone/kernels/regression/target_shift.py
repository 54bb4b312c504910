"""The targets whose change harms ridge regression most."""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from toadstone.core.arrays import Array, IntArray


def most_harmful_targets(
    X: Array, y: Array, ridge: float, ends: tuple[float, float], count: int
) -> tuple[IntArray, Array]:
    """Choose targets, and the end of the range that each moves to, one after another.

    The model theta is linear in the targets: a change t of target i moves it
    by ``t k_i`` with ``k_i = H^-1 z_i / n``, z the row bordered by a one. With
    M the second moments of the bordered rows, g half the gradient of the clean
    error at the model so far, the change adds ``2 t k_i'g + t^2 k_i'M k_i`` to
    the clean error, exactly. Each step takes the largest.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    y : ndarray of shape (n,)
    ridge : float
        Positive.
    ends : tuple of float
        Lowest and highest target.
    count : int
        At most n.

    Returns
    -------
    rows : ndarray of int of shape (count,)
        In the order of their choice.
    targets : ndarray of shape (count,)
        The end that each moves to.

    Examples
    --------
    >>> X = np.arange(5.0)[:, None]
    >>> rows, targets = most_harmful_targets(X, X[:, 0], 0.01, (0.0, 4.0), 2)
    >>> rows.tolist(), targets.tolist()
    ([0, 4], [4.0, 0.0])
    """
    n, d = X.shape
    rows = np.column_stack([X, np.ones(n)])
    moments = rows.T @ rows / n
    curvature = moments.copy()
    curvature[np.arange(d), np.arange(d)] += ridge
    factor = cho_factor(curvature)
    pulls = cho_solve(factor, rows.T).T / n
    theta = cho_solve(factor, rows.T @ y / n)
    slope = moments @ theta - rows.T @ y / n
    changes = np.stack([ends[0] - y, ends[1] - y])
    square = changes**2 * np.einsum("ij,jk,ik->i", pulls, moments, pulls, optimize=True)
    free = changes != 0
    chosen, targets = np.empty(count, dtype=np.int64), np.empty(count)
    for step in range(count):
        gain = np.where(free, 2 * changes * (pulls @ slope) + square, -np.inf)
        side, row = np.unravel_index(int(gain.argmax()), gain.shape)
        chosen[step], targets[step] = row, ends[side]
        slope = slope + changes[side, row] * (moments @ pulls[row])
        free[:, row] = False
    return chosen, targets
