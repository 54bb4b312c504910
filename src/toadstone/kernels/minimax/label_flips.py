"""Labels flipped in place: the worst training objective, bounded from both sides.

The attacker gives each row i a share q_i of its loss under the other label,
with a limited sum; the defender trains. The objective is linear in the shares
and convex in the model, so that the order of the two does not matter. A price
for each flip takes the place of the limit: the loss of a row is then the
larger of its own and its flipped one less the price, and dual coordinate
ascent trains with it. The price is searched at which the limit is met.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.optimize import brentq

from toadstone.core.arrays import Array, IntArray, Matrix
from toadstone.core.checks import check_positive
from toadstone.kernels.linear.coordinate_descent import dual_step
from toadstone.kernels.losses import MarginLoss
from toadstone.kernels.minimax.flip_budget import (
    FlipBudget,
    bound_flips,
    gains_of_flips,
    train_flipped,
    value_of_flips,
)
from toadstone.kernels.rows import CSRParts, csr_parts

_FEWEST_SWEEPS, _MOST_SWEEPS, _MOST_VISITS, _SWEEPS_PER_CHECK = 200, 4000, 1e8, 4
_MOST_PRICES, _CYCLES, _STEPS_PER_ATTACK = 40, 4, 5
_NARROW, _NARROWEST = 0.05, 1e-10
_LEAST_TOLERANCE = 1e-10
_NEVER = 1e6
"""A price at which no flip pays."""


@dataclass(frozen=True, eq=False)
class FlipSaddle:
    """A bound for flipped labels, the model that proves it, and the flips that nearly meet it.

    Parameters
    ----------
    theta : ndarray of shape (d + 1,)
        Weights, then the bias.
    bound : float
        The largest objective at `theta` after any flips within the limits.
    value : float
        The least objective of any model after the flips of `shares`.
    shares : ndarray of shape (n,)
        How much of each row is flipped, in [0, 1]: fractions of flips.
    clean_duals, turned_duals : ndarray of shape (n,)
        Dual variables of each row under its own and its other label, that
        prove `value`.
    """

    theta: Array
    bound: float
    value: float
    shares: Array
    clean_duals: Array
    turned_duals: Array


def solve_flips(
    X: Matrix,
    signs: Array,
    budget: FlipBudget,
    *,
    loss: MarginLoss,
    ridge: float,
    tolerance: float = 1e-4,
    seed: int = 0,
) -> FlipSaddle:
    """Bound the worst training objective after flips of labels, and find fractional flips that nearly reach it.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        Clean rows.
    signs : ndarray of shape (n,)
        Their labels, -1 or +1.
    budget : FlipBudget
    loss : MarginLoss
    ridge : float
        Penalty for each row: half of it times the squared norm of weights and
        bias.
    tolerance : float
        Relative gap between bound and value at which to stop.
    seed : int
        Of the order in which rows are visited.

    Returns
    -------
    FlipSaddle

    Raises
    ------
    InvalidArgument
        If the ridge is not positive.

    Examples
    --------
    >>> from toadstone.kernels.losses import HINGE
    >>> X, signs = np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array([-1.0, -1.0, 1.0, 1.0])
    >>> found = solve_flips(X, signs, FlipBudget.of_all(4, 1), loss=HINGE, ridge=0.1)
    >>> round(found.bound, 3), found.bound - found.value < 1e-4
    (0.763, True)
    """
    check_positive(ridge=ridge)
    return _Search(_Training(X, signs, loss, ridge, budget.groups, seed), budget, tolerance).run()


class _Attack(NamedTuple):
    """Shares of flips, with dual variables of both labels."""

    shares: Array
    clean: Array
    turned: Array


class _Training:
    """Training with priced flips by dual coordinate ascent, from where the last training ended."""

    def __init__(self, X: Matrix, signs: Array, loss: MarginLoss, ridge: float, groups: IntArray, seed: int) -> None:
        self.X, self.signs, self.loss, self.ridge, self.groups = X, signs, loss, ridge, groups
        self.parts = csr_parts(X)
        squares = X.multiply(X) if hasattr(X, "multiply") else X * X
        self.squares = np.asarray(squares.sum(axis=1)).ravel() + 1.0
        self.rng = np.random.default_rng(seed)
        # Few rows that share a kink take many passes, which are cheap.
        entries = max(len(self.parts.values), 1)
        self.most_sweeps = int(min(max(_MOST_VISITS / entries, _FEWEST_SWEEPS), _MOST_SWEEPS))
        # Dual variable of a row's label less that of its other label.
        self.duals = np.full(len(signs), min(0.5, loss.cap))
        self.theta = self.model()

    def model(self) -> Array:
        """Return the model of the present duals."""
        weights = self.signs * self.duals / (len(self.signs) * self.ridge)
        return np.append(self.X.T @ weights, weights.sum())

    def margins(self) -> Array:
        """Return the margins at the present model."""
        return np.asarray(self.signs * (self.X @ self.theta[:-1] + self.theta[-1]))

    def train(self, prices: Array, tolerance: float) -> None:
        """Train with a price for each group until the relative duality gap is below the tolerance."""
        n, crossings = len(self.signs), np.array([_crossing(self.loss, price) for price in prices])
        for sweep in range(self.most_sweeps):
            order = self.rng.permutation(n)
            marks = crossings[self.groups]
            _sweep(
                self.parts,
                (self.signs, self.squares, marks),
                order,
                n * self.ridge,
                self.loss.coefficients,
                self.theta,
                self.duals,
            )
            if sweep % _SWEEPS_PER_CHECK == _SWEEPS_PER_CHECK - 1:
                # The sum of many small steps drifts.
                self.theta = self.model()
                primal, dual = self._objectives(prices)
                if primal - dual <= tolerance * abs(primal):
                    break

    def _objectives(self, prices: Array) -> tuple[float, float]:
        margins, price, attack = self.margins(), prices[self.groups], self.attack(prices)
        penalty = 0.5 * self.ridge * float(self.theta @ self.theta)
        primal = float(np.maximum(self.loss.value(margins), self.loss.value(-margins) - price).mean()) + penalty
        gain = (1 - attack.shares) * self.loss.conjugate_gain(attack.clean)
        gain += attack.shares * (self.loss.conjugate_gain(attack.turned) - price)
        return primal, float(gain.mean()) - penalty

    def attack(self, prices: Array) -> _Attack:
        """Split the duals into shares of flips, and dual variables of both labels."""
        crossings = np.array([_crossing(self.loss, price) for price in prices])
        upper = -self.loss.derivative(crossings)[self.groups]
        lower = -self.loss.derivative(-crossings)[self.groups]
        shares = np.clip((upper - self.duals) / (upper + lower), 0.0, 1.0)
        return _Attack(shares, np.maximum(self.duals, upper), np.maximum(-self.duals, lower))


class _Search:
    """Search of the prices at which the limits are met."""

    def __init__(self, training: _Training, budget: FlipBudget, tolerance: float) -> None:
        self.training, self.budget, self.tolerance = training, budget, tolerance
        self.bound, self.theta, self.value = np.inf, training.theta, -np.inf
        self.attack = _Attack(*(np.zeros(len(training.duals)) for _ in range(3)))

    def run(self) -> FlipSaddle:
        """Search the price of each group in turn, until bound and value meet."""
        training, limits = self.training, self.budget.limits
        training.train(np.full(len(limits), _NEVER), self._accuracy())
        self._try_bound()
        self._try_attack(np.zeros(len(training.duals)))
        gains = np.maximum(gains_of_flips(training.loss, training.margins()), 0.0)
        # The least price at which no flip pays at this model is that of the last one within the limit.
        prices = np.array([_last_within(gains[training.groups == g], int(limit)) for g, limit in enumerate(limits)])
        for _ in range(1 if len(limits) == 1 else _CYCLES):
            for group in np.flatnonzero(limits > 0).tolist():
                if not self.closed:
                    prices[group] = self._price(prices, group)
        return FlipSaddle(self.theta, self.bound, self.value, *self.attack)

    @property
    def closed(self) -> bool:
        """True where bound and value are close enough."""
        return self.bound - self.value <= self.tolerance * self.bound

    def _accuracy(self) -> float:
        return max(0.1 * self.tolerance, _LEAST_TOLERANCE)

    def _price(self, prices: Array, group: int) -> float:
        """Narrow the price at which a group's flips use up its limit, others as they are."""
        limit, price, bracket = float(self.budget.limits[group]), float(prices[group]), _Bracket()
        for step in range(_MOST_PRICES):
            prices[group] = price
            self.training.train(prices, self._accuracy())
            self._try_bound()
            shares = self.training.attack(prices).shares
            bracket.add(price, float(self.budget.used(shares)[group]) - limit, shares)
            if bracket.width <= _NARROW * price or step % _STEPS_PER_ATTACK == _STEPS_PER_ATTACK - 1:
                self._try_attack(bracket.mixed())
            if self.closed or bracket.width <= _NARROWEST * price or (price == 0 and bracket.over is None):
                break
            price = bracket.next_price()
        return price

    def _try_bound(self) -> None:
        training = self.training
        self._keep_bound(training.theta)

    def _keep_bound(self, theta: Array) -> None:
        training = self.training
        bound = bound_flips(training.X, training.signs, theta, self.budget, loss=training.loss, ridge=training.ridge)
        if bound < self.bound:
            self.bound, self.theta = bound, theta.copy()

    def _try_attack(self, shares: Array) -> None:
        """Train after some flips, within the limits once scaled, and keep what raises the value."""
        training, used = self.training, self.budget.used(shares)
        scales = np.minimum(1.0, self.budget.limits / np.maximum(used, 1e-300))
        shares = shares * scales[self.budget.groups]
        flipped = train_flipped(training.X, training.signs, shares, loss=training.loss, ridge=training.ridge)
        theta, clean, turned = flipped
        self._keep_bound(theta)
        value = value_of_flips(
            training.X, training.signs, shares, (clean, turned), loss=training.loss, ridge=training.ridge
        )
        if value > self.value:
            self.value, self.attack = value, _Attack(shares, clean, turned)


