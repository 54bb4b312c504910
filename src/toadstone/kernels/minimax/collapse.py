"""Collapse of a poisoning attack to few points with the same effect on the model.

At a trained model a row acts only through its force: its weight times the
slope of its loss. Rows of one label with total force A can therefore be
replaced by their mean, weighted by force, with the weight that gives this
mean the force A. The mean lies in every convex set that holds the rows, and
needs no more weight than they had, since one over the slope is a convex
function of the margin (Koh, Steinhardt and Liang 2022, theorem 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toadstone.core.arrays import Array, IntArray, Labels, Matrix
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.losses import MarginLoss, crammer_singer

_SIGNS = np.array([-1.0, 1.0])
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Collapsed:
    """Few weighted points that replace many.

    Parameters
    ----------
    points : ndarray of shape (p, d)
    labels : ndarray of shape (p,)
        Signs -1 and +1, or class indices, as they were given.
    weights : ndarray of shape (p,)
        Positive.
    """

    points: Array
    labels: Labels
    weights: Array

    @property
    def mass(self) -> float:
        """Sum of the weights."""
        return float(self.weights.sum())


def collapse(
    X: Matrix, signs: Array, weights: Array, theta: Array, loss: MarginLoss, *, slopes: Array | None = None
) -> Collapsed:
    """Replace poison by at most one point a label that keeps a model optimal.

    The model stays the minimizer of the *sum* of weighted losses plus a fixed
    penalty. The mass mostly shrinks, so a defender who averages the losses
    would be misled otherwise: see `rescale_ridge` and `collapse_in_full`.

    Parameters
    ----------
    X : ndarray or CSR of shape (m, d)
        Poison rows.
    signs : ndarray of shape (m,)
        Labels -1 or +1.
    weights : ndarray of shape (m,)
        Not negative; one for a plain row.
    theta : ndarray of shape (d + 1,)
        The model trained with them; weights, then the bias.
    loss : MarginLoss
    slopes : ndarray of shape (m,), optional
        For a loss with a kink: how much of the steepest slope each row
        exerts, in ``[0, loss.cap]``. They are the dual variables of the fit,
        one below the kink, zero above, anything between on it. By default
        rows on the kink exert nothing.

    Returns
    -------
    Collapsed
        Without the labels whose rows exert nothing.

    Raises
    ------
    InvalidArgument
        If a weight is negative, a slope is out of range or not needed, or
        lengths disagree.

    References
    ----------
    .. [1] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022, theorem 1.

    Examples
    --------
    >>> from toadstone.kernels.losses import HINGE
    >>> X, theta = np.array([[0.0, 1.0], [2.0, 0.0], [9.0, 9.0]]), np.array([0.1, 0.1, 0.0])
    >>> found = collapse(X, np.ones(3), np.ones(3), theta, HINGE)
    >>> found.points.tolist(), found.weights.tolist()
    ([[1.0, 0.5]], [2.0])
    """
    forces = weights * _checked_slopes(X, signs, weights, theta, loss, slopes)
    points, totals, used = _centres(X, _by_sign(forces, signs))
    labels = _SIGNS[used]
    # With a kink the mean of rows within the margin is within it too: it pulls at full slope.
    steepness = np.full(len(points), loss.cap)
    if not _has_kink(loss):
        steepness = -loss.derivative(labels * (points @ theta[:-1] + theta[-1]))
    return Collapsed(points, labels, totals / steepness)


def collapse_in_full(
    X: Matrix, signs: Array, weights: Array, theta: Array, loss: MarginLoss, *, slopes: Array | None = None
) -> Collapsed:
    """Replace poison by at most two points a label that keep a model optimal and the mass as it was.

    The weight that `collapse` saves goes to the mean of the rows that cost
    and exert nothing. The mean loss over clean rows and poison then has the
    same minimizer as before. For the hinge, the mass and the mean of each
    label are kept too, and with them whatever a defender derives from those.

    Parameters
    ----------
    X, signs, weights, theta, loss, slopes
        As in `collapse`.

    Raises
    ------
    InvalidArgument
        As in `collapse`; or if mass is saved while every row exerts
        something, as under the logistic loss.
    """
    slopes = _checked_slopes(X, signs, weights, theta, loss, slopes)
    few = collapse(X, signs, weights, theta, loss, slopes=slopes if _has_kink(loss) else None)
    saved = float(weights.sum()) - few.mass
    if saved <= _ROUNDING * float(weights.sum()):
        return few
    # A row of slope a is split: a share a / cap acts at the full slope, the rest not at all.
    spare = weights * (1 - slopes / loss.cap if _has_kink(loss) else slopes == 0)
    if not spare.sum() > 0:
        raise InvalidArgument("weights", "some on rows without slope, to pad with; else rescale the ridge", "none")
    points, totals, used = _centres(X, _by_sign(spare, signs))
    return Collapsed(
        np.concatenate([few.points, points]),
        np.concatenate([few.labels, _SIGNS[used]]),
        np.concatenate([few.weights, totals * (saved / totals.sum())]),
    )


def collapse_multiclass(
    X: Matrix, codes: IntArray, weights: Array, thetas: Array, *, multipliers: Array | None = None
) -> Collapsed:
    """Replace poison of several classes by at most one point for each pair of a label and a wrong class.

    The rows of a label for which one wrong class is the best of them, and
    costs something, form a convex set, on which the loss is linear.

    Parameters
    ----------
    X : ndarray or CSR of shape (m, d)
    codes : ndarray of int of shape (m,)
        Right classes, counted from zero.
    weights : ndarray of shape (m,)
        Not negative.
    thetas : ndarray of shape (k, d + 1)
        Weights, then the bias, of each class.
    multipliers : ndarray of shape (m, k), optional
        How each row's slope is divided among the wrong classes: not
        negative, a sum of at most one a row, and zero for the right class.
        By default all of it is on the best wrong class, the first on a tie,
        of a row that costs something.

    Returns
    -------
    Collapsed
        At most k (k - 1) points; `labels` are class indices.

    Raises
    ------
    InvalidArgument
        If a weight is negative, or multipliers are out of range.
    """
    return _by_pairs(X, codes, weights[:, None] * _checked_multipliers(X, codes, weights, thetas, multipliers))


def collapse_multiclass_in_full(
    X: Matrix, codes: IntArray, weights: Array, thetas: Array, *, multipliers: Array | None = None
) -> Collapsed:
    """Replace poison of several classes by at most one point a pair of classes, with the mass as it was.

    What the multipliers of a row leave of one goes to the mean of the rows of
    its label that cost nothing. Mass and mean of each label are kept, and the
    mean loss over clean rows and poison has the same minimizer as before.

    Parameters
    ----------
    X, codes, weights, thetas, multipliers
        As in `collapse_multiclass`.

    Returns
    -------
    Collapsed
        At most k * k points; `labels` are class indices.

    Raises
    ------
    InvalidArgument
        As in `collapse_multiclass`.
    """
    shares = _checked_multipliers(X, codes, weights, thetas, multipliers).copy()
    shares[np.arange(len(codes)), codes] = np.maximum(1 - shares.sum(axis=1), 0.0)
    return _by_pairs(X, codes, weights[:, None] * shares)


def rescale_ridge(ridge: float, *, before: float, after: float) -> float:
    """Return the ridge of a mean loss that penalizes as before when the mass has changed.

    Parameters
    ----------
    ridge : float
        Penalty for each unit of mass.
    before, after : float
        Mass of all rows, clean ones included.

    Examples
    --------
    >>> rescale_ridge(0.5, before=120, after=100)
    0.6
    """
    return ridge * (before / after)


def _has_kink(loss: MarginLoss) -> bool:
    return loss.temperature == 0 and loss.curvature == 0


def _check_weights(X: Matrix, labels: Labels, weights: Array) -> None:
    if not X.shape[0] == len(labels) == len(weights):
        raise InvalidArgument("weights", f"one for each of {X.shape[0]} rows and labels", len(weights))
    if not np.all(weights >= 0):
        raise InvalidArgument("weights", "numbers that are not negative", weights.min())


def _checked_slopes(
    X: Matrix, signs: Array, weights: Array, theta: Array, loss: MarginLoss, slopes: Array | None
) -> Array:
    _check_weights(X, signs, weights)
    if slopes is None:
        return -loss.derivative(signs * (X @ theta[:-1] + theta[-1]))
    if not _has_kink(loss):
        raise InvalidArgument("slopes", f"none, since the {loss.name} loss has no kink", "some")
    if slopes.shape != weights.shape or not np.all((slopes >= 0) & (slopes <= loss.cap)):
        raise InvalidArgument("slopes", f"one a row, in [0, {loss.cap}]", slopes)
    return slopes


def _checked_multipliers(X: Matrix, codes: IntArray, weights: Array, thetas: Array, multipliers: Array | None) -> Array:
    _check_weights(X, codes, weights)
    right = codes[:, None] == np.arange(len(thetas))
    if multipliers is None:
        _, gradient = crammer_singer(np.asarray(X @ thetas[:, :-1].T + thetas[:, -1]), codes)
        return np.where(right, 0.0, gradient)
    sums = multipliers.sum(axis=1)
    if np.any(multipliers < 0) or np.any(sums > 1 + 1e-9) or np.any(multipliers[right] != 0):
        raise InvalidArgument("multipliers", "none negative, at most one in all a row, zero for its class", sums.max())
    return multipliers


def _by_sign(amounts: Array, signs: Array) -> Array:
    return np.asarray(amounts[:, None] * (signs[:, None] == _SIGNS))


def _by_pairs(X: Matrix, codes: IntArray, shares: Array) -> Collapsed:
    """Return one point for each label and each class that its rows have shares in."""
    labels = np.unique(codes)
    found = [_centres(X, (codes == code)[:, None] * shares)[:2] for code in labels.tolist()]
    return Collapsed(
        np.concatenate([points for points, _ in found]),
        np.repeat(labels, [len(totals) for _, totals in found]),
        np.concatenate([totals for _, totals in found]),
    )


def _centres(X: Matrix, shares: Array) -> tuple[Array, Array, IntArray]:
    """Return the means of the rows weighted by each nonzero column of shares, its sum, and its index."""
    totals = shares.sum(axis=0)
    used = np.flatnonzero(totals > 0)
    # Shares first: a mean of sums leaves the hull by more than rounding.
    means = X.T @ (shares[:, used] / totals[used])
    return np.ascontiguousarray(means.T), totals[used], used
