"""Compiled inner loops of the multi-class hinge, on rows in CSR form.

Models have one column a class here, shape (d + 1, k), so that what one
feature gives to all classes lies together; the last row holds the biases.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from toadstone.core.arrays import Array, IntArray
from toadstone.kernels.rows import CSRParts


@njit(cache=True, nogil=True, inline="always")
def _score(rows: CSRParts, i: int, theta: Array, scores: Array) -> None:
    """Compute one row's score for each class."""
    values, indices, pointers = rows
    k = theta.shape[1]
    for m in range(k):
        scores[m] = theta[theta.shape[0] - 1, m]
    for t in range(pointers[i], pointers[i + 1]):
        value, column = values[t], indices[t]
        for m in range(k):
            scores[m] += value * theta[column, m]


@njit(cache=True, nogil=True)
def add_hinge_gradient(rows: CSRParts, labels: IntArray, chosen: IntArray, theta: Array, gradient: Array) -> float:
    """Add the chosen rows' subgradients to `gradient`, and return the sum of their losses.

    Parameters
    ----------
    rows : CSRParts
    labels : ndarray of shape (n,)
        Index of the right class.
    chosen : ndarray of int
    theta, gradient : ndarray of shape (d + 1, k)
    """
    values, indices, pointers = rows
    last, k = theta.shape[0] - 1, theta.shape[1]
    scores = np.empty(k)
    total = 0.0
    for position in range(chosen.shape[0]):
        i = chosen[position]
        _score(rows, i, theta, scores)
        label = labels[i]
        rival = 1 if label == 0 else 0
        for m in range(k):
            if m != label and scores[m] > scores[rival]:
                rival = m
        loss = 1.0 + (scores[rival] - scores[label])
        if loss <= 0.0:
            continue
        total += loss
        for t in range(pointers[i], pointers[i + 1]):
            gradient[indices[t], rival] += values[t]
            gradient[indices[t], label] -= values[t]
        gradient[last, rival] += 1.0
        gradient[last, label] -= 1.0
    return total


@njit(cache=True, nogil=True)
def onto_simplex(point: Array) -> None:
    """Project a point of shape (k,) onto the unit simplex, in place.

    Coordinates below the common shift are dropped until none is (Michelot
    1986): exact after k rounds at most, and nothing is sorted.
    """
    k = point.shape[0]
    total, left = 0.0, k
    for m in range(k):
        total += point[m]
    shift, before = (total - 1.0) / left, -np.inf
    # Dropping raises the shift, so what is dropped stays below it.
    while shift > before:
        before, total, left = shift, 0.0, 0
        for m in range(k):
            if point[m] > before:
                total += point[m]
                left += 1
        if left == 0:
            break
        shift = max((total - 1.0) / left, before)
    for m in range(k):
        point[m] = max(point[m] - shift, 0.0)


@njit(cache=True, nogil=True)
def onto_simplices(points: Array) -> None:
    """Project each row of shape (k,) onto the unit simplex, in place."""
    for i in range(points.shape[0]):
        onto_simplex(points[i])


@njit(cache=True, nogil=True)
def sweep_simplices(
    rows: CSRParts,
    labels: IntArray,
    costs: Array,
    squared_norms: Array,
    order: IntArray,
    ridge: float,
    theta: Array,
    duals: Array,
) -> float:
    """Visit rows in the given order, changing `theta` and `duals` in place.

    Each row's dual variables get their best values for those of all others:
    a projection onto the simplex.

    Parameters
    ----------
    rows : CSRParts
    labels : ndarray of shape (n,)
        Index of the right class.
    costs : ndarray of shape (n,)
        Weight of each row's loss.
    squared_norms : ndarray of shape (n,)
        With the constant feature.
    order : ndarray of int
        The rows to visit.
    ridge : float
    theta : ndarray of shape (d + 1, k)
        One column a class; the last row holds the biases.
    duals : ndarray of shape (n, k)

    Returns
    -------
    float
        Largest change of any dual variable times its score's curvature.
    """
    values, indices, pointers = rows
    last, k = theta.shape[0] - 1, theta.shape[1]
    scores, target = np.empty(k), np.empty(k)
    largest = 0.0
    for position in range(order.shape[0]):
        i = order[position]
        # The row's subproblem is a distance to a point, over the simplex (Keerthi and others 2008).
        curvature = costs[i] * squared_norms[i] / ridge
        if curvature <= 0.0:
            continue
        _score(rows, i, theta, scores)
        scores[labels[i]] -= 1.0
        for m in range(k):
            target[m] = duals[i, m] + scores[m] / curvature
        onto_simplex(target)
        change = 0.0
        for m in range(k):
            # From here on, scores hold what is taken from the model's columns.
            scores[m] = (target[m] - duals[i, m]) * costs[i] / ridge
            change = max(change, abs(target[m] - duals[i, m]))
            duals[i, m] = target[m]
        if change == 0.0:
            continue
        largest = max(largest, change * curvature)
        for t in range(pointers[i], pointers[i + 1]):
            value, column = values[t], indices[t]
            for m in range(k):
                theta[column, m] -= value * scores[m]
        for m in range(k):
            theta[last, m] -= scores[m]
    return largest
