"""The minimax training problem of a certificate, solved from both sides.

Minimizes over models ``theta`` the clean loss plus ``fraction`` times the
largest loss of any feasible row. Its dual gives weights to clean rows and to
poison points; ascending it block by block yields an attack, and every model
on the way yields a bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from bezoar.core.arrays import Array, IntArray, Matrix
from bezoar.core.certificate import NormBall, Ridge, Witness
from bezoar.core.feasible import Extremum, Region
from bezoar.kernels.adversary import SIGNS, Adversary, gram
from bezoar.kernels.losses import MarginLoss
from bezoar.kernels.solvers import Rows, solve_damped, unsettled

_SWEEPS = 3
_MOST_FREE = 800
_MOST_TRUST = 0.97
_ROUNDS_PER_CENTRE = 4
_ROUNDS_PER_LEAP = 2


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
    X: Matrix,
    signs: Array,
    regions: tuple[Region, Region],
    *,
    fraction: float,
    hypothesis: NormBall | Ridge,
    loss: MarginLoss,
    start: Saddle | None = None,
    tolerance: float = 1e-5,
    seed: int = 0,
    max_rounds: int = 2000,
) -> Saddle:
    """Bound the worst training loss, and find an attack that nearly reaches it.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        Clean rows.
    signs : ndarray of shape (n,)
        Their labels, -1 or +1.
    regions : tuple of two Region
        Where poison labelled -1 and +1 may lie.
    fraction : float
        Poison mass for each unit of clean mass.
    hypothesis : NormBall or Ridge
        The models to minimize over. A ridge weighs ``1 + fraction`` times as
        much, because it is counted for each trained row.
    loss : MarginLoss
    start : Saddle, optional
        The outcome for a similar fraction.
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
    rows = Rows(X, signs, np.full(X.shape[0], 1 / X.shape[0]), 1.0)
    ascent = _Ascent(rows, Adversary(regions, fraction, loss), hypothesis, loss)
    if start is not None:
        ascent.resume(start)
    with threadpool_limits(1, user_api="blas"):
        return ascent.run(tolerance, np.random.default_rng(seed), max_rounds)


