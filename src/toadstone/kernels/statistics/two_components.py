"""Two groups within a class: the likeliest mixture of two Gaussians of unit covariance, against a single one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logsumexp

from toadstone.core.arrays import Array
from toadstone.kernels.statistics.principal_axes import principal_axes

_STARTING_SHARES = (0.02, 0.05, 0.1, 0.25)
_STARTING_AXES = 3
_TRIED_STEPS, _MOST_STEPS = 10, 300
_SETTLED = 1e-9


@dataclass(frozen=True, eq=False)
class TwoComponents:
    """Two Gaussians of unit covariance.

    Parameters
    ----------
    means : ndarray of shape (2, k)
    shares : ndarray of shape (2,)
        Of the rows.
    likelihood_ratio : float
        Twice the log-likelihood by which the mixture exceeds one Gaussian;
        zero where no start found a better one.
    """

    means: Array
    shares: Array
    likelihood_ratio: float

    def log_odds(self, points: Array, component: int) -> Array:
        """Return the log odds that each row is of one component, shape (n,)."""
        logs = _log_densities(points, self.means, self.shares)
        return np.asarray(logs[:, component] - logs[:, 1 - component])


def two_components(points: Array) -> TwoComponents:
    """Split whitened rows into two groups, and test the split.

    The mixture maximises the likelihood by expectation and maximization, from
    starts that take the rows at either end of the leading principal axes for
    the second group. Twice the gain in log-likelihood over a single Gaussian
    is the statistic of the likelihood-ratio test [1]_ (section 5.2).

    Parameters
    ----------
    points : ndarray of shape (n, k)
        Whitened by the covariance of rows about the means of their
        classes.

    Returns
    -------
    TwoComponents

    References
    ----------
    .. [1] Tang, Wang, Tang and Zhang, "Demon in the variant: statistical
       analysis of DNNs for robust backdoor contamination detection", USENIX
       Security 2021.

    Examples
    --------
    >>> points = np.random.default_rng(0).standard_normal((500, 2))
    >>> points[:50, 0] += 6
    >>> found = two_components(points)
    >>> found.shares.min().round(2), found.likelihood_ratio > 200
    (np.float64(0.1), True)
    """
    centre = points.mean(axis=0)
    single = float(_log_densities(points, centre[None, :], np.ones(1)).sum())
    alone = TwoComponents(np.stack([centre, centre]), np.array([1.0, 0.0]), 0.0)
    if not points.shape[1]:
        return alone
    along = principal_axes(points, _STARTING_AXES).coordinates(points)
    # Equal rows stay together, in whatever order they come.
    starts = [
        column > np.quantile(column, 1 - share)
        for column in (*along.T, *-along.T)
        for share in _STARTING_SHARES
        if column.any()
    ]
    tried = [_climb(points, start.astype(np.float64), _TRIED_STEPS, single) for start in starts if start.any()]
    best = max((found for found in tried if found is not None), key=lambda found: found.likelihood_ratio, default=None)
    if best is None:
        return alone
    odds = best.log_odds(points, 1)
    settled = _climb(points, expit(odds), _MOST_STEPS, single)
    return settled if settled is not None and settled.likelihood_ratio > 0 else alone


def _climb(points: Array, second: Array, steps: int, single: float) -> TwoComponents | None:
    """Maximise the likelihood from the probabilities of the second group; None if less than a row is left of one."""
    before, found = -np.inf, None
    for _ in range(steps):
        shares = np.array([1 - second.mean(), second.mean()])
        if shares.min() * len(points) < 1:
            return None
        means = np.stack([(1 - second) @ points / (1 - second).sum(), second @ points / second.sum()])
        logs = _log_densities(points, means, shares)
        totals = logsumexp(logs, axis=1)
        likelihood = float(totals.sum())
        found = TwoComponents(means, shares, 2 * (likelihood - single))
        if likelihood - before <= _SETTLED * len(points):
            break
        before, second = likelihood, np.exp(logs[:, 1] - totals)
    return found


def _log_densities(points: Array, means: Array, shares: Array) -> Array:
    """Return the log of each component's share times its density, up to a constant, shape (n, components)."""
    squares = np.stack([np.sum((points - mean) ** 2, axis=1) for mean in means], axis=1)
    return np.asarray(np.log(np.maximum(shares, np.finfo(float).tiny)) - squares / 2)