class _Bracket:
    """Prices at which flips exceed a limit, and at which they keep it."""

    def __init__(self) -> None:
        self.over: tuple[float, float, Array] | None = None
        self.under: tuple[float, float, Array] | None = None

    @property
    def width(self) -> float:
        """Distance of the two prices; infinite until there are two."""
        return self.under[0] - self.over[0] if self.over and self.under else np.inf

    def add(self, price: float, excess: float, shares: Array) -> None:
        """Take the flips at a price into account."""
        if excess > 0:
            self.over = (price, excess, shares)
        else:
            self.under = (price, excess, shares)

    def mixed(self) -> Array:
        """Return shares that meet the limit, between those of the two prices."""
        if self.over is None or self.under is None:
            return (self.over or self.under)[2]  # type: ignore[index]
        weight = -self.under[1] / (self.over[1] - self.under[1])
        return np.asarray(weight * self.over[2] + (1 - weight) * self.under[2])

    def next_price(self) -> float:
        """Return the price to try next: where a line meets the limit, well within the bracket."""
        if self.under is None:
            return 1.3 * self.over[0] + 1e-3  # type: ignore[index]
        if self.over is None:
            return 0.7 * self.under[0] if self.under[0] > 1e-3 else 0.0
        share = self.over[1] / (self.over[1] - self.under[1])
        return self.over[0] + self.width * min(max(share, 0.2), 0.8)