class _Ascent:
    """Rounds of: poison answers, clean rows are swept, both are corrected together."""

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
        self.duals = np.full(n, min(1.0, 0.5 * self.loss.cap))
        self.extrema: list[Extremum] = []
        self.trust, self.stride = 0.9, 2.0
        self.landed = self.state()
        self.best: tuple[float, Array, Array] = (np.inf, self.centre, np.empty(0))
        self.value, self.witness = -np.inf, self.bear_witness()

    def resume(self, start: Saddle) -> None:
        """Begin with the model, clean duals and poison of another fraction."""
        self.duals = start.witness.clean_duals.copy()
        adversary, masses = self.adversary, start.witness.poison_duals
        adversary.points[:, :-1] = start.witness.points
        # Mass short of its fraction marks poison that fits: more would not hurt.
        saturated = masses.sum() >= (1 - 1e-6) * start.witness.masses.sum() * self.loss.cap
        growth = adversary.fraction / max(float(start.witness.masses.sum()), 1e-300) if saturated else 1.0
        adversary.masses = (
            masses * growth if masses.sum() * growth <= adversary.fraction * self.loss.cap else 0 * masses
        )
        self.weigh(start.theta, self.rows.margins(start.theta))

    def run(self, tolerance: float, rng: np.random.Generator, max_rounds: int) -> Saddle:
        """Ascend until bound and value meet."""
        slack = np.inf
        rounds = 0
        for rounds in range(max_rounds):
            theta, _ = self.model(self.pull())
            margins = self.rows.margins(theta)
            self.weigh(theta, margins)
            if self.best[0] - self.value <= tolerance * self.best[0]:
                break
            if rounds % _ROUNDS_PER_CENTRE == 0:
                self.recentre(theta)
            slack = 10 * self.sweep(unsettled(self.duals, margins, self.loss, slack), rng)
            self.correct()
            if rounds % _ROUNDS_PER_LEAP == 0:
                self.leap()
        bound, best_theta, multipliers = self.best
        return Saddle(best_theta, bound, self.value, multipliers, self.witness, rounds)

    def pull(self) -> Array:
        """The dual combination of all signed rows."""
        return self.rows.combine(self.duals) + self.adversary.pull()

    def model(self, pull: Array) -> tuple[Array, float]:
        """The minimizing model for a dual combination, and its curvature."""
        pull = pull + self.proximity * self.centre
        kappa = self.proximity + self.ridge
        if self.radius < np.inf:
            kappa = max(float(np.linalg.norm(pull)) / self.radius, self.proximity, 1e-300)
        return pull / kappa, kappa

    def gain(self) -> float:
        """The part of the dual objective without the model."""
        return float(self.rows.costs @ self.loss.conjugate_gain(self.duals)) + self.adversary.gain()

    def inner_value(self, pull: Array) -> float:
        """Dual objective of the present proximal step."""
        theta, _ = self.model(pull)
        offset = theta - self.centre
        penalty = 0.5 * self.proximity * offset @ offset + 0.5 * self.ridge * theta @ theta
        return float(self.gain() + penalty - pull @ theta)

    def state(self) -> tuple[Array, Array, Array]:
        """Everything that ascends: clean duals, poison masses and points."""
        return self.duals.copy(), self.adversary.masses.copy(), self.adversary.points.copy()

    def restore(self, state: tuple[Array, Array, Array]) -> None:
        """Go back to a state."""
        self.duals, self.adversary.masses, self.adversary.points = state

    def weigh(self, theta: Array, margins: Array) -> None:
        """Keep the model if it bounds better, and the duals if they prove more."""
        pull = self.pull()
        norm = float(np.linalg.norm(pull))
        value = self.gain() - (norm**2 / (2 * self.ridge) if self.ridge else self.radius * norm)
        if value > self.value:
            self.value, self.witness = value, self.bear_witness()
        adversary = self.adversary
        bound = float(self.rows.costs @ self.loss.value(margins)) + 0.5 * self.ridge * float(theta @ theta)
        if adversary.fraction > 0:
            self.extrema = adversary.attack(theta, self.extrema)
            bound += adversary.fraction * float(self.loss.value(adversary.worst_margin(theta, self.extrema)))
            adversary.place(self.extrema)
        if bound < self.best[0]:
            self.best = (bound, theta.copy(), np.array([extremum.multipliers for extremum in self.extrema]))

    def bear_witness(self) -> Witness:
        """The present attack and duals, the masses filled up to the fraction."""
        masses = self.adversary.masses
        total = float(masses.sum())
        shares = masses / total if total > 0 else np.array([0.0, 1.0])
        filled = self.adversary.fraction * shares
        return Witness(self.adversary.points[:, :-1].copy(), SIGNS, filled, self.duals.copy(), masses.copy())

    def recentre(self, theta: Array) -> None:
        """Start a proximal step at `theta` where the norm ball has gone slack."""
        _, kappa = self.model(self.pull())
        self.proximity = self.floor if kappa <= self.floor else 0.0
        self.centre = theta.copy() if self.proximity else np.zeros_like(theta)

    def sweep(self, active: IntArray, rng: np.random.Generator) -> float:
        """Visit the clean rows, expecting the poison's answers; then let it answer."""
        change = 0.0
        level = self.inner_value(self.pull())
        for _ in range(_SWEEPS):
            kept = self.state()
            theta, kappa = self.model(self.pull())
            if self.adversary.fraction > 0:
                self.rows.measure(*self.adversary.metric(self.trust))
            change = self.rows.sweep(rng.permutation(active), kappa, self.loss, theta, self.duals)
            reached = self.answered(kappa)
            if reached < level - 1e-12 * abs(level):
                self.restore(kept)
                self.trust *= 0.5
            else:
                level = reached
                self.trust = min(_MOST_TRUST, self.trust + 0.05)
        return change

    def answered(self, kappa: float) -> float:
        """Let the poison answer the present clean duals; the dual objective then."""
        adversary = self.adversary
        if adversary.fraction > 0:
            theta = (self.pull() + self.proximity * self.centre) / kappa
            adversary.rebalance(theta, kappa, adversary.metric(self.trust))
            adversary.answer(theta, kappa)
        return self.inner_value(self.pull())

    def correct(self) -> None:
        """A Newton step of the free clean duals and the split of the poison, if it pays."""
        free = np.flatnonzero((self.duals > 1e-9) & (self.duals < self.loss.cap - 1e-9))
        if self.loss.temperature > 0 or not 0 < len(free) <= _MOST_FREE:
            return
        pull = self.pull()
        before, kept = self.inner_value(pull), self.state()
        theta, kappa = self.model(pull)
        steps, shift = self.newton_step(free, theta, kappa)
        for scale in (1.0, 0.25, 0.0625):
            self.duals[free] = np.clip(kept[0][free] + scale * steps, 0.0, self.loss.cap)
            moved = np.clip(scale * shift, -kept[1][1], kept[1][0])
            self.adversary.masses, self.adversary.points = kept[1] + moved * SIGNS, kept[2].copy()
            if self.adversary.fraction > 0:
                self.adversary.answer((self.pull() + self.proximity * self.centre) / kappa, kappa)
            if self.inner_value(self.pull()) > before:
                return
        self.restore(kept)

    def leap(self) -> None:
        """Go on the way that everything has come since the last leap, if it pays."""
        here, last = self.state(), self.landed
        pull = self.pull()
        before, (_, kappa) = self.inner_value(pull), self.model(pull)
        self.duals = np.clip(here[0] + self.stride * (here[0] - last[0]), 0.0, self.loss.cap)
        if self.adversary.fraction > 0:
            self.adversary.extrapolate(last[1:], self.stride)
            self.adversary.answer((self.pull() + self.proximity * self.centre) / kappa, kappa)
        if self.inner_value(self.pull()) > before:
            self.stride *= 2.0
        else:
            self.restore(here)
            self.stride = max(self.stride / 4.0, 1.0)
        self.landed = self.state()

    def newton_step(self, free: IntArray, theta: Array, kappa: float) -> tuple[Array, float]:
        """Changes of the free duals, and the mass to shift from label -1 to +1."""
        adversary, rows = self.adversary, self.rows
        scales, factor = metric = adversary.metric(self.trust)
        rows.measure(scales, factor)
        system, residual = rows.newton_system(free, theta, self.duals, kappa, self.loss)
        if len(adversary.active) == 2:
            difference = adversary.signed[1:] - adversary.signed[:1]
            inner = difference[0, :-1]
            response = np.append(scales * inner + factor @ (factor.T @ inner), difference[0, -1])
            part = rows.matrix[free]
            border = rows.signs[free] * (part @ response[:-1] + rows.bias * response[-1]) / kappa
            corner = gram(difference, metric) / kappa
            system = np.block([[system, border[:, None]], [border[None, :], corner]])
            residual = np.append(residual, -(difference @ theta))
        step = solve_damped(system, residual)
        return step[: len(free)] / rows.costs[free], float(step[len(free) :].sum())
