"""Violations of a region's constraints, relative to its scale."""

from __future__ import annotations

import numpy as np
from scipy.sparse import issparse

from toadstone.core.arrays import Array, Matrix
from toadstone.core.feasible import Region
from toadstone.kernels.rows import squared_distances


def violations(region: Region, X: Matrix) -> Array:
    """Compute the violations of a region's constraints by rows, relative to its scale.

    Parameters
    ----------
    region : Region
    X : ndarray or CSR of shape (n, d)

    Returns
    -------
    ndarray of shape (n, 2 + J)
        Of the box, of the radius, of each band; zero or less where satisfied.
    """
    columns = [_box_excess(region, X) / extent(region), _radius_excess(region, X)]
    for normal, low, high in zip(region.bands, region.low, region.high, strict=True):
        value = X @ normal
        columns.append(np.maximum(value - high, low - value))
    excess = np.stack(columns, axis=1)
    excess[:, 1:] /= scales(region)
    return excess


def _box_excess(region: Region, X: Matrix) -> Array:
    if not issparse(X):
        return np.asarray(np.maximum(region.lower - X, X - region.upper).max(axis=1))
    rows = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    excess = np.full(X.shape[0], -np.inf)
    np.maximum.at(excess, rows, np.maximum(region.lower[X.indices] - X.data, X.data - region.upper[X.indices]))
    # A bound that excludes zero concerns the entries that are not stored too.
    for column in np.flatnonzero((region.lower > 0) | (region.upper < 0)):
        value = X[:, [column]].toarray().ravel()
        np.maximum(excess, np.maximum(region.lower[column] - value, value - region.upper[column]), out=excess)
    return excess


def _radius_excess(region: Region, X: Matrix) -> Array:
    if region.radius == np.inf:
        return np.full(X.shape[0], -np.inf)
    squares = squared_distances(X, region.centre)
    if region.integer:
        squares = squares + _interpolation_excess(X)
    return np.asarray(squares - region.radius**2)


def _interpolation_excess(X: Matrix) -> Array:
    """Compute the excess of the integer form over the squared distance."""
    # The interpolant of x^2 exceeds it by p (1 - p), p the fractional part (Koh and others 2022, equations 5 to 8).
    excess = X.copy()
    if issparse(X):
        part = X.data - np.floor(X.data)
        excess.data = part * (1 - part)
    else:
        part = X - np.floor(X)
        excess = part * (1 - part)
    return np.asarray(excess.sum(axis=1)).ravel()


def extent(region: Region) -> float:
    """Return a typical length of a region: its radius, or else the width of its other limits."""
    if 0 < region.radius < np.inf:
        return region.radius
    norms = np.maximum(np.linalg.norm(region.bands, axis=1), 1e-300)
    box = _finite(region.upper - region.lower).max(initial=0.0)
    widths = np.append(_finite((region.high - region.low) / norms), box)
    offsets = np.concatenate([region.low / norms, region.high / norms, region.lower, region.upper, region.centre])
    if np.any(widths > 0):
        return float(widths[widths > 0].min())
    return float(np.abs(_finite(offsets)).max(initial=0.0)) or 1.0


def _finite(values: Array) -> Array:
    return values[np.isfinite(values)]


def scales(region: Region) -> Array:
    """Return the scales of violations of the radius and of each band, shape (1 + J,)."""
    # Squares of rows far from the origin cannot be told apart more finely.
    square = region.radius**2 + 1e-5 * float(region.centre @ region.centre) if region.radius < np.inf else 1.0
    limits = np.abs(np.stack([region.low, region.high]))
    farthest = np.max(limits, axis=0, where=np.isfinite(limits), initial=0.0)
    bands = np.linalg.norm(region.bands, axis=1) * extent(region) + 1e-4 * farthest
    return np.asarray(np.maximum(np.append(square, bands), 1e-300))
