"""The least training objective of a linear model that does a given harm on the clean rows.

Poison has to make the harmful model optimal, so its objective, which is at
least this, must not exceed what any other model reaches on clean rows and
poison together. Where a certificate bounds that from above, the harm is out
of reach.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.checks import check_not_negative, check_positive, check_within
from toadstone.kernels.rows import CSRParts, csr_parts

_GOLDEN = (math.sqrt(5) - 1) / 2
_MOST_SWEEPS, _SWEEPS_PER_CHECK = 400, 5
_WEIGHTS_TRIED = 14
_EPSILON = float(np.finfo(float).eps)
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class HarmFloor:
    """A lower bound of the objective of every harmful model, and the dual variables that prove it.

    Parameters
    ----------
    value : float
        Mean hinge loss of the clean rows plus the penalty, rounded down.
    duals : ndarray of shape (n,)
        One for each clean row, in [0, 1].
    """

    value: float
    duals: Array


def wrong_rows(error: float, n: int) -> int:
    """Return the least number of wrong rows among n; decimal shares that are exact on paper stay exact.

    Examples
    --------
    >>> wrong_rows(0.29, 100), wrong_rows(0.291, 100)
    (29, 30)
    """
    return math.ceil(error * n - _ROUNDING)


def floor_of_error(X: Matrix, signs: Array, *, ridge: float, wrong: int, seed: int = 0) -> HarmFloor:
    """Bound the objective of every model that classifies some number of clean rows wrongly from below.

    The hinge loss is at least ``(1 - t) max(0, 1 - m) + t max(0, -m)``, and
    `t` more where the margin `m` is not positive. The minimum of the former,
    with the penalty, plus `t` times the share of wrong rows is thus a bound
    for every t in [0, 1]; the largest is sought.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        Clean rows.
    signs : ndarray of shape (n,)
        Their labels, -1 or +1.
    ridge : float
        Penalty for each row: half of it times the squared norm of weights and
        bias.
    wrong : int
        Least number of rows classified wrongly, at most n.
    seed : int
        Of the order in which rows are visited.

    Returns
    -------
    HarmFloor

    Raises
    ------
    InvalidArgument
        If an argument is out of range.

    Examples
    --------
    >>> X, signs = np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array([-1.0, -1.0, 1.0, 1.0])
    >>> found = floor_of_error(X, signs, ridge=0.1, wrong=2)
    >>> round(found.value, 6)
    0.5
    """
    check_within(f"[0, {len(signs)}]", wrong=wrong)
    rows = _rows(X, signs, ridge)

    def prove(duals: Array) -> float:
        return prove_error_floor(X, signs, duals, ridge=ridge, wrong=wrong)

    return _best(rows, lambda weight: (1 - weight, 1.0), prove, seed)


def floor_of_loss(X: Matrix, signs: Array, *, ridge: float, loss: float, seed: int = 0) -> HarmFloor:
    """Bound the objective of every model whose mean hinge loss on the clean rows is at least `loss` from below.

    A share of the loss is at least as large as asked; the rest and the
    penalty are at least their minimum.

    Parameters
    ----------
    X, signs, ridge, seed
        As for `floor_of_error`.
    loss : float

    Returns
    -------
    HarmFloor

    Raises
    ------
    InvalidArgument
        If an argument is out of range.
    """
    check_not_negative(loss=loss)
    rows = _rows(X, signs, ridge)

    def prove(duals: Array) -> float:
        return prove_loss_floor(X, signs, duals, ridge=ridge, loss=loss)

    return _best(rows, lambda weight: (1 - weight, 1 - weight), prove, seed)


def prove_error_floor(X: Matrix, signs: Array, duals: Array, *, ridge: float, wrong: int) -> float:
    """Compute the bound that any duals in [0, 1] prove for models with `wrong` wrong rows, rounded down.

    Whatever rows are wrong, each adds at least one less its dual to the dual
    objective of all rows; those of the largest duals add least.
    """
    short = np.partition(1 - duals, max(wrong - 1, 0))[:wrong]
    return _less_penalty(X, signs, duals, ridge, float(duals.sum() + short.sum()) / len(signs))


def prove_loss_floor(X: Matrix, signs: Array, duals: Array, *, ridge: float, loss: float) -> float:
    """Compute the bound that any duals in [0, 1] prove for models of at least some mean loss, rounded down."""
    return _less_penalty(X, signs, duals, ridge, float(duals.mean()) + (1 - float(duals.max())) * loss)


def _less_penalty(X: Matrix, signs: Array, duals: Array, ridge: float, gain: float) -> float:
    n = len(signs)
    weights = signs * duals / n
    pull = np.append(X.T @ weights, weights.sum())
    # Sums of n terms are off by at most n roundings of the sum of their sizes.
    sizes = np.append(abs(X).T @ (duals / n), duals.sum() / n)
    error = (n + 4) * _EPSILON * float(np.linalg.norm(sizes))
    cost = (float(np.linalg.norm(pull)) * (1 + len(pull) * _EPSILON) + error) ** 2 / (2 * ridge)
    return float(gain - cost - (n + 8) * _EPSILON * (abs(gain) + cost))


@dataclass(frozen=True, eq=False)
class _Rows:
    parts: CSRParts
    signs: Array
    ridge: float
    squares: Array
    n_features: int


def _rows(X: Matrix, signs: Array, ridge: float) -> _Rows:
    check_positive(ridge=ridge)
    squares = np.asarray((X.multiply(X) if hasattr(X, "multiply") else X * X).sum(axis=1)).ravel() + 1.0
    return _Rows(csr_parts(X), signs, ridge, squares, X.shape[1])


def _best(
    rows: _Rows, caps: Callable[[float], tuple[float, float]], prove: Callable[[Array], float], seed: int
) -> HarmFloor:
    """Search the weight in [0, 1] whose duals prove the most; the optimum is concave in it."""
    tried: dict[float, HarmFloor] = {}
    last = np.full(len(rows.signs), 0.5)

    def value(weight: float) -> float:
        nonlocal last
        if weight not in tried:
            last = _ascend(rows, caps(weight), last, seed)
            tried[weight] = HarmFloor(prove(last), last)
        return tried[weight].value

    low, high = 0.0, 1.0
    value(low), value(high)
    left, right = high - _GOLDEN, low + _GOLDEN
    while len(tried) < _WEIGHTS_TRIED and high - low > 1e-3:
        if value(left) >= value(right):
            high, right = right, left
            left = high - _GOLDEN * (high - low)
        else:
            low, left = left, right
            right = low + _GOLDEN * (high - low)
    return max(tried.values(), key=lambda found: found.value)


def _ascend(rows: _Rows, caps: tuple[float, float], start: Array, seed: int, tolerance: float = 1e-4) -> Array:
    """Maximize the dual over duals whose gain stops at the first cap and which end at the second."""
    n, (first, second) = len(rows.signs), caps
    duals, rng = np.minimum(start, second), np.random.default_rng(seed)
    theta = np.zeros(rows.n_features + 1)
    _pull(rows.parts, rows.signs, duals, theta)
    theta /= n * rows.ridge
    before = -np.inf
    for sweep in range(_MOST_SWEEPS):
        _sweep(rows.parts, rows.signs, rows.squares, (n * rows.ridge, first, second), rng.permutation(n), theta, duals)
        if sweep % _SWEEPS_PER_CHECK == _SWEEPS_PER_CHECK - 1:
            reached = float(np.minimum(duals, first).mean()) - 0.5 * rows.ridge * float(theta @ theta)
            if reached - before <= tolerance * abs(reached):
                break
            before = reached
    return duals


@njit(cache=True, nogil=True)
def _pull(parts: CSRParts, signs: Array, duals: Array, theta: Array) -> None:
    for row in range(len(signs)):
        weight = signs[row] * duals[row]
        for entry in range(parts.pointers[row], parts.pointers[row + 1]):
            theta[parts.indices[entry]] += weight * parts.values[entry]
        theta[-1] += weight


@njit(cache=True, nogil=True)
def _sweep(
    parts: CSRParts,
    signs: Array,
    squares: Array,
    numbers: tuple[float, float, float],
    order: IntArray,
    theta: Array,
    duals: Array,
) -> None:
    """Maximize over one dual after the other: a slope of one up to the first cap, of zero up to the second."""
    scale, first, second = numbers
    for row in order:
        start, end = parts.pointers[row], parts.pointers[row + 1]
        score = theta[-1]
        for entry in range(start, end):
            score += theta[parts.indices[entry]] * parts.values[entry]
        margin, old = signs[row] * score, duals[row]
        growth = squares[row] / scale
        new = max(old + (1.0 - margin) / growth, 0.0)
        if new > first:
            new = min(max(old - margin / growth, first), second)
        if new != old:
            duals[row] = new
            step = signs[row] * (new - old) / scale
            for entry in range(start, end):
                theta[parts.indices[entry]] += step * parts.values[entry]
            theta[-1] += step