def _last_within(gains: Array, limit: int) -> float:
    return float(np.sort(gains)[-limit]) if 0 < limit <= len(gains) else _NEVER


def _crossing(loss: MarginLoss, price: float) -> float:
    """Return the margin at which a row's loss equals that of its flip less the price."""
    if price <= 0:
        return 0.0

    def excess(margin: float) -> float:
        return float(loss.value(np.array(-margin)) - loss.value(np.array(margin))) - price

    return float(brentq(excess, 0.0, price + 10.0, xtol=1e-15, rtol=1e-15))


@njit(cache=True, nogil=True)
def _sweep(
    parts: CSRParts,
    rows: tuple[Array, Array, Array],
    order: IntArray,
    scale: float,
    loss: tuple[float, float, float, float],
    theta: Array,
    duals: Array,
) -> None:
    """Maximize over one dual after the other: a row's loss below its crossing, that of its flip above it."""
    signs, squares, crossings = rows
    for row in order:
        start, end = parts.pointers[row], parts.pointers[row + 1]
        score = theta[-1]
        for entry in range(start, end):
            score += theta[parts.indices[entry]] * parts.values[entry]
        margin, old, growth = signs[row] * score, duals[row], squares[row] / scale
        new = dual_step(margin, growth, old, 0.0, loss)
        if margin + growth * (new - old) > crossings[row]:
            new = -dual_step(-margin, growth, -old, 0.0, loss)
            if margin + growth * (new - old) < crossings[row]:
                new = old + (crossings[row] - margin) / growth
        if new != old:
            duals[row] = new
            step = signs[row] * (new - old) / scale
            for entry in range(start, end):
                theta[parts.indices[entry]] += step * parts.values[entry]
            theta[-1] += step
