"""Regularized linear models by dual coordinate descent, with a duality gap."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
from scipy.sparse import csr_array
from threadpoolctl import ThreadpoolController

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.checks import check_positive
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.linear.compressed import compressed
from toadstone.kernels.linear.coordinate_descent import Metric, WeightedRows, sweep
from toadstone.kernels.linear.interior_point import solve_interior
from toadstone.kernels.losses import MarginLoss
from toadstone.kernels.rows import csr_parts

Bias = Literal["regularized", "free", "none"]
_SWEEPS_PER_CHECK = 5
_SWEEPS_BEFORE_NEWTON, _SWEEPS_BEFORE_INTERIOR = 30, 300
_MOST_STALLS = 5
_SMALL_SIDE, _SMALL_TABLE = 1500, 20_000_000
_MOST_FREE = 800
_DENSE_SHARE = 0.08
_SMOOTH, _FEW_COLUMNS, _NEWTON_STEPS = 0.1, 64, 12


@dataclass(frozen=True, eq=False)
class LinearFit:
    """A trained linear model, with its duality gap.

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
    """Labelled rows in the form that compiled sweeps read.

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
        self.matrix = compressed(X)
        self.transposed = self.matrix.T
        self.signs, self.costs, self.bias = signs, costs, bias
        self._squares = self.matrix.multiply(self.matrix)
        self.squared_norms = np.asarray(self._squares.sum(axis=1)).ravel()
        self._parts = csr_parts(self.matrix)
        self.measure(np.ones(X.shape[1]), np.empty((X.shape[1], 0)))

    def measure(self, scales: Array, factor: Array) -> None:
        """Set the metric ``diag(scales) + factor @ factor.T`` by which later sweeps move the model.

        Parameters
        ----------
        scales : ndarray of shape (d,)
        factor : ndarray of shape (d, r)
        """
        self.scales, self.factor = scales, factor
        products = np.ascontiguousarray(self.matrix @ factor)
        squared_norms = self._squares @ scales + np.einsum("ij,ij->i", products, products)
        self._metric = Metric(scales, products, squared_norms)

    def margins(self, theta: Array) -> Array:
        """Compute the signed scores of all rows."""
        return np.asarray(self.signs * (self.matrix @ theta[:-1] + self.bias * theta[-1]))

    def combine(self, duals: Array) -> Array:
        """Sum the signed rows, constant feature last, weighted by cost and dual."""
        weights = self.costs * self.signs * duals
        return np.append(self.transposed @ weights, self.bias * weights.sum())

    def sweep(self, order: IntArray, kappa: float, loss: MarginLoss, theta: Array, duals: Array) -> float:
        """Run one pass of dual coordinate ascent over `order`, in place."""
        rows = WeightedRows(self._parts, self.signs, self.costs, self.bias)
        return float(sweep(rows, self._metric, order, kappa, loss.coefficients, theta, duals))

    def small(self) -> bool:
        """Return True if dense linear systems of these rows are cheap."""
        n, d = (int(size) for size in self.matrix.shape)
        return min(n, d) <= _SMALL_SIDE and n * d <= _SMALL_TABLE

    def signed(self) -> Array:
        """Return the rows times their labels, constant feature last, as a dense table."""
        features = np.column_stack([self.matrix.toarray(), np.full(len(self.signs), self.bias)])
        return np.asarray(self.signs[:, None] * features)

    def newton(self, loss: MarginLoss, ridge: float) -> Array:
        """Return the dual variables near the minimum of a smooth loss, from Newton steps of the model.

        Few columns make the Hessian small, and a dozen of its systems cheaper
        than as many sweeps. The caller checks the duality gap.
        """
        signed, theta = self.signed(), np.zeros(self.matrix.shape[1] + 1)
        margins = signed @ theta
        objective = np.inf
        for _ in range(_NEWTON_STEPS):
            slopes = -loss.derivative(margins)
            bends = self.costs * slopes * (1 - slopes) / loss.temperature
            hessian = (signed * bends[:, None]).T @ signed
            hessian[np.diag_indices_from(hessian)] += ridge
            gradient = ridge * theta - signed.T @ (self.costs * slopes)
            step = solve_damped(hessian, gradient)
            theta, margins = theta - step, margins - signed @ step
            before, objective = objective, float(self.costs @ loss.value(margins) + 0.5 * ridge * theta @ theta)
            # At the last digits, or too far: the gap tells, and sweeps go on from here.
            if objective >= before - 1e-12 * abs(before):
                break
        return -loss.derivative(margins)

    def newton_system(
        self, free: IntArray, theta: Array, duals: Array, kappa: float, loss: MarginLoss
    ) -> tuple[Array, Array]:
        """Build the linear system of a Newton step in some dual variables, times their costs.

        Parameters
        ----------
        free : ndarray of int
            Rows whose dual variables may move.
        theta : ndarray of shape (d + 1,)
            The model at `duals`.
        duals : ndarray of shape (n,)
        kappa : float
            Curvature of the penalty.
        loss : MarginLoss
            Of temperature zero.

        Returns
        -------
        system : ndarray of shape (k, k)
            In the metric last set.
        residual : ndarray of shape (k,)
        """
        part, signs = self.matrix[free], self.signs[free]
        along = part @ self.factor
        system = _gram(part, self.scales) + along @ along.T + self.bias**2
        system *= np.outer(signs, signs) / kappa
        # The conjugate's own curvature; zero for the hinge, whose system is singular where rows depend on each other.
        system[np.diag_indices_from(system)] += loss.curvature / self.costs[free]
        margins = signs * (part @ theta[:-1] + self.bias * theta[-1])
        return system, loss.shift - margins - loss.curvature * duals[free]


def _gram(rows: csr_array, scales: Array) -> Array:
    """Return the inner products of rows whose features are scaled, as a dense table."""
    if rows.nnz < _DENSE_SHARE * rows.shape[0] * rows.shape[1]:
        return np.asarray((csr_array(rows.multiply(scales[None, :])) @ rows.T).toarray())
    # BLAS multiplies zeros faster than sparse products skip them, and half of a symmetric product is enough.
    table = rows.toarray() * np.sqrt(scales)
    return np.asarray(table @ table.T)


def solve_damped(system: Array, residual: Array) -> Array:
    """Solve a positive semidefinite system, slightly damped."""
    if not len(system):
        return residual
    damped = system.copy()
    # Dependent rows make the system singular; a step that is a little short is checked by the dual anyway.
    damped[np.diag_indices_from(damped)] += 1e-8 * max(float(np.trace(system)) / len(system), 1e-300)
    return np.asarray(np.linalg.solve(damped, residual))


def unsettled(duals: Array, margins: Array, loss: MarginLoss, slack: float) -> IntArray:
    """Return the rows whose dual variable may still leave its bound."""
    if loss.temperature > 0:
        return np.arange(len(duals))
    settled = (duals <= 0) & (margins > loss.shift + slack)
    settled |= (duals >= loss.cap) & (margins < loss.shift - loss.curvature * loss.cap - slack)
    return np.flatnonzero(~settled)


@dataclass(frozen=True)
class LinearSolver:
    """A linear training problem and when to stop solving it.

    Parameters
    ----------
    loss : MarginLoss
    ridge : float
        Positive. The penalty is per row: liblinear's ``C`` is
        ``1 / (n * ridge)``.
    bias : {"regularized", "free", "none"}
        Whether the bias is penalized like a weight (liblinear's convention),
        not penalized, or absent.
    tolerance : float
        Stop when the duality gap is below this share of the objective.
    seed : int
        Of the order in which rows are visited.
    max_sweeps : int
        Give up after as many passes; the gap then tells what was reached.

    Raises
    ------
    InvalidArgument
        If `ridge` is not positive.
    """

    loss: MarginLoss
    ridge: float
    bias: Bias = "regularized"
    tolerance: float = 1e-6
    seed: int = 0
    max_sweeps: int = 20_000

    def __post_init__(self) -> None:
        check_positive(ridge=self.ridge)

    def fit(self, X: Matrix, signs: Array, *, weights: Array | None = None, duals: Array | None = None) -> LinearFit:
        """Minimize the weighted mean loss plus ``ridge / 2`` times the squared norm; see `fit_linear`."""
        costs = row_costs(weights, X.shape[0])
        rows = Rows(X, signs, costs, 0.0 if self.bias == "none" else 1.0)
        if self.bias == "free":
            # A free bias may be measured in any unit; sweeps go farther in that of the rows.
            rows.bias = float(np.sqrt(np.median(rows.squared_norms))) or 1.0
        descent = _Descent(rows, self.loss, self.ridge, free_bias=self.bias == "free")
        # Products on several threads sum in another order.
        with _libraries().limit(limits=1, user_api="blas"):
            start = self._start(rows, duals)
            fit = descent.run(start, self.tolerance, np.random.default_rng(self.seed), self.max_sweeps)
        return replace(fit, theta=np.append(fit.theta[:-1], fit.theta[-1] * (rows.bias or 1.0)))

    def _start(self, rows: Rows, duals: Array | None) -> Array:
        """Return the dual variables to begin with: the caller's, those of a few Newton steps, or zeros."""
        if duals is not None:
            return np.clip(duals, 0.0, self.loss.cap)
        smooth = self.loss.temperature >= _SMOOTH and self.bias == "regularized"
        if smooth and rows.matrix.shape[1] <= _FEW_COLUMNS:
            return rows.newton(self.loss, self.ridge)
        return np.zeros(len(rows.costs))


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
) -> LinearFit:
    """Minimize the weighted mean loss plus ``ridge / 2`` times the squared norm.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    signs : ndarray of shape (n,)
        Labels -1 or +1.
    loss, ridge, bias, tolerance
        As in `LinearSolver`, which sets the seed and the number of sweeps too.
    weights : ndarray of shape (n,), optional
        Relative weights of the rows, not negative; all one by default.
    duals : ndarray of shape (n,), optional
        Dual variables of a similar problem to start from.

    Returns
    -------
    LinearFit

    Raises
    ------
    InvalidArgument
        If `ridge` is not positive, or a weight is negative, or all are zero.

    References
    ----------
    .. [1] Hsieh, Chang, Lin, Keerthi and Sundararajan, "A dual coordinate
       descent method for large-scale linear SVM", ICML 2008, algorithm 1.
    """
    return LinearSolver(loss, ridge, bias, tolerance).fit(X, signs, weights=weights, duals=duals)


