"""The minimax training problem of a certificate, solved from both sides.

Minimizes over models ``theta`` the clean loss plus ``fraction`` times the
largest loss of any feasible row. Its dual gives weights to clean rows and to
poison points; ascending it block by block yields an attack, and every model
on the way yields a bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from threadpoolctl import threadpool_limits

from toadstone.core.arrays import Array, IntArray
from toadstone.core.certificate import NormBall, Ridge, Witness
from toadstone.core.feasible import Extremum
from toadstone.kernels.linear.fit import Rows, solve_damped, unsettled
from toadstone.kernels.linear.interior_point import solve_interior
from toadstone.kernels.losses import MarginLoss
from toadstone.kernels.minimax.problem import Problem
from toadstone.kernels.minimax.worst_points import SIGNS, Adversary, LimitedAdversary, applied, gram

_SWEEPS = 8
_MOST_FREE = 800
_LEAST_TRUST, _MOST_TRUST = 1e-3, 0.97
_ROUNDS_PER_CENTRE = 2
_ROUNDS_PER_EXTRAPOLATION = 2
_CLOSE_GAP = 1e-3
_MOST_STALLED_ROUNDS, _ROUNDS_PER_INTERIOR = 100, 20
_MOST_DIRECT_COST = 1e9


@dataclass(frozen=True, eq=False)
class Saddle:
    """A bound, the model that proves it, and the attack that nearly meets it.

    Parameters
    ----------
    theta : ndarray of shape (d + 1,)
        Weights, then the bias.
    bound : float
        Upper bound of the minimax value, from `theta` and `multipliers`.
    value : float
        Dual value: what the witness achieves against every model.
    multipliers : ndarray of shape (2, 1 + J)
        Of the poison oracle at `theta`, for label -1 and +1.
    witness : Witness
    rounds : int
        Rounds of ascent.
    """

    theta: Array
    bound: float
    value: float
    multipliers: Array
    witness: Witness
    rounds: int


def solve_saddle(
    problem: Problem,
    *,
    fraction: float,
    start: Saddle | None = None,
    weights: Array | None = None,
    by_class: tuple[float, float] | None = None,
    tolerance: float = 1e-5,
    seed: int = 0,
    max_rounds: int = 2000,
) -> Saddle:
    """Bound the worst training loss, and find an attack that nearly reaches it.

    Parameters
    ----------
    problem : Problem
    fraction : float
        Poison mass for each unit of clean mass.
    start : Saddle, optional
        The outcome for a similar fraction.
    weights : ndarray of shape (n,), optional
        Of the clean rows' losses, not negative; each is divided by n. One by
        default.
    by_class : tuple of two float, optional
        Poison mass of label -1 and of label +1, whose sum is the fraction; by
        default any split of it.
    tolerance : float
        Stop when bound and value differ by less than this share of the bound.
    seed : int
        Of the order in which rows are visited.
    max_rounds : int
        Give up after as many; what has been found is still valid.

    Returns
    -------
    Saddle

    Raises
    ------
    EmptyFeasibleSet
        If a region has no point.

    References
    ----------
    .. [1] Steinhardt, Koh and Liang, "Certified Defenses for Data Poisoning
       Attacks", NIPS 2017, equations 4 to 6 and algorithm 1. There an online
       method; here block coordinate ascent of the dual, same certificate.
    """
    n, loss = problem.X.shape[0], problem.loss
    rows = Rows(problem.X, problem.signs, (np.ones(n) if weights is None else weights) / n, 1.0)
    adversary = Adversary(problem.regions, fraction, loss)
    if by_class is not None:
        adversary = LimitedAdversary(problem.regions, by_class, loss)
    ascent = _Ascent(rows, adversary, problem.hypothesis, loss)
    if start is not None:
        ascent.resume(start)
    with threadpool_limits(1, user_api="blas"):
        return ascent.run(tolerance, np.random.default_rng(seed), max_rounds)


class _Ascent:
    """Block coordinate ascent of the dual over clean duals, poison masses and poison points."""

    def __init__(self, rows: Rows, adversary: Adversary, hypothesis: NormBall | Ridge, loss: MarginLoss) -> None:
        self.rows, self.adversary, self.loss = rows, adversary, loss
        fraction = adversary.fraction
        self.ridge = hypothesis.strength * (1 + fraction) if isinstance(hypothesis, Ridge) else 0.0
        self.radius = float(np.sqrt(hypothesis.squared_radius)) if isinstance(hypothesis, NormBall) else np.inf
        n, d = rows.matrix.shape
        # A norm ball that does not bind leaves the dual without curvature;
        # proximal steps of this size give it some.
        self.floor = 0.0 if self.ridge else 0.2 * float(rows.squared_norms.mean()) / n
        self.proximity, self.centre = 0.0, np.zeros(d + 1)
        self.set_duals(np.full(n, min(1.0, 0.5 * self.loss.cap)))
        self.extrema: list[Extremum] = []
        # Trust is delta in docs/mathematics.md: the share of the poison's response that sweeps count on.
        self.trust, self.stride = 0.9, 2.0
        self.earlier_state = self.state()
        self.best: tuple[float, Array, Array] = (np.inf, self.centre, np.empty(0))
        self.value, self.witness = -np.inf, self.make_witness()

    def resume(self, start: Saddle) -> None:
        """Start from the model, clean duals and poison of another fraction."""
        self.set_duals(start.witness.clean_duals.copy())
        witness = start.witness
        self.adversary.resume(witness.points, witness.masses, witness.poison_duals)
        self.evaluate(start.theta, self.rows.margins(start.theta))

    def run(self, tolerance: float, rng: np.random.Generator, max_rounds: int) -> Saddle:
        """Ascend until bound and value meet."""
        slack = np.inf
        rounds = 0
        narrowest, idle = np.inf, 0
        for rounds in range(max_rounds):
            theta, _ = self.model(self.pull())
            margins = self.rows.margins(theta)
            self.evaluate(theta, margins)
            gap = self.best[0] - self.value
            idle = idle + 1 if gap > 0.999 * narrowest else 0
            narrowest = min(narrowest, gap)
            if gap <= tolerance * self.best[0] or idle > _MOST_STALLED_ROUNDS:
                break
            if rounds % _ROUNDS_PER_CENTRE == 0:
                self.recentre(theta)
            slack = 10 * self.sweep(unsettled(self.duals, margins, self.loss, slack), rng)
            self.correct()
            if rounds % _ROUNDS_PER_INTERIOR == _ROUNDS_PER_INTERIOR - 1 and self.should_solve_directly(gap):
                self.solve_directly(tolerance)
            if rounds % _ROUNDS_PER_EXTRAPOLATION == 0:
                self.extrapolate()
        bound, best_theta, multipliers = self.best
        return Saddle(best_theta, bound, self.value, multipliers, self.witness, rounds)

    def pull(self) -> Array:
        """Return the dual combination of all signed rows."""
        return self.combined + self.adversary.pull()

    def model(self, pull: Array) -> tuple[Array, float]:
        """Compute the minimizing model for a dual combination, and its curvature."""
        pull = pull + self.proximity * self.centre
        kappa = self.proximity + self.ridge
        if self.radius < np.inf:
            kappa = max(float(np.linalg.norm(pull)) / self.radius, self.proximity, 1e-300)
        return pull / kappa, kappa

    def gain(self) -> float:
        """Compute the part of the dual objective without the model."""
        return float(self.rows.costs @ self.loss.conjugate_gain(self.duals)) + self.adversary.gain()

    def inner_value(self, pull: Array) -> float:
        """Compute the dual objective of the present proximal step."""
        theta, _ = self.model(pull)
        offset = theta - self.centre
        penalty = 0.5 * self.proximity * offset @ offset + 0.5 * self.ridge * theta @ theta
        return float(self.gain() + penalty - pull @ theta)

    def state(self) -> tuple[Array, Array, Array, Array]:
        """Return the variables: clean duals, poison masses and points; and the duals' combination."""
        return self.duals.copy(), self.adversary.masses.copy(), self.adversary.points.copy(), self.combined

    def restore(self, state: tuple[Array, Array, Array, Array]) -> None:
        """Restore an earlier state."""
        self.duals, self.adversary.masses, self.adversary.points, self.combined = state

    def set_duals(self, duals: Array) -> None:
        """Set the clean duals."""
        self.duals = duals
        self.combined = self.rows.combine(duals)

    def evaluate(self, theta: Array, margins: Array) -> None:
        """Evaluate bound and value; keep the model and the duals that improve them."""
        adversary, worst = self.adversary, np.full(2, np.inf)
        if adversary.fraction > 0:
            self.extrema = adversary.attack(theta, self.extrema)
            worst = adversary.worst_margins(theta, self.extrema)
            adversary.place(self.extrema)
        if self.value == -np.inf:
            # Losses are not negative: no duals at all prove as much.
            self.value, self.witness = 0.0, self.make_witness(0.0)
        pull = self.pull()
        # V of docs/mathematics.md: R(z) is |z|^2 / (2 lambda (1 + eps)) for a ridge, rho |z| for a norm ball.
        norm = float(np.linalg.norm(pull))
        value = self.gain() - (norm**2 / (2 * self.ridge) if self.ridge else self.radius * norm)
        if value > self.value:
            self.value, self.witness = value, self.make_witness()
        square = float(theta @ theta)
        # U(s theta) is convex in s and cheap: a shorter model often bounds better while the gap is wide.
        share = self.best_share(margins, worst, square)
        bound = self.bound(share, margins, worst, square)
        if bound < self.best[0]:
            multipliers = np.array([share * extremum.multipliers for extremum in self.extrema])
            self.best = (bound, share * theta, multipliers)

    def bound(self, share: float, margins: Array, worst: Array, square: float) -> float:
        """Compute the upper bound at a multiple of a model, which scales margins and poison oracle alike."""
        total = float(self.rows.costs @ self.loss.value(share * margins)) + 0.5 * self.ridge * share**2 * square
        if self.adversary.fraction > 0:
            total += self.adversary.cost(share * worst)
        return total

    def best_share(self, margins: Array, worst: Array, square: float) -> float:
        """Return the multiple of a model with the smallest bound, while bound and value are far apart."""
        whole = self.bound(1.0, margins, worst, square)
        if min(whole, self.best[0]) - self.value <= _CLOSE_GAP * whole:
            return 1.0
        found = minimize_scalar(
            self.bound, bounds=(0.0, 1.0), args=(margins, worst, square), method="bounded", options={"xatol": 1e-4}
        )
        return min((1.0, float(found.x), 0.0), key=lambda share: self.bound(share, margins, worst, square))

    def make_witness(self, scale: float = 1.0) -> Witness:
        """Return the present attack and duals, with the masses filled up to the fraction."""
        adversary = self.adversary
        duals = scale * self.duals, scale * adversary.masses
        return Witness(adversary.points[:, :-1].copy(), SIGNS, adversary.filled(), *duals)

    def recentre(self, theta: Array) -> None:
        """Start a proximal step at `theta` where the norm ball has gone slack."""
        began, (_, kappa) = self.proximity > 0, self.model(self.pull())
        self.proximity = self.floor if kappa <= self.floor else 0.0
        # Without a centre a slack ball leaves the model on its boundary, far from any optimum.
        start = theta if began else self.best[1]
        self.centre = start.copy() if self.proximity else np.zeros_like(theta)

    def sweep(self, active: IntArray, rng: np.random.Generator) -> float:
        """Sweep the clean rows in the metric of the poison's response, then move the poison."""
        change = 0.0
        level = self.inner_value(self.pull())
        if self.adversary.fraction > 0:
            self.rows.measure(*self.adversary.metric(self.trust))
        for _ in range(_SWEEPS):
            kept = self.state()
            theta, kappa = self.model(self.pull())
            duals = self.duals.copy()
            change = self.rows.sweep(rng.permutation(active), kappa, self.loss, theta, duals)
            self.set_duals(duals)
            reached = self.maximize_poison(kappa)
            # Projections are exact to nine digits only.
            if reached < level - 1e-10 * abs(level):
                self.restore(kept)
                self.trust = max(0.5 * self.trust, _LEAST_TRUST)
            else:
                level = reached
                self.trust = min(_MOST_TRUST, self.trust + 0.05)
        return change

    def maximize_poison(self, kappa: float) -> float:
        """Maximize over the poison for the present clean duals, and return the dual objective."""
        adversary = self.adversary
        if adversary.fraction > 0:
            theta = (self.pull() + self.proximity * self.centre) / kappa
            adversary.rebalance(theta, kappa, adversary.metric(self.trust))
            adversary.respond(theta, kappa)
        return self.inner_value(self.pull())

    def correct(self) -> None:
        """Take a Newton step of the free clean duals and the poison masses, if it raises the dual."""
        free = np.flatnonzero((self.duals > 1e-9) & (self.duals < self.loss.cap - 1e-9))
        movable = len(free) + len(self.adversary.active)
        if self.loss.temperature > 0 or not movable or len(free) > _MOST_FREE:
            return
        pull = self.pull()
        before, kept = self.inner_value(pull), self.state()
        theta, kappa = self.model(pull)
        # The farther a step counts on the poison's answers, the farther it goes.
        for trust, scale in ((_MOST_TRUST, 1.0), (_MOST_TRUST, 0.25), (self.trust, 1.0), (self.trust, 0.25)):
            if scale == 1.0:
                steps, shift = self.newton_step(free, theta, kappa, trust)
            duals = kept[0].copy()
            duals[free] = np.clip(duals[free] + scale * steps, 0.0, self.loss.cap)
            self.set_duals(duals)
            self.adversary.masses = self.adversary.allowed(kept[1] + scale * shift)
            self.adversary.points = kept[2].copy()
            if self.adversary.fraction > 0:
                self.adversary.respond((self.pull() + self.proximity * self.centre) / kappa, kappa)
            if self.inner_value(self.pull()) > before:
                return
        self.restore(kept)

    def should_solve_directly(self, gap: float) -> bool:
        """Return True if an exact solution of the clean duals is worth its cost."""
        n, d = self.rows.matrix.shape
        return gap > _CLOSE_GAP * self.best[0] and n * d * min(n, d) <= _MOST_DIRECT_COST

    def solve_directly(self, tolerance: float) -> None:
        """Solve for all clean duals at once, where sweeps stall on badly scaled features."""
        kept, pull = self.state(), self.pull()
        before, (_, kappa) = self.inner_value(pull), self.model(pull)
        given = (self.adversary.pull() + self.proximity * self.centre) / kappa
        # With the poison fixed, its pull only shifts the margin that each clean row should reach.
        shifts = self.loss.shift - self.rows.margins(given)
        signed, costs = self.rows.signed(), self.rows.costs
        self.set_duals(solve_interior(signed, costs, shifts, kappa, self.loss, tolerance=0.1 * tolerance))
        if self.maximize_poison(kappa) <= before:
            self.restore(kept)

    def extrapolate(self) -> None:
        """Extrapolate all variables along their change since the last call, if that raises the dual."""
        here, last = self.state(), self.earlier_state
        pull = self.pull()
        before, (_, kappa) = self.inner_value(pull), self.model(pull)
        self.set_duals(np.clip(here[0] + self.stride * (here[0] - last[0]), 0.0, self.loss.cap))
        if self.adversary.fraction > 0:
            self.adversary.extrapolate(last[1:3], self.stride)
            self.adversary.respond((self.pull() + self.proximity * self.centre) / kappa, kappa)
        if self.inner_value(self.pull()) > before:
            self.stride *= 2.0
        else:
            self.restore(here)
            self.stride = max(self.stride / 4.0, 1.0)
        self.earlier_state = self.state()

    def newton_step(self, free: IntArray, theta: Array, kappa: float, trust: float) -> tuple[Array, Array]:
        """Compute the Newton step of the free duals and of the two poison masses."""
        rows = self.rows
        metric = self.adversary.metric(trust)
        rows.measure(*metric)
        system, residual = rows.newton_system(free, theta, self.duals, kappa, self.loss)
        # Bordered system: clean duals and poison masses move together.
        directions, wanted, bend = self.adversary.directions(theta)
        if len(directions):
            vectors = directions @ self.adversary.signed
            border = rows.signs[free, None] * (rows.matrix[free] @ applied(metric, vectors[:, :-1]).T)
            border += rows.signs[free, None] * rows.bias * vectors[:, -1]
            corner = gram(vectors, metric) / kappa + bend
            system = np.block([[system, border / kappa], [border.T / kappa, corner]])
            residual = np.append(residual, wanted)
        step = solve_damped(system, residual)
        return step[: len(free)] / rows.costs[free], step[len(free) :] @ directions
