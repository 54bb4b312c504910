"""Rows that a prediction withstands: how far they can move a ridge model, and how far it has to move.

For any dual variables the clean objective is at least a parabola around their
model, so that every model that predicts a row otherwise has an objective of
at least the parabola at the nearest such model. Poison has to pay for that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.budget import Kind
from toadstone.core.certificate import Ridge
from toadstone.core.errors import InvalidArgument
from toadstone.core.feasible import Region
from toadstone.kernels.linear.fit import fit_linear
from toadstone.kernels.minimax.problem import Problem
from toadstone.kernels.sets.regions import maximize

_ROUNDING = 1e-9
"""Share of every quantity by which it is moved to the safe side: more than sums of a million terms are off."""
_MOST = 0.5


@dataclass(frozen=True, eq=False)
class KeptPredictions:
    """Predictions of a model, and the number of rows that each withstands.

    Parameters
    ----------
    signs : ndarray of shape (q,)
        Predicted label of each query, -1 or +1.
    rows : ndarray of int of shape (q,)
        So many rows cannot change the prediction, whatever they are: at most
        half as many as there are clean ones.
    """

    signs: Array
    rows: IntArray


@dataclass(frozen=True, eq=False)
class Parabola:
    """A lower bound of the clean objective: `value` plus half the ridge times the squared distance from `theta`.

    Parameters
    ----------
    theta : ndarray of shape (d + 1,)
    value : float
        Rounded down.
    objective : float
        The clean objective at `theta`, rounded up.
    """

    theta: Array
    value: float
    objective: float


def clean_parabola(problem: Problem, *, tolerance: float = 1e-8) -> Parabola:
    """Train on the clean rows, and bound the objective of every model by the dual variables.

    Raises
    ------
    InvalidArgument
        If the models are those of a norm ball.
    """
    ridge = _strength(problem)
    fit = fit_linear(problem.X, problem.signs, loss=problem.loss, ridge=ridge, tolerance=tolerance)
    weights = problem.signs * fit.duals / len(fit.duals)
    pull = np.append(problem.X.T @ weights, weights.sum())
    theta, gain = pull / ridge, float(problem.loss.conjugate_gain(fit.duals).mean())
    cost = float(pull @ pull) / (2 * ridge)
    margins = problem.signs * (problem.X @ theta[:-1] + theta[-1])
    objective = float(problem.loss.value(margins).mean()) + 0.5 * ridge * float(theta @ theta)
    return Parabola(theta, gain - cost - _ROUNDING * (gain + cost), objective * (1 + _ROUNDING))


def kept_predictions(problem: Problem, queries: Matrix, parabola: Parabola, *, kind: Kind = "add") -> KeptPredictions:
    """Count the rows that an attacker may add, flip or replace without being able to change each of some predictions.

    The objective that is trained on curves upwards from its minimum, and the
    clean one is above the parabola. A model at a distance t from the centre is
    therefore reached only if what the changed rows lose less by the move is
    at least ``ridge * t**2``. No row's loss falls by more than its norm times
    t. Other predictions begin at the distance of the query's border.

    Parameters
    ----------
    problem : Problem
        With a ridge, and a loss of limited slope.
    queries : ndarray or CSR of shape (q, d)
    parabola : Parabola
        From `clean_parabola`.
    kind : {"add", "flip", "replace"}

    Returns
    -------
    KeptPredictions
        The attacker may choose other rows for every query.

    Raises
    ------
    InvalidArgument
        If the models are those of a norm ball, or the loss is the squared hinge.

    Examples
    --------
    >>> from toadstone.core.feasible import ball
    >>> from toadstone.kernels.losses import HINGE
    >>> X, signs = np.repeat([[-1.0], [1.0]], 500, axis=0), np.repeat([-1.0, 1.0], 500)
    >>> within = ball(np.zeros(1), 2.0)
    >>> problem = Problem(X, signs, (within, within), HINGE, Ridge(1.0))
    >>> kept_predictions(problem, np.array([[0.1], [1.0]]), clean_parabola(problem)).rows.tolist()
    [31, 279]
    """
    ridge, theta = _strength(problem), parabola.theta
    if not np.isfinite(problem.loss.cap):
        raise InvalidArgument("loss", "one of limited slope for single predictions", problem.loss.name)
    scores = np.asarray(queries @ theta[:-1] + theta[-1])
    sizes = abs(queries) @ abs(theta[:-1]) + abs(theta[-1])
    # The nearest model on whose border the query lies is this far away.
    distances = np.maximum(np.abs(scores) - _ROUNDING * sizes, 0.0) / (_norms(queries) * (1 + _ROUNDING))
    need = (ridge * distances**2 - (parabola.objective - parabola.value)) * (1 - _ROUNDING)
    rows = _added(problem, theta, distances, need) if kind == "add" else _changed(problem, distances, need, kind)
    return KeptPredictions(np.where(scores > 0, 1.0, -1.0), np.where(need > 0, rows, 0))


def _added(problem: Problem, theta: Array, distances: Array, need: Array) -> IntArray:
    """Count added rows: their penalty falls too, and their loss by no more than it is at the centre."""
    ridge, n = _strength(problem), len(problem.signs)
    length, worst = float(np.linalg.norm(theta)), _largest_loss(problem, theta)
    by_loss = worst + 0.5 * ridge * length**2 - 0.5 * ridge * distances**2
    by_slope = (problem.loss.cap * _longest(problem) + ridge * length - ridge * distances) * distances
    pays = np.minimum(by_loss, by_slope) + _ROUNDING * (worst + ridge * length**2 + ridge * distances**2)
    # Where a row pays nothing for the move, no number of them is enough.
    fractions = np.divide(need, pays, out=np.full_like(need, _MOST), where=pays > 0)
    return np.ceil(np.clip(fractions, 0.0, _MOST) * n * (1 - _ROUNDING) - 1).astype(np.int64)


def _changed(problem: Problem, distances: Array, need: Array, kind: Kind) -> IntArray:
    """Count flipped rows, whose loss falls under one label and grows under the other, or replaced ones."""
    n, cap = len(problem.signs), problem.loss.cap
    longest_first = np.sort(_norms(problem.X))[::-1] * (1 + _ROUNDING)
    if kind == "flip":
        slopes = (1.0 if problem.loss.shift == 0 else 2.0) * cap * longest_first
    else:
        slopes = cap * (longest_first + _longest(problem))
    # Sums of the rows that pay most, for each number of them.
    pay = np.cumsum(slopes) / n * (1 + _ROUNDING)
    wanted = np.divide(need, distances, out=np.zeros_like(need), where=distances > 0)
    return np.minimum(np.searchsorted(pay, wanted, side="left"), n // 2)


def _norms(X: Matrix) -> Array:
    squares = X.multiply(X) if hasattr(X, "multiply") else X * X
    return np.sqrt(np.asarray(squares.sum(axis=1)).ravel() + 1.0)


def _largest_loss(problem: Problem, theta: Array) -> float:
    margins = [
        sign * theta[-1] - maximize(region, -sign * theta[:-1]).bound
        for region, sign in zip(problem.regions, (-1.0, 1.0), strict=True)
    ]
    return float(problem.loss.value(np.array(margins)).max()) * (1 + _ROUNDING)


def _longest(problem: Problem) -> float:
    """Bound the norm of every feasible row, constant feature included."""
    return max(_norm(region) for region in problem.regions)


def _norm(region: Region) -> float:
    # Counts within the radius of the integer form are within the ball too.
    by_ball = float(np.linalg.norm(region.centre)) + region.radius
    by_box = float(np.linalg.norm(np.maximum(np.abs(region.lower), np.abs(region.upper))))
    return float(np.hypot(min(by_ball, by_box), 1.0)) * (1 + _ROUNDING)


def _strength(problem: Problem) -> float:
    if not isinstance(problem.hypothesis, Ridge):
        raise InvalidArgument("norm_squared", "a ridge in its place for single predictions", problem.hypothesis)
    return problem.hypothesis.strength
