"""Predictions of targets out of fold: ridge, random forest and neighbours, combined, and the scale of their errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import Bounds, minimize
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GroupKFold, KFold
from sklearn.neighbors import KNeighborsRegressor
from sklearn.preprocessing import StandardScaler

from toadstone.core.arrays import Array, IntArray, Mask, Matrix
from toadstone.detectors.out_of_bag import predicted_targets
from toadstone.kernels.statistics.row_digests import first_equal

_RIDGES = np.logspace(-3, 4, 15)
_TREES, _LEAF, _COLUMNS = 200, 3, 0.7
_SCALE_TREES, _SCALE_LEAF, _SCALE_SHARE = 100, 10, 0.02
_MOST_A_TREE = 5_000
_NEIGHBOURS, _MOST_NEIGHBOURS = 15, 10_000
_FOLDS = 5
_FARTHEST = 8.0
_SMALLEST = 0.1
"""Residuals below this share of the median one say as little about the scale as this share does."""


@dataclass(frozen=True, eq=False)
class Stack:
    """Predictions of all rows by learners that did not see them.

    Parameters
    ----------
    predicted : ndarray of shape (n,)
        Of the combination.
    local : ndarray of shape (n,)
        Typical size of the error at each row, positive.
    weights : mapping from name to float
        Of the learners in the combination.
    """

    predicted: Array
    local: Array
    weights: dict[str, float]


def predict_out_of_fold(X: Matrix, y: Array, kept: Mask, *, extra: Mapping[str, Any], seed: int) -> Stack:
    """Predict every target by learners trained on other rows, none of them left out of `kept`.

    Rows with equal features are in one fold, so that a copy does not certify
    itself.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    y : ndarray of shape (n,)
    kept : ndarray of bool of shape (n,)
        Rows to train on; the others are predicted only.
    extra : mapping from name to an unfitted regressor
        Learners beside ridge, forest and neighbours.
    seed : int

    Returns
    -------
    Stack
    """
    copies = first_equal(X, X)
    distinct = len(np.unique(copies)) == len(copies)
    folds = _folds(copies, distinct=distinct, seed=seed)
    scaled = _scaled(X, kept)
    forest = _forest(_TREES, _LEAF, len(y), seed)
    near = min(_NEIGHBOURS, max(1, int(np.count_nonzero(kept)) // 2))
    made = {
        "ridge": _by_folds(scaled, y, kept, folds, RidgeCV(_RIDGES)),
        "forest": _out_of_bag(X, y, kept, forest) if distinct else _by_folds(X, y, kept, folds, forest),
        "neighbours": _by_folds(scaled, y, kept, folds, KNeighborsRegressor(near), most=_MOST_NEIGHBOURS),
    }
    made |= {name: _by_folds(X, y, kept, folds, one) for name, one in extra.items()}
    table = np.column_stack(list(made.values()))
    predicted, weights = combine(table, y, kept)
    local = _local_scale(X, y, table, predicted, kept, seed)
    return Stack(predicted, local, dict(zip(made, weights.tolist(), strict=True)))


def combine(table: Array, y: Array, kept: Mask) -> tuple[Array, Array]:
    """Combine predictions by weights that minimise a robust error.

    The error is the square root of one plus the squared residual, in units of
    half the median absolute deviation of the targets, so that wrong targets
    pull little. Weights are not negative.

    Parameters
    ----------
    table : ndarray of shape (n, m)
        Predictions of m learners.
    y : ndarray of shape (n,)
    kept : ndarray of bool of shape (n,)
        Rows whose errors count.

    Returns
    -------
    predicted : ndarray of shape (n,)
    weights : ndarray of shape (m,)
    """
    centre, m = float(np.median(y[kept])), table.shape[1]
    away, wanted = table - centre, y - centre
    unit = 0.5 * float(np.median(np.abs(wanted[kept]))) or float(np.abs(wanted).max()) or 1.0
    inputs, outputs = away[kept] / unit, wanted[kept] / unit

    def error(x: Array) -> tuple[float, Array]:
        residual = outputs - inputs @ x[:-1] - x[-1]
        size, apart = np.sqrt(1 + residual**2), x[:-1] - 1 / m
        pull = residual / size
        value = float(np.sum(size - 1) + 0.5 * apart @ apart)
        return value, np.append(apart - inputs.T @ pull, -pull.sum())

    bounds = Bounds(np.append(np.zeros(m), -np.inf), np.append(np.full(m, 2.0), np.inf))
    found = minimize(error, np.append(np.full(m, 1 / m), 0.0), jac=True, method="L-BFGS-B", bounds=bounds)
    return centre + away @ found.x[:-1] + found.x[-1] * unit, found.x[:-1]


def _local_scale(X: Matrix, y: Array, table: Array, predicted: Array, kept: Mask, seed: int) -> Array:
    """Predict the typical size of the error at each row, out of bag, from logarithms that outliers hardly move."""
    size = np.abs(y - predicted)
    usual = float(np.median(size[kept])) or float(size.mean()) or 1.0
    inputs = np.column_stack([predicted, table.std(axis=1)])
    if not issparse(X):
        inputs = np.column_stack([inputs, X])
    leaf = max(_SCALE_LEAF, int(_SCALE_SHARE * len(y)))
    forest = _forest(_SCALE_TREES, leaf, len(y), seed)
    return np.exp(_out_of_bag(inputs, np.log(np.maximum(size, _SMALLEST * usual)), kept, forest))


def _folds(copies: IntArray, *, distinct: bool, seed: int) -> list[tuple[IntArray, IntArray]]:
    rows = np.zeros((len(copies), 1))
    folds = min(_FOLDS, len(np.unique(copies)))
    if distinct:
        return list(KFold(folds, shuffle=True, random_state=seed).split(rows))
    return list(GroupKFold(folds, shuffle=True, random_state=seed).split(rows, groups=copies))


def _by_folds(
    X: Matrix,
    y: Array,
    kept: Mask,
    folds: list[tuple[IntArray, IntArray]],
    learner: Any,
    *,
    most: int | None = None,
) -> Array:
    found = np.empty(len(y))
    for others, held in folds:
        rows = others[kept[others]]
        # Evenly spaced ones of too many: rows come in the order of their values.
        rows = rows if most is None or len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
        found[held] = clone(learner).fit(X[rows], y[rows]).predict(X[held])
    return found


def _out_of_bag(X: Matrix, y: Array, kept: Mask, forest: RandomForestRegressor) -> Array:
    own, found = clone(forest), np.empty(len(y))
    found[kept] = predicted_targets(own, X[kept], y[kept])
    if not kept.all():
        found[~kept] = own.predict(X[~kept])
    return found


def _forest(trees: int, leaf: int, n_rows: int, seed: int) -> RandomForestRegressor:
    most = _MOST_A_TREE if n_rows > _MOST_A_TREE else None
    return RandomForestRegressor(
        trees, min_samples_leaf=leaf, max_features=_COLUMNS, max_samples=most, random_state=seed
    )


def _scaled(X: Matrix, kept: Mask) -> Matrix:
    scaler = StandardScaler(with_mean=not issparse(X)).fit(X[kept])
    scaled = scaler.transform(X)
    return scaled if issparse(X) else np.clip(scaled, -_FARTHEST, _FARTHEST)
