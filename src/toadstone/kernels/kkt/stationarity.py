"""Optimality conditions of the hinge loss on clean rows and poison."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, hstack

from toadstone.core.arrays import Array, Matrix
from toadstone.core.feasible import Region, slab
from toadstone.kernels.kkt.gradient_matching import Target
from toadstone.kernels.losses import HINGE

BELOW_MARGIN = 0.99
"""The paper's rule: a clean row pulls if its margin is smaller."""
_ON_MARGIN = 1e-3


def decoy_margins(X: Matrix, signs: Array, theta: Array) -> Array:
    """Compute the signed scores of rows, shape (n,)."""
    return np.asarray(signs * (X @ theta[:-1] + theta[-1]))


def wanted_pull(X: Matrix, signs: Array, theta: Array, *, penalty: Array, free_margin: bool) -> Target:
    """Compute the sum of signed poison rows, each weighted by 1/n, that makes a model optimal.

    The gradient of ``sum of hinge losses / n + penalty @ theta**2 / 2``
    vanishes where poison gives what the clean rows' pull lacks.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        Clean rows.
    signs : ndarray of shape (n,)
    theta : ndarray of shape (d + 1,)
        Weights, then the bias.
    penalty : ndarray of shape (d + 1,)
        Of each weight; for a mean over n rows of which ``fraction * n`` are
        added, ``1 + fraction`` times the ridge.
    free_margin : bool
        Whether rows on the margin may pull by any part of their full pull,
        which is what optimality allows; otherwise the paper's rule holds.

    Returns
    -------
    Target
    """
    margins, n = decoy_margins(X, signs, theta), len(signs)
    short = margins < (1 - _ON_MARGIN if free_margin else BELOW_MARGIN)
    loose = np.flatnonzero((np.abs(margins - 1) <= _ON_MARGIN) & free_margin)
    # Koh and others (2022, equation 17), solved for the poison's part; there the ridge lacks its 1 + fraction.
    weights = np.where(short, signs, 0.0) / n
    fixed = penalty * theta - np.append(X.T @ weights, weights.sum())
    rows = csr_array(hstack([csr_array(X[loose]), np.ones((len(loose), 1))], format="csr"))
    return Target(fixed, csr_array(rows.multiply(signs[loose, None] / n)))


def loss_band(theta: Array, sign: float, low: float, high: float) -> Region:
    """Return the region of points whose hinge, before it is cut off at zero, lies in [low, high].

    Parameters
    ----------
    theta : ndarray of shape (d + 1,)
    sign : float
        The points' label, -1 or +1.
    low, high : float

    Examples
    --------
    >>> band = loss_band(np.array([2.0, 1.0]), -1.0, 0.0, 0.5)
    >>> band.low, band.high
    (array([-2.]), array([-1.5]))
    """
    scores = sign * (1 - np.array([low, high])) - theta[-1]
    return slab(theta[:-1], float(scores.min()), float(scores.max()))


def loss_quantiles(X: Matrix, signs: Array, theta: Array, quantile: float) -> dict[float, float]:
    """Compute a quantile of the clean rows' hinge losses, for each sign."""
    losses = HINGE.value(decoy_margins(X, signs, theta))
    return {sign: float(np.quantile(losses[signs == sign], quantile)) for sign in (-1.0, 1.0)}
