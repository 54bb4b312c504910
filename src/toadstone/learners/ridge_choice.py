"""Choice of the ridge penalty by cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedKFold

from toadstone.core.arrays import Array, IntArray, Labels, Matrix
from toadstone.core.dataset import as_matrix
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.kernels.linear.fit import Bias, LinearSolver
from toadstone.kernels.linear.one_vs_rest import OneVsRestFit, fit_one_vs_rest
from toadstone.kernels.losses import MarginLoss, margin_loss

RIDGES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
"""Penalties tried by default."""

# Relative duality gap; errors on held-out rows hardly depend on a closer fit.
_TOLERANCE = 5e-3


@dataclass(frozen=True)
class RidgeTrial:
    """One penalty with its mean error over the folds and the standard error of that mean."""

    ridge: float
    error: float
    standard_error: float


@dataclass(frozen=True)
class RidgeChoice:
    """The chosen penalty and all trials, from the largest penalty to the smallest."""

    ridge: float
    trials: tuple[RidgeTrial, ...]


def choose_ridge(
    X: Matrix,
    y: Labels,
    *,
    ridges: Sequence[float] = RIDGES,
    folds: int = 5,
    random_state: int = 0,
    loss: str = "hinge",
    bias: Bias = "regularized",
) -> RidgeChoice:
    """Choose the largest ridge whose error is within one standard error of the best.

    Errors come from stratified cross-validation; their standard error is the
    standard deviation over the folds divided by the square root of their
    number. Among penalties of similar error the rule prefers the larger one,
    because it also limits the effect of poison.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    y : array_like of shape (n,)
    ridges : sequence of float
        Positive penalties to try, in any order.
    folds : int
        At least two, and at most the number of rows of the rarest class.
    random_state : int
        Seed of the folds and of the solver.
    loss : {"hinge", "smooth_hinge", "squared_hinge", "logistic"}
    bias : {"regularized", "free", "none"}

    Returns
    -------
    RidgeChoice

    Raises
    ------
    InvalidArgument
        If there is no ridge, one is not positive, or `folds` is below two.
    InvalidData
        If a class has fewer rows than there are folds, or there is one class.

    References
    ----------
    .. [1] Breiman, Friedman, Olshen and Stone, "Classification and Regression
       Trees", 1984, section 3.4.3 (the one standard error rule).
    """
    # From the largest down: a strong penalty is solved quickly, and its duals are a good start for the next.
    matrix, falling = as_matrix(X), sorted(set(ridges), reverse=True)
    if not falling or not falling[-1] > 0 or falling[0] == np.inf:
        raise InvalidArgument("ridges", "at least one, all positive", list(ridges))
    codes = _codes(y, folds)
    splitter = StratifiedKFold(folds, shuffle=True, random_state=random_state)
    errors = np.array(
        [
            _path(matrix, codes, fold, falling, loss=margin_loss(loss), bias=bias, seed=random_state)
            for fold in splitter.split(np.zeros(len(codes)), codes)
        ]
    )
    means, spreads = errors.mean(axis=0), errors.std(axis=0, ddof=1) / np.sqrt(folds)
    best = int(means.argmin())
    chosen = falling[int(np.argmax(means <= means[best] + spreads[best]))]
    trials = tuple(RidgeTrial(*map(float, trial)) for trial in zip(falling, means, spreads, strict=True))
    return RidgeChoice(float(chosen), trials)


def _path(
    X: Matrix,
    codes: IntArray,
    fold: tuple[IntArray, IntArray],
    ridges: Sequence[float],
    *,
    loss: MarginLoss,
    bias: Bias,
    seed: int,
) -> Array:
    """Return the error on the held-out rows for each penalty, each fit starting from the last."""
    train, held_out = fold
    rows, others, fit = X[train], X[held_out], None
    errors = []
    for ridge in ridges:
        fit = _next(rows, codes[train], ridge, fit, loss=loss, bias=bias, seed=seed)
        errors.append(np.mean(fit.scores(others).argmax(axis=1) != codes[held_out]))
    return np.array(errors)


def _next(
    X: Matrix, codes: IntArray, ridge: float, last: OneVsRestFit | None, *, loss: MarginLoss, bias: Bias, seed: int
) -> OneVsRestFit:
    return fit_one_vs_rest(X, codes, LinearSolver(loss, ridge, bias, _TOLERANCE, seed), start=last)


def _codes(y: Labels, folds: int) -> IntArray:
    if folds < 2:
        raise InvalidArgument("folds", "at least two", folds)
    classes, codes, counts = np.unique(np.asarray(y), return_inverse=True, return_counts=True)
    if len(classes) < 2:
        raise InvalidData("labels: expected at least two classes, got 1 class")
    if counts.min() < folds:
        rare = classes[counts.argmin()]
        raise InvalidData(f"labels: expected at least {folds} rows of each class, got {counts.min()} of {rare}")
    return np.asarray(codes)
