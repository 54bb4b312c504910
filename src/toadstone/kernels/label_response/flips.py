"""Exact numbers of label flips that predictions withstand, and the optimal attack."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toadstone.core.arrays import Array, IntArray, Mask
from toadstone.core.errors import InvalidArgument
from toadstone.core.pointwise import Certified
from toadstone.kernels.label_response.group_counts import count_groups, mark_groups
from toadstone.kernels.label_response.row_counts import count_rows
from toadstone.kernels.label_response.whole_weights import round_weights


def certify_flips(
    alpha: Array,
    codes: IntArray,
    *,
    n_classes: int,
    error: Array | None = None,
    groups: IntArray | None = None,
) -> Certified:
    """Count the labels that an attacker may change without being able to change each prediction.

    The score of class c is ``f_c = sum_i alpha_i [y_i = c]``, and the weights
    do not depend on the labels. A flip of row i in favour of rival d lowers the
    winner's lead ``f_c - f_d`` by
    ``|alpha_i| + alpha_i [y_i = c] - alpha_i [y_i = d]``, whatever the other
    rows do, so the largest gains are the optimal attack and the count is exact
    [1]_. It is a little low, never high, where the weights have errors.

    Parameters
    ----------
    alpha : ndarray of shape (q, n)
        Finite weights of the training rows for each query.
    codes : ndarray of int of shape (n,)
        Classes of the training rows, from 0.
    n_classes : int
        Labels the attacker may use: 0 to ``n_classes - 1``.
    error : ndarray of shape (q,), optional
        Bound on the sum over the rows of the absolute errors of the weights;
        none by default.
    groups : ndarray of int of shape (n,), optional
        Group of each row, from 0. The units are then groups, all labels of
        which may be changed; by default they are rows.

    Returns
    -------
    Certified
        Count: the largest number of units that cannot change the prediction,
        zero where rounding hides the lead; of all units if none can change it.

    Raises
    ------
    InvalidArgument
        If shapes disagree or a weight is not finite.

    References
    ----------
    .. [1] Rosenfeld, Winston, Ravikumar and Kolter, "Certified robustness to
       label-flipping attacks via randomized smoothing", ICML 2020, section 4,
       has the linear learner; without smoothing its certificate is exact.

    Examples
    --------
    >>> alpha = np.array([[0.5, 0.4, 0.3, 0.2]])
    >>> certified = certify_flips(alpha, np.array([0, 0, 0, 1]), n_classes=2)
    >>> certified.winner, certified.count, certified.rival
    (array([0]), array([1]), array([1]))

    The first flip leaves 0.7 of 1.4, a tie, which class 0 wins.
    """
    weights, labels, errors = checked_weights(alpha, codes, error, n_classes)
    found = np.empty((len(weights), 3), dtype=np.int64)
    if groups is None:
        count_rows(weights, labels, errors, np.empty(n_classes, dtype=np.int64), found)
    else:
        units, tables = _tables(groups, labels, n_classes)
        count_groups(weights, labels, units, errors, tables, found)
    return Certified(found[:, 0].copy(), found[:, 1].copy(), found[:, 2].copy())


def changed_by_one_group(
    alpha: Array, codes: IntArray, *, n_classes: int, groups: IntArray, error: Array | None = None
) -> Mask:
    """Tell which groups can each change a prediction alone, by any labels of all of its rows.

    Parameters
    ----------
    alpha, codes, n_classes, groups, error
        As for `certify_flips`, whose count is zero where one group is enough.

    Returns
    -------
    ndarray of bool of shape (q, n_groups)
        True for every group where rounding hides the lead.

    Raises
    ------
    InvalidArgument
        If shapes disagree or a weight is not finite.

    Examples
    --------
    >>> alpha, codes = np.array([[0.5, 0.4, 0.1, 0.2]]), np.array([0, 0, 0, 1])
    >>> changed_by_one_group(alpha, codes, n_classes=2, groups=np.array([0, 1, 1, 2]))
    array([[ True,  True, False]])
    """
    weights, labels, errors = checked_weights(alpha, codes, error, n_classes)
    units, tables = _tables(groups, labels, n_classes)
    marked = np.empty((len(weights), len(tables[0])), dtype=bool)
    mark_groups(weights, labels, units, errors, tables, marked)
    return marked


def _tables(groups: IntArray, labels: IntArray, n_classes: int) -> tuple[IntArray, tuple[IntArray, IntArray]]:
    """Check groups, and make room for their sums."""
    units = np.ascontiguousarray(groups, dtype=np.int64)
    if units.shape != labels.shape or units.min(initial=0) < 0:
        raise InvalidArgument("groups", f"a number from 0 for each of {len(labels)} rows", f"shape {units.shape}")
    shape = (int(units.max(initial=-1)) + 1, n_classes)
    return units, (np.empty(shape, dtype=np.int64), np.empty(shape, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Flips:
    """Labels to change, and what to.

    Parameters
    ----------
    units : ndarray of int
        The rows, or the groups, that the attacker controls, the most effective first.
    rows : ndarray of int of shape (m,)
        Rows whose labels change.
    codes : ndarray of int of shape (m,)
        Their new classes.
    """

    units: IntArray
    rows: IntArray
    codes: IntArray


def strongest_flips(
    alpha: Array, codes: IntArray, *, winner: int, rival: int, n_units: int, groups: IntArray | None = None
) -> Flips:
    """Return the flips in a number of units that lower the winner's lead over a rival the most.

    Parameters
    ----------
    alpha : ndarray of shape (n,)
        Weights of the training rows for one query.
    codes : ndarray of int of shape (n,)
    winner, rival : int
        Classes.
    n_units : int
        Rows, or groups, to control: the count of `certify_flips` plus one changes the prediction.
    groups : ndarray of int of shape (n,), optional

    Returns
    -------
    Flips

    Examples
    --------
    >>> flips = strongest_flips(np.array([0.5, 0.4, -0.3]), np.array([0, 0, 1]), winner=0, rival=1, n_units=2)
    >>> flips.rows, flips.codes
    (array([0, 1]), array([1, 1]))
    """
    whole = np.empty(len(alpha), dtype=np.int64)
    round_weights(np.ascontiguousarray(alpha, dtype=np.float64), 0.0, whole)
    gains = np.abs(whole) + whole * (codes == winner) - whole * (codes == rival)
    owners = np.arange(len(whole)) if groups is None else np.asarray(groups)
    totals = np.zeros(int(owners.max(initial=-1)) + 1, dtype=np.int64)
    np.add.at(totals, owners, gains)
    units = np.argsort(-totals, kind="stable")[:n_units]
    rows = np.flatnonzero(np.isin(owners, units) & (gains > 0))
    # A row of positive weight helps the class that it is given, one of negative weight harms it.
    return Flips(units, rows, np.where(whole[rows] > 0, rival, winner))


def checked_weights(
    alpha: Array, codes: IntArray, error: Array | None, n_classes: int
) -> tuple[Array, IntArray, Array]:
    """Check weights, classes and errors as `certify_flips` takes them, and return them contiguous.

    Raises
    ------
    InvalidArgument
        If shapes disagree, a weight is not finite or a class out of range.
    """
    weights = np.ascontiguousarray(alpha, dtype=np.float64)
    labels = np.ascontiguousarray(codes, dtype=np.int64)
    if weights.ndim != 2 or weights.shape[1:] != labels.shape:
        raise InvalidArgument("alpha", f"a row of {labels.size} weights for each query", f"shape {weights.shape}")
    if not np.isfinite(weights).all():
        raise InvalidArgument("alpha", "finite weights", "NaN or infinity")
    if labels.size and not 0 <= labels.min() <= labels.max() < n_classes:
        raise InvalidArgument("codes", f"classes from 0 to {n_classes - 1}", f"{labels.min()} to {labels.max()}")
    errors = np.zeros(len(weights)) if error is None else np.ascontiguousarray(error, dtype=np.float64)
    if errors.shape != (len(weights),) or not np.all(errors >= 0):
        raise InvalidArgument("error", f"a number not negative for each of {len(weights)} queries", errors)
    return weights, labels, errors
