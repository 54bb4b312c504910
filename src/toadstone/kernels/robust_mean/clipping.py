"""Scales that clip rows to a norm, and the filter of norms by median and MAD."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import Array, Mask

NORMAL_MAD = 1.4826
"""A normal sample's standard deviation over its median absolute deviation."""


def clip_scales(norms: Array, radius: float) -> Array:
    """Return the scales that bring norms down to a radius; those below stay.

    Parameters
    ----------
    norms : ndarray of float64, shape (n,)
    radius : float

    Returns
    -------
    ndarray of float64, shape (n,)
        ``min(1, radius / norm)``.

    Examples
    --------
    >>> clip_scales(np.array([0.0, 1.0, 4.0]), 2.0).tolist()
    [1.0, 1.0, 0.5]
    """
    scales = np.ones(len(norms))
    np.divide(radius, norms, out=scales, where=norms > radius)
    return scales


def adaptive_radius(norms: Array, malicious: int) -> float:
    """Return ARC's radius: the largest norm among those that it leaves as they are [1]_.

    It clips the ``floor(2 (f / n) (n - f))`` largest. Counted in whole
    numbers: in floating point the product can fall short of a whole number
    that it is equal to, and clip one row too few (n = 242, f = 33).

    Parameters
    ----------
    norms : ndarray of float64, shape (n,)
    malicious : int
        f, with n >= 2f + 1.

    References
    ----------
    .. [1] Allouah, Guerraoui, Gupta, Jellouli, Rizk and Stephan, "Adaptive gradient clipping for robust federated
       learning", ICLR 2025, algorithm 2.

    Examples
    --------
    >>> adaptive_radius(np.array([5.0, 1.0, 2.0, 3.0]), 1)
    3.0
    """
    n = len(norms)
    clipped = 2 * malicious * (n - malicious) // n
    return float(np.sort(norms)[n - clipped - 1])


def norm_deviations(norms: Array, *, deviations: float, floor: float) -> tuple[Array, float]:
    """Return how far norms are from their median, and how far a row may be that a filter keeps.

    Parameters
    ----------
    norms : ndarray of float64, shape (n,)
    deviations : float
        Standard deviations that are allowed, estimated as 1.4826 times the
        median absolute deviation.
    floor : float
        Least deviation, as a share of the median: equal norms (of clients that
        clip) have a deviation of zero, which would drop every other row.

    Returns
    -------
    distances : ndarray of float64, shape (n,)
    allowed : float

    Examples
    --------
    >>> distances, allowed = norm_deviations(np.array([1.0, 2.0, 3.0, 90.0]), deviations=3.0, floor=1e-3)
    >>> distances.tolist(), round(allowed, 3)
    ([1.5, 0.5, 0.5, 87.5], 4.448)
    """
    middle = float(np.median(norms))
    distances = np.abs(norms - middle)
    spread = max(float(np.median(distances)), floor * middle)
    return distances, deviations * NORMAL_MAD * spread


def within(distances: Array, allowed: float) -> Mask:
    """Return the rows whose distance is allowed.

    Examples
    --------
    >>> within(np.array([1.0, 3.0]), 2.0).tolist()
    [True, False]
    """
    return np.asarray(distances <= allowed, dtype=bool)
