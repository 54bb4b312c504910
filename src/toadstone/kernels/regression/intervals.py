"""Intervals of predictions from residuals out of fold."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import Array


def conformal_ends(scores: Array, level: float) -> tuple[float, float]:
    """Return the ends between which a further score lies with a given probability.

    Of n exchangeable scores the smallest rank that covers a share p of a
    further one is ``ceil(p (n + 1))``; each end has half of what is left out.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Residuals over their scales, of rows taken to be right.
    level : float
        In (0, 1).

    Returns
    -------
    low, high : float
        The extreme scores where n is too small for the level.

    References
    ----------
    .. [1] Lei, G'Sell, Rinaldo, Tibshirani and Wasserman, "Distribution-free
       predictive inference for regression", Journal of the American
       Statistical Association 113, 2018, section 2.2.

    Examples
    --------
    >>> conformal_ends(np.arange(1.0, 20.0), 0.9)
    (1.0, 19.0)
    """
    ranked, n = np.sort(scores), len(scores)
    # Without room for rounding, a product that is whole on paper may move to the next rank.
    beyond = int(np.ceil((0.5 + level / 2) * (n + 1) - 1e-9))
    last = min(max(beyond, 1), n) - 1
    return float(ranked[n - 1 - last]), float(ranked[last])
