"""Intervals of predictions when some numeric targets may be anything within a range."""

from __future__ import annotations

import numpy as np

from toadstone.core.arrays import Array, IntArray
from toadstone.core.checks import check_count
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.label_response.responses import ROUNDING, Response, weight_blocks


def target_intervals(
    response: Response,
    targets: Array,
    queries: Array,
    *,
    allowed: tuple[float, float],
    n_units: int,
    groups: IntArray | None = None,
) -> Array:
    """Compute the interval of each prediction when an attacker sets the targets of some rows.

    A prediction is ``sum_i alpha_i y_i``. Setting target i raises it by at
    most ``max(alpha_i (high - y_i), alpha_i (low - y_i), 0)``, whatever the
    other targets are, so the largest of these are the worst the attacker can
    do: the interval is exact, but for rounding, which widens it.

    Parameters
    ----------
    response : Response
    targets : ndarray of shape (n,)
    queries : ndarray or CSR of shape (q, d)
    allowed : (float, float)
        Smallest and largest value that an attacker may set.
    n_units : int
        Rows, or groups, whose targets the attacker sets.
    groups : ndarray of int of shape (n,), optional
        Group of each row, from 0; the units are rows by default.

    Returns
    -------
    ndarray of shape (q, 3)
        Lower end, prediction, upper end.

    Raises
    ------
    InvalidArgument
        If the range is empty or not finite, or a shape does not fit.

    Examples
    --------
    >>> from toadstone.kernels.label_response.ridge import RidgeResponse
    >>> response = RidgeResponse(np.array([[1.0], [1.0], [2.0]]), ridge=1e-9)
    >>> found = target_intervals(
    ...     response, np.array([1.0, 1.0, 2.0]), np.array([[3.0]]), allowed=(0.0, 4.0), n_units=1
    ... )
    >>> found.round(3)
    array([[1., 3., 5.]])
    """
    low, high = allowed
    check_count(0, n_units=n_units)
    if not -np.inf < low <= high < np.inf:
        raise InvalidArgument("allowed", "the finite ends of a range, the smaller first", allowed)
    for name, values in (("targets", targets), ("groups", groups)):
        if values is not None and values.shape != (response.n_rows,):
            raise InvalidArgument(name, f"one for each of {response.n_rows} rows", f"shape {values.shape}")
    largest = float(max(np.abs(targets).max(), abs(low), abs(high)))
    parts = [np.empty((0, 3))]
    for alpha, error in weight_blocks(response, queries):
        ends = alpha * (low - targets), alpha * (high - targets)
        middle, sizes = alpha @ targets, np.abs(alpha).sum(axis=1)
        fall = -_most(-np.minimum(np.minimum(*ends), 0.0), n_units, groups)
        rise = _most(np.maximum(np.maximum(*ends), 0.0), n_units, groups)
        # Rounding of the weights; and of the sums, whose terms are at most twice the largest value times a weight.
        slack = error * largest + 4 * (len(targets) + 4) * ROUNDING * sizes * largest
        parts.append(np.column_stack([middle + fall - slack, middle, middle + rise + slack]))
    return np.concatenate(parts)


def _most(gains: Array, n_units: int, groups: IntArray | None) -> Array:
    """Sum the largest gains of so many units, for each query."""
    if groups is not None:
        member = np.zeros((len(groups), int(groups.max()) + 1))
        member[np.arange(len(groups)), groups] = 1.0
        gains = gains @ member
    if n_units >= gains.shape[1]:
        return np.asarray(gains.sum(axis=1))
    if n_units == 0:
        return np.zeros(len(gains))
    return np.asarray(np.partition(gains, -n_units, axis=1)[:, -n_units:].sum(axis=1))