def row_costs(weights: Array | None, n: int) -> Array:
    """Return the weight of each row's loss, a share of one; equal shares by default.

    Raises
    ------
    InvalidArgument
        If a weight is negative, or all are zero.
    """
    if weights is None:
        return np.full(n, 1 / n)
    if not (np.all(weights >= 0) and 0 < weights.sum() < np.inf):
        raise InvalidArgument("weights", "numbers that are not negative, with a positive sum", np.sum(weights))
    return np.asarray(weights / weights.sum())


@cache
def _libraries() -> ThreadpoolController:
    # Looking for them takes longer than a small fit.
    return ThreadpoolController()


class _Descent:
    """Sweeps and checks of the duality gap; a free bias is approached by proximal steps."""

    def __init__(self, rows: Rows, loss: MarginLoss, ridge: float, *, free_bias: bool) -> None:
        self.rows, self.loss, self.ridge, self.free_bias = rows, loss, ridge, free_bias
        self.centre, self.bias_ridge = 0.0, ridge
        self.class_means = {sign: self._class_mean(sign) for sign in (-1.0, 1.0)} if free_bias else {}

    def _class_mean(self, sign: float) -> tuple[float, Array]:
        shares = np.where(self.rows.signs == sign, self.rows.costs, 0.0)
        mass = float(shares.sum())
        return mass, np.asarray(self.rows.transposed @ shares) / (mass or 1.0)

    def run(self, duals: Array, tolerance: float, rng: np.random.Generator, max_sweeps: int) -> LinearFit:
        theta = self.primal(duals)
        margins, fit = self.check(theta, duals, 0)
        slack, stalls, best = np.inf, 0, fit
        while fit.gap > tolerance * max(fit.objective, 1e-12) and fit.sweeps < max_sweeps and stalls < _MOST_STALLS:
            if fit.sweeps >= _SWEEPS_BEFORE_INTERIOR and self.rows.small():
                duals = self.solve_directly(tolerance)
                # At the last digit, or for a bias far away, it may not get on.
                stalls += int(fit.gap >= 0.7 * best.gap)
            else:
                active = unsettled(duals, margins, self.loss, slack)
                for _ in range(_SWEEPS_PER_CHECK):
                    change = self.rows.sweep(rng.permutation(active), self.ridge, self.loss, theta, duals)
                slack = change
                if fit.sweeps >= _SWEEPS_BEFORE_NEWTON:
                    duals = self.correct(duals)
            if self.free_bias:
                self.centre = self.primal(duals)[-1]
            theta = self.primal(duals)
            margins, fit = self.check(theta, duals, fit.sweeps + _SWEEPS_PER_CHECK)
            best = min(best, fit, key=lambda found: found.gap)
        return best

    def solve_directly(self, tolerance: float) -> Array:
        """Solve the present proximal step for the dual variables by the interior-point method."""
        # Nearly free, so that few proximal steps remain, but with a curvature that the system can be solved with.
        if self.free_bias:
            self.bias_ridge = 1e-6 * self.ridge
        rows, duals = self.rows, np.zeros(len(self.rows.costs))
        counted = np.flatnonzero(rows.costs > 0)
        signed = rows.signed()[counted]
        signed[:, -1] *= np.sqrt(self.ridge / self.bias_ridge)
        shifts = self.loss.shift - rows.signs[counted] * rows.bias * self.centre
        costs = rows.costs[counted]
        duals[counted] = solve_interior(signed, costs, shifts, self.ridge, self.loss, tolerance=0.1 * tolerance)
        return duals

    def correct(self, duals: Array) -> Array:
        """Take a Newton step of the free dual variables, if it raises the dual."""
        free = np.flatnonzero((duals > 1e-9) & (duals < self.loss.cap - 1e-9) & (self.rows.costs > 0))
        if self.loss.temperature > 0 or not 0 < len(free) <= _MOST_FREE:
            return duals
        system, residual = self.rows.newton_system(free, self.primal(duals), duals, self.ridge, self.loss)
        step = solve_damped(system, residual) / self.rows.costs[free]
        before = self.dual_value(duals)
        # Clipping at the bounds may undo the ascent of a full step.
        for scale in (1.0, 0.25, 0.0625):
            trial = duals.copy()
            trial[free] = np.clip(duals[free] + scale * step, 0.0, self.loss.cap)
            if self.dual_value(trial) > before:
                return trial
        return duals

    def dual_value(self, duals: Array) -> float:
        """Compute the dual objective, of the present proximal step where the bias is free."""
        pull = self.rows.combine(duals)
        penalty = pull[:-1] @ pull[:-1] / (2 * self.ridge) + pull[-1] ** 2 / (2 * self.bias_ridge)
        penalty += self.centre * pull[-1]
        return float(self.rows.costs @ self.loss.conjugate_gain(duals) - penalty)

    def primal(self, duals: Array) -> Array:
        pull = self.rows.combine(duals)
        return np.append(pull[:-1] / self.ridge, self.centre + pull[-1] / self.bias_ridge)

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
        """Compute the penalty of the dual: of the weights, and of an imbalance between the classes.

        The dual of a free bias wants both classes equally heavy. An excess of
        one class would gain from an optimal bias at most what keeps the mean
        margin of the other class from a loss beyond `objective`.
        """
        imbalance = self.bias_ridge * (theta[-1] - self.centre) / self.rows.bias
        mass, mean = self.class_means[-np.sign(imbalance) or 1.0]
        weights = theta[:-1] - imbalance / self.ridge * mean
        penalty = 0.5 * self.ridge * float(weights @ weights)
        if imbalance == 0.0:
            return penalty
        least_margin = float(self.loss.conjugate_gain(np.ones(1))[0]) - objective / mass if mass > 0 else -np.inf
        return penalty - abs(float(imbalance)) * least_margin
