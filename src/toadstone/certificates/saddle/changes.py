"""Certificates of linear models against labels flipped in place, and against rows replaced."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from toadstone.certificates.saddle.certify import Claim, Timed, pose, unit, within_ball
from toadstone.certificates.saddle.changed_rows import (
    ChangedProof,
    Counts,
    counts_of,
    flip_budget,
    prove_changed_attack,
    prove_changes,
)
from toadstone.core.arrays import Array
from toadstone.core.budget import Budget
from toadstone.core.certificate import Certificate, ChangedRows, NormBall, Ridge, Setting, Witness
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.kernels.minimax.flip_budget import train_flipped
from toadstone.kernels.minimax.label_flips import solve_flips
from toadstone.kernels.minimax.problem import Problem
from toadstone.kernels.minimax.saddle import Saddle, solve_saddle
from toadstone.kernels.sets.sets import ConvexSet

_ROUNDS = 8


@dataclass(frozen=True, eq=False)
class Model:
    """A model that proves something, with what the poison oracle said about it."""

    theta: Array
    multipliers: Array
    proof: ChangedProof


@dataclass(frozen=True, eq=False)
class Solved:
    """Models found for a budget, and the attack that does most."""

    models: tuple[Model, ...]
    witness: Witness
    shares: Array
    whole_value: float | None = None
    seconds: float = 0.0


def certify_changes(
    data: Dataset,
    feasible_set: ConvexSet,
    budgets: Sequence[Budget],
    setting: Setting,
    claim: Claim,
    *,
    tolerance: float = 1e-4,
    seed: int = 0,
    on_certified: Callable[[], None] | None = None,
) -> list[Timed[Certificate]]:
    """Certify bounds for labels flipped in place, or for rows replaced, for several budgets of one kind.

    The bound is that of the objective of training on the rows as changed. The
    clean bound is that of the trained model's objective on the clean rows as
    they were. Both use the best of all the models found.

    Parameters
    ----------
    data : Dataset
        Clean training rows of two classes.
    feasible_set : ConvexSet
        Where rows of each label may lie that take others' places. Flipped
        labels need none.
    budgets : sequence of Budget
        All of kind "flip", or all of kind "replace".
    setting : Setting
    claim : Claim
    tolerance : float
        Relative gap at which to stop.
    seed : int
        Of the order in which rows are visited.
    on_certified : callable, optional
        Called after each budget, for progress.

    Returns
    -------
    list of Timed
        In the order of `budgets`.

    Raises
    ------
    InvalidArgument
        If labels are flipped and the models are those of a norm ball.
    """
    problem, search = pose(data, feasible_set, setting), _Changes(tolerance, seed)
    clean = search.without(problem, budgets)
    solved: dict[Counts, Solved] = {}
    for budget in budgets:
        counts = counts_of(budget, len(data))
        if counts not in solved:
            solved[counts] = search.solve(problem, counts, clean, flipped=budget.kind == "flip")
        if on_certified is not None:
            on_certified()
    models = [clean, *(model for found in solved.values() for model in found.models)]
    results = []
    for budget in budgets:
        found = solved[counts_of(budget, len(data))]
        made = _assemble(problem, budget, found, models, setting, claim)
        results.append(Timed(made, found.seconds, found.whole_value))
    return results


@dataclass(frozen=True)
class _Changes:
    """Search of models and attacks."""

    tolerance: float
    seed: int

    def without(self, problem: Problem, budgets: Sequence[Budget]) -> Model:
        """Return the model of the clean rows, which mostly proves most about them."""
        found = solve_saddle(problem, fraction=0.0, tolerance=self.tolerance, seed=self.seed)
        return _model(problem, found.theta, found.multipliers, flipped=all(budget.kind == "flip" for budget in budgets))

    def solve(self, problem: Problem, counts: Counts, clean: Model, *, flipped: bool) -> Solved:
        """Search models and an attack for some number of rows."""
        begin = time.perf_counter()
        found = self._flip(problem, counts) if flipped else self._replace(problem, counts, clean)
        return replace(found, seconds=time.perf_counter() - begin)

    def _flip(self, problem: Problem, counts: Counts) -> Solved:
        found = solve_flips(
            problem.X,
            problem.signs,
            flip_budget(problem.signs, counts),
            loss=problem.loss,
            ridge=_strength(problem),
            tolerance=self.tolerance,
            seed=self.seed,
        )
        d = problem.X.shape[1]
        witness = Witness(np.empty((0, d)), np.empty(0), np.empty(0), found.clean_duals, found.turned_duals)
        model = _model(problem, found.theta, np.empty(0), flipped=True)
        return Solved((model,), witness, found.shares, self._after_whole_flips(problem, counts, found.shares))

    def _after_whole_flips(self, problem: Problem, counts: Counts, shares: Array) -> float:
        """Train on whole flips, those of the largest shares; the attack value may take fractions."""
        whole = np.zeros(len(shares))
        whole[flip_budget(problem.signs, counts).rounded(shares)] = 1.0
        none = np.empty((0, problem.X.shape[1])), np.empty(0), np.empty(0)
        _, *duals = train_flipped(problem.X, problem.signs, whole, loss=problem.loss, ridge=_strength(problem))
        return prove_changed_attack(problem, Witness(*none, *duals), whole, flipped=True)

    def _replace(self, problem: Problem, counts: Counts, clean: Model) -> Solved:
        """Alternate between the rows to take away and the game of those to add.

        The rows that fit best cost the attacker least; which they are depends
        on the model. Those taken away are averaged over the rounds.
        """
        n = len(problem.signs)
        total = counts if isinstance(counts, int) else sum(counts)
        models, shares = [clean], _best_fitted(clean, total)
        found: tuple[float, Witness, Array] | None = None
        last: Saddle | None = None
        for step in range(_ROUNDS):
            last = solve_saddle(
                _without_growth(problem, total / n),
                fraction=total / n,
                by_class=None if isinstance(counts, int) else (counts[0] / n, counts[1] / n),
                start=last,
                weights=1 - shares,
                tolerance=0.5 * self.tolerance,
                seed=self.seed,
            )
            models.append(_model(problem, last.theta, last.multipliers, flipped=False))
            value = prove_changed_attack(problem, last.witness, shares, flipped=False)
            found = max(found or (value, last.witness, shares), (value, last.witness, shares), key=lambda one: one[0])
            bound = min(model.proof.bound(counts) for model in models)
            if bound - found[0] <= self.tolerance * bound:
                break
            shares = shares + (_best_fitted(models[-1], total) - shares) / (step + 2)
        _, witness, shares = found  # type: ignore[misc]
        return Solved(tuple(models), witness, shares)


def _best_fitted(model: Model, count: int) -> Array:
    """Return shares of one for the rows of largest margin, the first on a tie."""
    shares = np.zeros(len(model.proof.margins))
    shares[np.argsort(-model.proof.margins, kind="stable")[:count]] = 1.0
    return shares


def _strength(problem: Problem) -> float:
    if isinstance(problem.hypothesis, NormBall):
        raise InvalidArgument("norm_squared", "a ridge in its place where labels are flipped", problem.hypothesis)
    return problem.hypothesis.strength


def _without_growth(problem: Problem, fraction: float) -> Problem:
    """Return the problem whose ridge, counted for each row with those added, is that of the clean rows alone."""
    if isinstance(problem.hypothesis, NormBall):
        return problem
    return replace(problem, hypothesis=Ridge(problem.hypothesis.strength / (1 + fraction)))


def _model(problem: Problem, theta: Array, multipliers: Array, *, flipped: bool) -> Model:
    inner, scaled = within_ball(problem, theta, multipliers)
    return Model(inner, scaled, prove_changes(problem, inner, scaled, flipped=flipped))


def _assemble(
    problem: Problem, budget: Budget, solved: Solved, models: Sequence[Model], setting: Setting, claim: Claim
) -> Certificate:
    counts = counts_of(budget, len(problem.signs))
    best = min(models, key=lambda model: model.proof.bound(counts))
    clean = min(models, key=lambda model: model.proof.clean_bound(counts))
    bound = best.proof.bound(counts)
    reached = prove_changed_attack(problem, solved.witness, solved.shares, flipped=budget.kind == "flip")
    return Certificate(
        bound=bound,
        # Points are feasible but for rounding, by which they might claim more than the bound.
        attack_value=min(reached, bound),
        clean_loss=best.proof.clean_loss,
        poison_loss=best.proof.poison_loss,
        unit=unit(setting),
        budget=budget,
        setting=setting,
        theta=best.theta,
        multipliers=best.multipliers,
        witness=solved.witness,
        data_sha256=claim.data_sha256,
        assumptions=claim.assumptions,
        not_promised=claim.not_promised,
        slack=best.proof.slack(counts),
        changed=ChangedRows(clean.proof.clean_bound(counts), clean.theta, clean.multipliers, solved.shares),
    )
