"""Flips of labels within a budget: how far they raise a training objective, at one model and for every model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.checks import check_within
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.losses import MarginLoss
from toadstone.kernels.rows import stack


@dataclass(frozen=True, eq=False)
class FlipBudget:
    """Number of labels that may be flipped: of all rows, or of the rows of each label.

    Parameters
    ----------
    groups : ndarray of int of shape (n,)
        Which limit each row counts for.
    limits : ndarray of shape (g,)
        Flips of each group, whole numbers.
    """

    groups: IntArray
    limits: Array

    @classmethod
    def of_all(cls, n: int, flips: int) -> FlipBudget:
        """Return a limit on the flips of all n rows together."""
        check_within(f"[0, {n}]", flips=flips)
        return cls(np.zeros(n, dtype=np.int64), np.array([float(flips)]))

    @classmethod
    def by_label(cls, signs: Array, negative: int, positive: int) -> FlipBudget:
        """Return limits on the flips of the rows labelled -1 and of those labelled +1."""
        positives = int(np.count_nonzero(signs > 0))
        check_within(f"[0, {len(signs) - positives}]", negative=negative)
        check_within(f"[0, {positives}]", positive=positive)
        return cls((signs > 0).astype(np.int64), np.array([float(negative), float(positive)]))

    def largest(self, amounts: Array) -> float:
        """Sum the largest amounts of each group, as many as its limit, none of them below zero."""
        total = 0.0
        for group, limit in enumerate(self.limits.astype(int)):
            own = np.maximum(amounts[self.groups == group], 0.0)
            total += float(np.partition(own, len(own) - limit)[len(own) - limit :].sum()) if limit else 0.0
        return total

    def used(self, shares: Array) -> Array:
        """Sum the shares of each group."""
        return np.bincount(self.groups, weights=shares, minlength=len(self.limits)).astype(float)

    def rounded(self, shares: Array) -> IntArray:
        """Return the rows of the largest shares, whole flips within the limits; the first on a tie."""
        chosen = []
        for group, limit in enumerate(self.limits.astype(int)):
            rows = np.flatnonzero(self.groups == group)
            chosen.append(rows[np.argsort(-shares[rows], kind="stable")[:limit]])
        return np.sort(np.concatenate(chosen))


def gains_of_flips(loss: MarginLoss, margins: Array) -> Array:
    """Compute how much the loss of each row grows when its label is flipped; negative for misfitted rows."""
    return np.asarray(loss.value(-margins) - loss.value(margins))


def bound_flips(X: Matrix, signs: Array, theta: Array, budget: FlipBudget, *, loss: MarginLoss, ridge: float) -> float:
    """Compute the largest objective at a model after any flips within a budget, but for rounding."""
    margins = signs * (X @ theta[:-1] + theta[-1])
    total = float(loss.value(margins).sum()) + budget.largest(gains_of_flips(loss, margins))
    return total / len(signs) + 0.5 * ridge * float(theta @ theta)


def train_flipped(
    X: Matrix, signs: Array, shares: Array, *, loss: MarginLoss, ridge: float, tolerance: float = 1e-8
) -> tuple[Array, Array, Array]:
    """Train on rows of which shares carry the other label.

    Parameters
    ----------
    X, signs, loss, ridge
        As for `toadstone.kernels.minimax.label_flips.solve_flips`.
    shares : ndarray of shape (n,)
        In [0, 1].
    tolerance : float
        Relative duality gap.

    Returns
    -------
    theta : ndarray of shape (d + 1,)
    clean_duals, turned_duals : ndarray of shape (n,)
        Dual variables of each row under its own and its other label.
    """
    turned = np.flatnonzero(shares > 0)
    rows, labels = stack([X, X[turned]]), np.append(signs, -signs[turned])
    weights = np.append(1 - shares, shares[turned])
    fit = fit_linear(rows, labels, loss=loss, ridge=ridge, weights=weights, tolerance=tolerance)
    flipped = np.zeros(len(signs))
    flipped[turned] = fit.duals[len(signs) :]
    return fit.theta, fit.duals[: len(signs)], flipped


def value_of_flips(
    X: Matrix, signs: Array, shares: Array, duals: tuple[Array, Array], *, loss: MarginLoss, ridge: float
) -> float:
    """Compute the objective that any duals prove for every model after flips, by weak duality, but for rounding."""
    clean, turned = duals
    gain = float(((1 - shares) * loss.conjugate_gain(clean) + shares * loss.conjugate_gain(turned)).mean())
    weights = signs * ((1 - shares) * clean - shares * turned) / len(signs)
    pull = np.append(X.T @ weights, weights.sum())
    return gain - float(pull @ pull) / (2 * ridge)
