"""The loss filter with a model that was fixed beforehand: a half-space for each label."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import Array
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.core.feasible import slab
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import HINGE
from toadstone.kernels.sets.sets import ConvexSet


def fit_fixed_model(train: Dataset, *, ridge: float) -> Array:
    """Train the filter's model on the clean rows: the hinge loss with a ridge, bias included.

    Parameters
    ----------
    train : Dataset
        Of two classes.
    ridge : float

    Returns
    -------
    ndarray of shape (d + 1,)
        Weights, then the bias.
    """
    return fit_linear(train.X, train.signs, loss=HINGE, ridge=ridge).theta


def fixed_loss_set(train: Dataset, theta: Array, *, quantile: float) -> ConvexSet:
    """Return the rows that a model fits no worse than all but a share of the clean rows of their label.

    The model is fixed, so that the set does not move with poison: each label's
    least margin is a quantile of its clean rows' margins.

    Parameters
    ----------
    train : Dataset
        Clean rows of two classes.
    theta : ndarray of shape (d + 1,)
    quantile : float
        Share of each class's clean rows that passes, in [0.5, 1).

    Returns
    -------
    ConvexSet

    Raises
    ------
    InvalidArgument
        If the model does not fit the rows.

    Examples
    --------
    >>> rows = Dataset([[0.0], [1.0], [3.0], [4.0]] * 5, ["ham", "ham", "spam", "spam"] * 5)
    >>> within = fixed_loss_set(rows, np.array([1.0, -2.0]), quantile=0.9)
    >>> within.contains(rows.X[:4], ["ham", "ham", "spam", "ham"]).tolist()
    [True, True, True, False]
    """
    if theta.shape != (train.n_features + 1,) or not np.isfinite(theta).all():
        raise InvalidArgument("filter_model", f"{train.n_features + 1} finite numbers", theta.shape)
    margins, regions = train.signs * np.asarray(train.X @ theta[:-1] + theta[-1]), {}
    for label, sign in zip(train.classes.tolist(), (-1.0, 1.0), strict=True):
        # A margin that a row has: the share that passes is at least the quantile.
        least = float(np.quantile(margins[train.signs == sign], 1 - quantile, method="lower"))
        regions[label] = slab(sign * theta[:-1], least - sign * float(theta[-1]), np.inf)
    return ConvexSet(regions)
