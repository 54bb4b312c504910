"""The minimax training problem of several classes, solved from both sides.

Minimizes over models of one linear function a class the clean hinge of
Crammer and Singer plus ``fraction`` times the largest loss of any feasible
row. Ascends the dual block by block, as for two classes in `saddle`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from threadpoolctl import threadpool_limits

from toadstone.core.arrays import Array
from toadstone.core.certificate import PairWitness
from toadstone.kernels.linear.compressed import compressed
from toadstone.kernels.linear.crammer_singer import SimplexDescent
from toadstone.kernels.linear.crammer_singer_descent import onto_simplices
from toadstone.kernels.minimax.pair_points import PairPoints, Placed
from toadstone.kernels.minimax.problem import MulticlassProblem

_SWEEPS = 4
_ROUNDS_PER_EXTRAPOLATION = 2
_CLOSE_GAP = 1e-3
_MOST_STALLED_ROUNDS = 100


@dataclass(frozen=True, eq=False)
class MulticlassSaddle:
    """A bound, the model that proves it, and the attack that nearly meets it.

    Parameters
    ----------
    theta : ndarray of shape (k, d + 1)
        One row a class: weights, then the bias.
    bound : float
        Upper bound of the minimax value, from `theta` and `multipliers`.
    value : float
        Dual value: what the witness achieves against every model.
    multipliers : ndarray of shape (k, k, 1 + J)
        Of the poison oracle at `theta`, for each label and wrong class;
        without entries where no oracle was asked.
    witness : PairWitness
    rounds : int
        Rounds of ascent.
    """

    theta: Array
    bound: float
    value: float
    multipliers: Array
    witness: PairWitness
    rounds: int


def solve_multiclass_saddle(
    problem: MulticlassProblem,
    *,
    fraction: float,
    start: MulticlassSaddle | None = None,
    tolerance: float = 1e-5,
    seed: int = 0,
    max_rounds: int = 2000,
) -> MulticlassSaddle:
    """Bound the worst training loss of several classes, and find an attack that nearly reaches it.

    Parameters
    ----------
    problem : MulticlassProblem
    fraction : float
        Poison mass for each unit of clean mass.
    start : MulticlassSaddle, optional
        The outcome for a similar fraction.
    tolerance : float
        Stop when bound and value differ by less than this share of the bound.
    seed : int
        Of the order in which rows are visited.
    max_rounds : int
        Give up after as many; what has been found is still valid.

    Returns
    -------
    MulticlassSaddle

    Raises
    ------
    EmptyFeasibleSet
        If a region has no point.

    References
    ----------
    .. [1] Steinhardt, Koh and Liang, "Certified Defenses for Data Poisoning
       Attacks", NIPS 2017, equations 4 to 6, for two classes.
    .. [2] Koh, Steinhardt and Liang, "Stronger data poisoning attacks break
       data sanitization defenses", Machine Learning 111, 2022, section 5.7:
       the attacker's search over label and rival.
    """
    ascent = _Ascent(problem, fraction)
    if start is not None:
        ascent.resume(start)
    with threadpool_limits(1, user_api="blas"):
        return ascent.run(tolerance, np.random.default_rng(seed), max_rounds)


class _Ascent:
    """Block coordinate ascent of the dual over clean duals, poison masses and poison points."""

    def __init__(self, problem: MulticlassProblem, fraction: float) -> None:
        n, k = problem.X.shape[0], problem.n_classes
        self.kappa = problem.hypothesis.strength * (1 + fraction)
        self.costs = np.full(n, 1 / n)
        self.clean = SimplexDescent(compressed(problem.X), problem.classes, k, self.costs, self.kappa)
        self.poison, self.fraction = PairPoints(problem.regions, fraction), fraction
        self.duals = self.clean.start(None)
        self.stride, self.earlier = 2.0, self.state()
        self.best: tuple[float, Array, Array] = (np.inf, np.empty(0), np.empty(0))
        self.value, self.witness = -np.inf, self.make_witness()

    def resume(self, start: MulticlassSaddle) -> None:
        """Start from the model, clean duals and poison of another fraction."""
        found, targets = start.witness, self.clean.targets
        self.duals = self.clean.start(found.clean_duals + (1 - found.clean_duals.sum(axis=1))[:, None] * targets)
        earlier, total = float(found.masses.sum()), float(found.poison_duals.sum())
        # Mass short of its limit marks poison that fits: more would not hurt.
        saturated = earlier > 0 and total >= (1 - 1e-6) * earlier
        masses = found.poison_duals * (self.fraction / earlier if saturated else 1.0)
        if self.fraction > 0 and masses.sum() <= self.fraction * (1 + 1e-9):
            points = np.append(found.points, np.ones((len(masses), 1)), axis=1)
            self.poison.placed = Placed(found.labels, found.rivals, points, masses)
        self.keep_model(np.ascontiguousarray(start.theta.T))

    def run(self, tolerance: float, rng: np.random.Generator, max_rounds: int) -> MulticlassSaddle:
        """Ascend until bound and value meet."""
        slack, narrowest = np.inf, np.inf
        rounds = idle = 0
        for rounds in range(max_rounds):
            theta = self.model()
            self.keep_duals(theta)
            scores = self.keep_model(theta)
            gap = self.best[0] - self.value
            idle = idle + 1 if gap > 0.999 * narrowest else 0
            narrowest = min(narrowest, gap)
            if gap <= tolerance * self.best[0] or idle > _MOST_STALLED_ROUNDS:
                break
            slack = 10 * self.ascend(theta, scores, slack, rng)
            if rounds % _ROUNDS_PER_EXTRAPOLATION == 0:
                self.extrapolate()
        bound, best_theta, multipliers = self.best
        theta = np.ascontiguousarray(best_theta.T)
        return MulticlassSaddle(theta, bound, self.value, multipliers, self.witness, rounds)

    def model(self) -> Array:
        """Compute the minimizing model of the present dual variables, shape (d + 1, k)."""
        return np.ascontiguousarray(self.clean.primal(self.duals) + self.poison.pull() / self.kappa)

    def dual_value(self, theta: Array) -> float:
        """Compute the dual objective, V of docs/mathematics.md, at the minimizing model of the present variables."""
        slopes = 1 - np.einsum("ij,ij->i", self.duals, self.clean.targets)
        return float(self.costs @ slopes) + self.poison.gain() - 0.5 * self.kappa * float(np.sum(theta**2))

    def state(self) -> tuple[Array, Placed]:
        """Return the variables: clean duals, and poison."""
        return self.duals.copy(), self.poison.placed

    def keep_duals(self, theta: Array) -> None:
        """Evaluate the dual at the minimizing model of the present variables; keep them if they improve it."""
        value = self.dual_value(theta)
        if value > self.value:
            self.value, self.witness = value, self.make_witness()

    def keep_model(self, theta: Array) -> Array:
        """Evaluate the bound of a model, keep what improves it; return the scores, wrong classes raised by one."""
        worst = self.poison.attack(theta) if self.fraction > 0 else 0.0
        leads = np.asarray(self.clean.rows @ theta[:-1] + theta[-1])
        leads -= np.einsum("ij,ij->i", leads, self.clean.targets)[:, None]
        square = float(np.sum(theta**2))
        # U(s theta) is convex in s and cheap: a shorter model often bounds better while the gap is wide.
        share = self.best_share(leads, worst, square)
        bound = self.bound(share, leads, worst, square)
        if bound < self.best[0]:
            multipliers = share * self.poison.multipliers(theta) if self.fraction > 0 else np.empty(0)
            self.best = (bound, share * theta, multipliers)
        return leads + (1 - self.clean.targets)

    def bound(self, share: float, leads: Array, worst: float, square: float) -> float:
        """Compute the upper bound at a multiple of a model, which scales leads and poison oracle alike."""
        losses = (share * leads + (1 - self.clean.targets)).max(axis=1)
        poison = max(0.0, 1 + share * (worst - 1))
        return float(self.costs @ losses) + 0.5 * self.kappa * share**2 * square + self.fraction * poison

    def best_share(self, leads: Array, worst: float, square: float) -> float:
        """Return the multiple of a model with the smallest bound, while bound and value are far apart."""
        whole = self.bound(1.0, leads, worst, square)
        if min(whole, self.best[0]) - self.value <= _CLOSE_GAP * whole:
            return 1.0
        found = minimize_scalar(
            self.bound, bounds=(0.0, 1.0), args=(leads, worst, square), method="bounded", options={"xatol": 1e-2}
        )
        return min((1.0, float(found.x), 0.0), key=lambda share: self.bound(share, leads, worst, square))

    def make_witness(self) -> PairWitness:
        """Return the present attack and duals, with the masses filled up to the fraction."""
        used = self.poison.placed.take(np.flatnonzero(self.poison.placed.masses > 0))
        total = float(used.masses.sum())
        masses = used.masses * (self.fraction / total if total > 0 else 1.0)
        wrong = self.duals * (1 - self.clean.targets)
        return PairWitness(
            used.points[:, :-1].copy(), used.labels, used.rivals, masses, wrong, np.minimum(used.masses, masses)
        )

    def ascend(self, theta: Array, scores: Array, slack: float, rng: np.random.Generator) -> float:
        """Sweep the unsettled clean rows, and let the poison answer after each sweep; return the largest change."""
        active, change = self.clean.unsettled(self.duals, scores, slack), 0.0
        self.answer(theta)
        for _ in range(_SWEEPS):
            change = max(change, self.clean.sweep(rng.permutation(active), theta, self.duals))
            self.answer(theta)
        return change

    def answer(self, theta: Array) -> None:
        """Maximize over the poison for the present clean duals, updating `theta`."""
        if self.fraction > 0:
            self.poison.rebalance(theta, self.kappa)
            self.poison.respond(theta, self.kappa)
            self.poison.rebalance(theta, self.kappa)

    def extrapolate(self) -> None:
        """Extrapolate all variables along their change since the last call, if that raises the dual."""
        here, (duals, placed) = self.state(), self.earlier
        before = self.dual_value(self.model())
        self.duals = here[0] + self.stride * (here[0] - duals)
        onto_simplices(self.duals)
        if self.fraction > 0:
            self.poison.extrapolate(placed, self.stride)
            self.answer(self.model())
        if self.dual_value(self.model()) > before:
            self.stride *= 2.0
        else:
            self.duals, self.poison.placed = here
            self.stride = max(self.stride / 4.0, 1.0)
        self.earlier = self.state()
