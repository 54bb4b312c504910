"""Smooth linear models retrained on the same clean rows with changing poison."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import brentq
from scipy.sparse import csr_array, issparse

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.checks import check_positive
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.influence.inverse_hessian import (
    LARGEST_FACTOR,
    InverseHessian,
    RowProducts,
    invert_hessian,
    products,
)
from toadstone.kernels.linear.dual_curve import return_to_curve
from toadstone.kernels.linear.fit import LinearSolver
from toadstone.kernels.losses import MarginLoss
from toadstone.kernels.rows import stack

_NEGLIGIBLE, _HIDDEN, _NEARLY = 1e-12, 1e-13, 1e-10
_MOST_STEPS, _MOST_STALLS = 100, 8
_TRIALS = ((1.0, 1.0), (4.0, 1.0), (16.0, 1.0), (16.0, 0.3), (16.0, 0.1))

_SWEEPS = 5


class PoisonedTraining:
    """Repeated training of a smooth model on the same clean rows with changing poison.

    Minimizes the mean loss of all rows plus ``ridge / 2`` times the squared
    norm, bias included. The steps are Newton's, of the equations that tie dual
    variables to margins; after each, every row returns to its own curve on a
    line as steep as its dual variable alone would move its margin. For a loss
    that is nearly a hinge that takes a few steps where Newton's method on the
    weights takes dozens.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
    signs : ndarray of shape (n,)
        Labels -1 or +1.
    loss : MarginLoss
        With a temperature: "smooth_hinge" or "logistic".
    ridge : float

    Raises
    ------
    InvalidArgument
        If the loss has no second derivative, or `ridge` is not positive.
    """

    def __init__(self, X: Matrix, signs: Array, *, loss: MarginLoss, ridge: float) -> None:
        if not loss.temperature > 0:
            raise InvalidArgument("loss", "smooth_hinge or logistic, which have second derivatives", loss.name)
        check_positive(ridge=ridge)
        self.X, self.signs, self.loss, self.ridge = X, signs, loss, ridge
        squares = X.multiply(X) if issparse(X) else X**2
        self.squared_norms = np.asarray(squares.sum(axis=1)).ravel() + 1.0
        self.row_products = RowProducts(X)

    def fit(
        self, points: Array, signs: Array, copies: Array, *, start: Array | None = None, tolerance: float = 1e-6
    ) -> SmoothFit:
        """Train on the clean rows and copies of poison points.

        Parameters
        ----------
        points : ndarray of shape (k, d)
        signs : ndarray of shape (k,)
            Labels -1 or +1 of the points.
        copies : ndarray of shape (k,)
            How many times each point occurs.
        start : ndarray of shape (n + k,), optional
            Dual variables of a similar fit.
        tolerance : float
            Stop when the duality gap is below this share of the objective, or
            cannot be made smaller. Zero for all digits that there are.

        Returns
        -------
        SmoothFit
        """
        poison = csr_array(points) if issparse(self.X) else points
        problem = _Problem(self, poison, signs, copies)
        duals = problem.first_duals() if start is None else np.clip(start, 0.0, 1.0)
        fit, stalls, sweeping = problem.measure(duals), 0, True
        best = fit
        for _ in range(_MOST_STEPS):
            if best.gap <= max(tolerance, _HIDDEN) * best.objective or stalls >= _MOST_STALLS:
                break
            # Where the loss bends at many rows, sweeps are cheap and converge fast, mostly.
            sweeping = sweeping and problem.count_felt(fit.duals) > LARGEST_FACTOR
            fit = problem.measure(problem.sweep(fit.duals)) if sweeping else problem.improve(fit)
            sweeping = fit.gap < 0.5 * best.gap
            stalls = 0 if fit.gap < 0.9 * best.gap else stalls + 1
            best = min(best, fit, key=lambda one: one.gap)
        # What rounding hides in the gap, two more steps settle.
        return best if tolerance >= _HIDDEN else problem.improve(problem.improve(best))


class _Problem:
    """One training problem: clean rows, then poison points with their copies."""

    def __init__(self, clean: PoisonedTraining, poison: Matrix, signs: Array, copies: Array) -> None:
        self.clean, self.poison, self.loss = clean, poison, clean.loss
        n, total = len(clean.signs), len(clean.signs) + float(copies.sum())
        self.n, self.signs = n, np.concatenate([clean.signs, signs])
        self.costs = np.concatenate([np.ones(n), copies]) / total
        squares = poison.multiply(poison) if issparse(poison) else poison**2
        norms = np.concatenate([clean.squared_norms, np.asarray(squares.sum(axis=1)).ravel() + 1.0])
        self.bends = self.costs * norms / clean.ridge

    def scores(self, theta: Array) -> Array:
        return np.asarray(np.concatenate([self.clean.X @ theta[:-1], self.poison @ theta[:-1]]) + theta[-1])

    def combine(self, duals: Array) -> Array:
        """Compute the model of given dual variables, which need not lie in [0, 1]."""
        pull = self.costs * self.signs * duals
        weights = self.clean.X.T @ pull[: self.n] + self.poison.T @ pull[self.n :]
        return np.append(weights, pull.sum()) / self.clean.ridge

    def first_duals(self) -> Array:
        """Compute first dual variables by a few sweeps of coordinate ascent."""
        return self.sweep(np.full(len(self.costs), 0.5))

    def measure(self, duals: Array) -> SmoothFit:
        theta = self.combine(duals)
        margins = self.signs * self.scores(theta)
        penalty = 0.5 * self.clean.ridge * float(theta @ theta)
        primal = float(self.costs @ self.loss.value(margins)) + penalty
        dual = float(self.costs @ self.loss.conjugate_gain(duals)) - penalty
        return SmoothFit(theta, duals, margins, primal, abs(primal - dual), self)

    def improve(self, fit: SmoothFit) -> SmoothFit:
        """Take a Newton step, damped until the dual rises; descend the primal where it does not."""
        margins, ahead = self._newton(fit)
        # At the last digits the dual drowns in rounding.
        enough = fit.objective - fit.gap - _HIDDEN * fit.objective
        target = np.empty_like(ahead)
        for steepness, share in _TRIALS:
            bends = steepness * self.bends
            return_to_curve(margins, bends, ahead, self.loss.shift, self.loss.temperature, target)
            trial = self.measure(fit.duals + share * (target - fit.duals))
            if trial.objective - trial.gap >= enough:
                return trial
        return self.descend(fit)

    def descend(self, fit: SmoothFit) -> SmoothFit:
        """Minimize by Newton's method on the weights with exact line search: slow, but convergent."""
        theta, margins, ridge = fit.theta, fit.margins, self.clean.ridge
        for _ in range(_MOST_STEPS):
            duals = -self.loss.derivative(margins)
            gradient = ridge * (theta - self.combine(duals))
            way = -self.inverse(duals)[0].solve(gradient)
            if -(gradient @ way) <= _NEARLY * fit.objective:
                break
            moved = self.signs * self.scores(way)
            stride = self._stride(margins, moved, ridge * float(theta @ way), ridge * float(way @ way))
            theta, margins = theta + stride * way, margins + stride * moved
        return self.measure(-self.loss.derivative(margins))

    def _stride(self, margins: Array, moved: Array, slope: float, bend: float) -> float:
        """Minimize the objective along a direction, over steps of at most one."""
        weighted = self.costs * moved

        def derivative(stride: float) -> float:
            return slope + stride * bend + float(weighted @ self.loss.derivative(margins + stride * moved))

        # A convex function still falling at the full Newton step has its minimum beyond it.
        if derivative(1.0) <= 0:
            return 1.0
        return float(brentq(derivative, 0.0, 1.0, rtol=1e-3)) if derivative(0.0) < 0 else 1e-3

    def inverse(self, duals: Array) -> tuple[InverseHessian, IntArray, Array]:
        """Compute the inverse Hessian, the rows that contribute to it, and their second derivatives."""
        felt = self._felt(duals)
        second = duals[felt] * (1 - duals[felt]) / self.loss.temperature
        clean, poison = felt[felt < self.n], felt[felt >= self.n] - self.n
        rows = stack([self.clean.X[clean], self.poison[poison]])
        gram = None
        if len(felt) <= min(rows.shape[1], LARGEST_FACTOR):
            cross = products(rows, self.poison[poison])
            gram = np.block([[self.clean.row_products.among(clean), cross[: len(clean)]], [cross.T]])
        return invert_hessian(rows, self.costs[felt] * second, self.clean.ridge, gram), felt, second

    def count_felt(self, duals: Array) -> int:
        return len(self._felt(duals))

    def _felt(self, duals: Array) -> IntArray:
        # Rows far from the margin have no second derivative worth a line of the system.
        return np.flatnonzero(duals * (1 - duals) > _NEGLIGIBLE)

    def _newton(self, fit: SmoothFit) -> tuple[Array, Array]:
        """Solve the linearized equations for margins and dual variables."""
        duals, margins = fit.duals, fit.margins
        inverse, felt, second = self.inverse(duals)
        # Each row obeys margin = shift - T logit(a); the derivative of T logit(a) is T / (a (1 - a)).
        odds = np.log(duals[felt]) - np.log1p(-duals[felt])
        residual = self.loss.shift - self.loss.temperature * odds - margins[felt]
        pull = np.zeros_like(duals)
        pull[felt] = second * residual
        moved = self.signs * self.scores(inverse.solve(self.clean.ridge * self.combine(pull)))
        ahead = duals.copy()
        ahead[felt] += second * (residual - moved[felt])
        return margins + moved, ahead

    def sweep(self, duals: Array) -> Array:
        """Run a few passes of coordinate ascent."""
        rows = stack([self.clean.X, self.poison])
        solver = LinearSolver(self.loss, self.clean.ridge, tolerance=1e-12, max_sweeps=_SWEEPS)
        return solver.fit(rows, self.signs, weights=self.costs, duals=duals).duals


@dataclass(frozen=True, eq=False)
class SmoothFit:
    """A smooth model trained on clean rows and poison, with its inverse Hessian.

    Parameters
    ----------
    theta : ndarray of shape (d + 1,)
        Weights, then the bias.
    duals : ndarray of shape (n + k,)
        Slope of each row's loss, in [0, 1]; clean rows first.
    margins : ndarray of shape (n + k,)
    objective, gap : float
        Value of the penalized mean loss, and its distance at most from the
        optimum.
    problem : object
        What was solved.
    """

    theta: Array
    duals: Array
    margins: Array
    objective: float
    gap: float
    problem: _Problem

    @cached_property
    def inverse_hessian(self) -> InverseHessian:
        """Inverse Hessian of the penalized mean loss at the model."""
        return self.problem.inverse(self.duals)[0]

    @property
    def temperature(self) -> float:
        """Temperature of the training loss."""
        return self.problem.loss.temperature

    @property
    def poison(self) -> tuple[Matrix, Array, Array]:
        """The poison points, their labels -1 or +1, and their dual variables."""
        problem = self.problem
        return problem.poison, problem.signs[problem.n :], self.duals[problem.n :]
