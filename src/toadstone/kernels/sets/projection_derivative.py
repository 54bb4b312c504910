"""Generalized derivative of the projection onto a region."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import Array
from toadstone.core.feasible import Region


def response(region: Region, point: Array, multipliers: Array) -> tuple[float, Array, Array]:
    """Compute the generalized Jacobian of the projection, a rate times an orthogonal projector.

    Parameters
    ----------
    region : Region
    point : ndarray of shape (d,)
        What was projected.
    multipliers : ndarray of shape (1 + J,)
        As found by `project`.

    Returns
    -------
    rate : float
        In (0, 1].
    free : ndarray of shape (d,)
        One for the features that move, zero for those that are held.
    normals : ndarray of shape (d, r)
        Orthonormal; with them the projector is ``diag(free) - normals @ normals.T``.
    """
    nu = multipliers[0]
    pulled = point + 2 * nu * region.centre - multipliers[1:] @ region.bands
    wide = 1 + 2 * nu
    if region.integer:
        steps = np.floor((pulled + nu) / wide)
        rest = pulled + nu - steps * wide
        x = steps + np.maximum(rest - 2 * nu, 0.0)
        free = (rest > 2 * nu).astype(float)
        slope = 2 * steps + 1 - 2 * region.centre
    else:
        x = pulled / wide
        free = np.ones(len(x))
        slope = 2 * (x - region.centre)
    # Features at a bound stay there under small moves.
    free[(x <= region.lower) | (x >= region.upper)] = 0.0
    active = [slope] if nu > 0 else []
    active += [normal for normal, sigma in zip(region.bands, multipliers[1:], strict=True) if sigma != 0]
    rate = 1.0 if region.integer else 1 / wide
    if not active:
        return rate, free, np.empty((len(point), 0))
    rows = np.array(active) * free
    values, vectors = np.linalg.eigh(rows @ rows.T)
    # Parallel constraints span one direction only.
    kept = values > 1e-12 * max(values[-1], 1e-300)
    return rate, free, rows.T @ (vectors[:, kept] / np.sqrt(values[kept]))


def joint_metric(answers: list[tuple[float, Array, Array]], trust: float) -> tuple[Array, Array]:
    """Compute the metric of a model's move when poison points respond to it.

    Eliminates points that are each the nearest to a target which moves
    against the model: ``inv(I + sum rate / (1 - rate) * projector)``.

    Parameters
    ----------
    answers : list of tuple
        A `response` each, for at least one point.
    trust : float
        In (0, 1): how much of the answers to count on.

    Returns
    -------
    scales : ndarray of shape (d,)
    factor : ndarray of shape (d, r)
        The metric is ``diag(scales) + factor @ factor.T``.
    """
    # Trust below one keeps the weights finite where a point follows the model entirely, at rate one.
    weights = [trust * rate / (1 - trust * rate) for rate, _, _ in answers]
    answering = np.sum([weight * free for weight, (_, free, _) in zip(weights, answers, strict=True)], axis=0)
    scales = np.asarray(1 / (1 + answering))
    normals = np.hstack([np.sqrt(weight) * part for weight, (_, _, part) in zip(weights, answers, strict=True)])
    scaled = scales[:, None] * normals
    values, vectors = np.linalg.eigh(np.eye(normals.shape[1]) - normals.T @ scaled)
    return scales, scaled @ (vectors / np.sqrt(np.maximum(values, 1e-12)))
