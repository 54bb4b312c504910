"""A ball, or a ball between two parallel planes, in closed form: projection of many rows, and the farthest point."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import Array
from toadstone.core.feasible import Region


def is_ball_and_band(region: Region) -> bool:
    """Return True for a ball of finite radius with at most one band, and nothing else that binds."""
    if region.integer or region.radius == np.inf or len(region.low) > 1:
        return False
    if not (np.all(region.lower == -np.inf) and np.all(region.upper == np.inf)):
        return False
    _, (low, high) = _axis(region)
    # An empty set, or one of the ball's two ends, is for the general method to tell.
    return bool(low < region.radius and high > -region.radius)


def project_rows(region: Region, rows: Array) -> Array:
    """Project rows onto a region for which `is_ball_and_band` holds.

    In coordinates along the band's normal and orthogonal to it the set is the
    part of a disc between two lines: the nearest point is the row clipped to
    the band, if that is in the ball; the row drawn towards the centre, if that is
    within the band; a corner else.

    Parameters
    ----------
    region : Region
    rows : ndarray of shape (n, d)
        Finite.

    Returns
    -------
    ndarray of shape (n, d)
        Rows that are inside stay as they are.
    """
    normal, (low, high) = _axis(region)
    away = rows - region.centre
    # Not a matrix product: its rounding of a row may depend on the other rows.
    along = np.einsum("ij,j->i", away, normal)
    across = away - along[:, None] * normal
    distance = np.sqrt(np.einsum("ij,ij->i", across, across))
    drawn = np.minimum(1.0, region.radius / np.maximum(np.hypot(along, distance), 1e-300))
    clipped = np.clip(along, low, high)
    in_ball = np.hypot(clipped, distance) <= region.radius
    in_band = (drawn * along >= low) & (drawn * along <= high)
    end = np.clip(drawn * along, low, high)
    corner = np.sqrt(np.maximum(region.radius**2 - end**2, 0.0))
    new_along = np.where(in_ball, clipped, end)
    new_distance = np.where(in_ball, distance, np.where(in_band, drawn * distance, corner))
    scale = new_distance / np.maximum(distance, 1e-300)
    nearest = region.centre + new_along[:, None] * normal + scale[:, None] * across
    inside = in_ball & (clipped == along)
    return np.asarray(np.where(inside[:, None], rows, nearest))


def farthest(region: Region, direction: Array) -> tuple[Array, Array] | None:
    """Find the farthest point in a direction of a region for which `is_ball_and_band` holds, and its multipliers.

    Parameters
    ----------
    region : Region
    direction : ndarray of shape (d,)
        Finite, not zero.

    Returns
    -------
    point : ndarray of shape (d,)
    multipliers : ndarray of shape (1 + J,)
        Of the squared radius and of the band.
    None in place of both where the ball is a point, or the direction is that
    of a band that binds.
    """
    radius, length = region.radius, float(np.linalg.norm(direction))
    if radius == 0:
        return None
    normal, (low, high) = _axis(region)
    part = float(normal @ direction)
    depth = min(max(radius * part / length, low), high)
    if depth == radius * part / length:
        free = np.append(0.5 * length / radius, np.zeros(len(region.low)))
        return region.centre + radius / length * direction, free
    across = direction - part * normal
    width, left = radius**2 - depth**2, float(np.linalg.norm(across))
    if width <= 1e-12 * radius**2 or left <= 1e-12 * length:
        return None
    scale = float(np.sqrt(width)) / left
    sigma = (part - depth / scale) / float(np.linalg.norm(region.bands[0]))
    return region.centre + depth * normal + scale * across, np.array([0.5 / scale, sigma])


def _axis(region: Region) -> tuple[Array, tuple[float, float]]:
    """Return the band's unit normal and its limits from the ball's centre on."""
    if len(region.low):
        length = float(np.linalg.norm(region.bands[0]))
        offset = float(region.bands[0] @ region.centre)
        if length > 0:
            limits = float(region.low[0] - offset) / length, float(region.high[0] - offset) / length
            return region.bands[0] / length, limits
        if region.low[0] > 0 or region.high[0] < 0:
            return region.bands[0], (np.inf, -np.inf)
    return np.zeros(region.n_features), (-np.inf, np.inf)
