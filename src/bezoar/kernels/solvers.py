"""Regularized linear models by dual coordinate descent, with a duality gap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import csr_array

from bezoar.core.arrays import Array, IntArray, Matrix
from bezoar.core.errors import InvalidArgument
from bezoar.kernels.descent import sweep
from bezoar.kernels.losses import MarginLoss

Bias = Literal["regularized", "free", "none"]
_SWEEPS_PER_CHECK = 5


@dataclass(frozen=True, eq=False)
class LinearFit:
    """A trained linear model and what proves how good it is.

    Parameters
    ----------
    theta : ndarray of shape (d + 1,)
        Weights, then the bias.
    duals : ndarray of shape (n,)
        Dual variables, to start a similar fit from.
    objective, gap : float
        Value of the penalized mean loss, and its distance at most from the
        optimum.
    sweeps : int
        Passes over the rows.
    """

    theta: Array
    duals: Array
    objective: float
    gap: float
    sweeps: int


class Rows:
    """Labelled rows in the form that the compiled sweeps read.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    signs : ndarray of shape (n,)
        Labels -1 or +1.
    costs : ndarray of shape (n,)
        Weight of each row's loss.
    bias : float
        Value of the constant feature; zero for none.
    """

    def __init__(self, X: Matrix, signs: Array, costs: Array, bias: float) -> None:
        self.matrix = csr_array(X)
        self.transposed = self.matrix.T
        self.signs, self.costs, self.bias = signs, costs, bias
        self._squares = self.matrix.multiply(self.matrix)
        self.squared_norms = np.asarray(self._squares.sum(axis=1)).ravel()
        # Unsigned indices spare the compiled loop a branch for negative ones.
        indices = self.matrix.indices.view(np.uint64 if self.matrix.indices.itemsize == 8 else np.uint32)
        self._parts = (self.matrix.data, indices, self.matrix.indptr)
        self.measure(np.ones(X.shape[1]), np.empty((X.shape[1], 0)))

    def measure(self, scales: Array, factor: Array) -> None:
        """Let later sweeps move the model by ``diag(scales) + factor @ factor.T``.

        Parameters
        ----------
        scales : ndarray of shape (d,)
        factor : ndarray of shape (d, r)
        """
        products = np.ascontiguousarray(self.matrix @ factor)
        squared_norms = self._squares @ scales + np.einsum("ij,ij->i", products, products)
        self._metric = (scales, products, squared_norms)

    def margins(self, theta: Array) -> Array:
        """Signed scores of all rows."""
        return np.asarray(self.signs * (self.matrix @ theta[:-1] + self.bias * theta[-1]))

    def combine(self, duals: Array) -> Array:
        """The sum of signed rows, constant feature last, weighted by cost and dual."""
        weights = self.costs * self.signs * duals
        return np.append(self.transposed @ weights, self.bias * weights.sum())

    def sweep(self, order: IntArray, kappa: float, loss: MarginLoss, theta: Array, duals: Array) -> float:
        """One pass of dual coordinate ascent over `order`, in place."""
        shape = (loss.shift, loss.temperature, loss.curvature, loss.cap)
        return float(
            sweep(self._parts, self.signs, self.costs, self._metric, order, kappa, self.bias, shape, theta, duals)
        )


def unsettled(duals: Array, margins: Array, loss: MarginLoss, slack: float) -> IntArray:
    """The rows whose dual variable is not yet held at a bound by a clear margin."""
    if loss.temperature > 0:
        return np.arange(len(duals))
    settled = (duals <= 0) & (margins > loss.shift + slack)
    settled |= (duals >= loss.cap) & (margins < loss.shift - loss.curvature * loss.cap - slack)
    return np.flatnonzero(~settled)


def fit_linear(
    X: Matrix,
    signs: Array,
    *,
    loss: MarginLoss,
    ridge: float,
    bias: Bias = "regularized",
    weights: Array | None = None,
    duals: Array | None = None,
    tolerance: float = 1e-6,
    seed: int = 0,
    max_sweeps: int = 20_000,
) -> LinearFit:
    """Minimize the weighted mean loss plus ``ridge / 2`` times the squared norm.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    signs : ndarray of shape (n,)
        Labels -1 or +1.
    loss : MarginLoss
    ridge : float
        Positive. The penalty is per row: liblinear's ``C`` is
        ``1 / (n * ridge)``.
    bias : {"regularized", "free", "none"}
        Whether the bias is penalized like a weight (liblinear's convention),
        not penalized, or absent.
    weights : ndarray of shape (n,), optional
        Relative weights of the rows, not negative; all one by default.
    duals : ndarray of shape (n,), optional
        Dual variables of a similar problem to start from.
    tolerance : float
        Stop when the duality gap is below this share of the objective.
    seed : int
        Of the order in which rows are visited.
    max_sweeps : int
        Give up after as many passes; the gap then tells what was reached.

    Returns
    -------
    LinearFit

    Raises
    ------
    InvalidArgument
        If `ridge` is not positive, or a weight is negative, or all are zero.
    """
    if not 0 < ridge < np.inf:
        raise InvalidArgument("ridge", "a positive number", ridge)
    if weights is not None and not (np.all(weights >= 0) and 0 < weights.sum() < np.inf):
        raise InvalidArgument("weights", "numbers that are not negative, with a positive sum", np.sum(weights))
    n = X.shape[0]
    costs = np.full(n, 1 / n) if weights is None else weights / weights.sum()
    rows = Rows(X, signs, costs, 0.0 if bias == "none" else 1.0)
    start = np.zeros(n) if duals is None else np.clip(duals, 0.0, loss.cap)
    descent = _Descent(rows, loss, ridge, free_bias=bias == "free")
    return descent.run(start, tolerance, np.random.default_rng(seed), max_sweeps)


class _Descent:
    """Sweeps and gap checks; a free bias is approached by proximal steps."""

    def __init__(self, rows: Rows, loss: MarginLoss, ridge: float, *, free_bias: bool) -> None:
        self.rows, self.loss, self.ridge, self.free_bias = rows, loss, ridge, free_bias
        self.centre = 0.0
        self.class_means = {sign: self._class_mean(sign) for sign in (-1.0, 1.0)} if free_bias else {}

    def _class_mean(self, sign: float) -> tuple[float, Array]:
        shares = np.where(self.rows.signs == sign, self.rows.costs, 0.0)
        mass = float(shares.sum())
        return mass, np.asarray(self.rows.transposed @ shares) / (mass or 1.0)

    def run(self, duals: Array, tolerance: float, rng: np.random.Generator, max_sweeps: int) -> LinearFit:
        theta = self.primal(duals)
        margins, fit = self.check(theta, duals, 0)
        slack = np.inf
        while fit.gap > tolerance * max(fit.objective, 1e-12) and fit.sweeps < max_sweeps:
            active = unsettled(duals, margins, self.loss, slack)
            for _ in range(_SWEEPS_PER_CHECK):
                change = self.rows.sweep(rng.permutation(active), self.ridge, self.loss, theta, duals)
            slack = 10 * change
            if self.free_bias:
                self.centre = theta[-1]
            theta = self.primal(duals)
            margins, fit = self.check(theta, duals, fit.sweeps + _SWEEPS_PER_CHECK)
        return fit

    def primal(self, duals: Array) -> Array:
        theta = self.rows.combine(duals) / self.ridge
        theta[-1] += self.centre
        return theta

    def check(self, theta: Array, duals: Array, sweeps: int) -> tuple[Array, LinearFit]:
        margins = self.rows.margins(theta)
        penalized = theta[:-1] if self.free_bias else theta
        penalty = 0.5 * self.ridge * penalized @ penalized
        objective = float(self.rows.costs @ self.loss.value(margins) + penalty)
        dual = self.rows.costs @ self.loss.conjugate_gain(duals)
        dual -= self.free_penalty(theta, objective) if self.free_bias else penalty
        gap = max(float(objective - dual), 0.0)
        return margins, LinearFit(theta.copy(), duals.copy(), objective, gap, sweeps)

    def free_penalty(self, theta: Array, objective: float) -> float:
        """What the dual loses to the weights and to an imbalance of its classes.

        The dual of a free bias wants both classes equally heavy. An excess of
        one class would gain from an optimal bias at most what keeps the mean
        margin of the other class from a loss beyond `objective`.
        """
        imbalance = self.ridge * (theta[-1] - self.centre)
        mass, mean = self.class_means[-np.sign(imbalance) or 1.0]
        weights = theta[:-1] - imbalance / self.ridge * mean
        penalty = 0.5 * self.ridge * float(weights @ weights)
        if imbalance == 0.0:
            return penalty
        least_margin = float(self.loss.conjugate_gain(np.ones(1))[0]) - objective / mass if mass > 0 else -np.inf
        return penalty - abs(float(imbalance)) * least_margin
