"""Certificates for linear models: the minimax bound and the attack that nearly meets it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from toadstone.certificates.saddle.proof import ModelProof, prove_attack, prove_bound
from toadstone.core.arrays import Array
from toadstone.core.budget import Budget
from toadstone.core.certificate import Certificate, ModelCertificate, NormBall, Ridge, Setting
from toadstone.core.dataset import Dataset
from toadstone.kernels.losses import margin_loss
from toadstone.kernels.minimax.problem import Problem
from toadstone.kernels.minimax.saddle import Saddle, solve_saddle
from toadstone.kernels.sets.sets import ConvexSet

C_co = TypeVar("C_co", bound=ModelCertificate, covariant=True)


@dataclass(frozen=True)
class Claim:
    """The data and the assumptions that a certificate is about."""

    data_sha256: str
    assumptions: tuple[str, ...]
    not_promised: tuple[str, ...]


@dataclass(frozen=True)
class Timed(Generic[C_co]):
    """A certificate and the seconds that it took.

    Parameters
    ----------
    certificate : ModelCertificate
    seconds : float
    whole_value : float, optional
        Where labels are flipped, the objective of training after whole flips,
        those of the witness's largest shares.
    """

    certificate: C_co
    seconds: float
    whole_value: float | None = None


def unit(setting: Setting) -> str:
    """Return the unit of the bound under a setting, in words."""
    penalized = ", penalty included" if isinstance(setting.hypothesis, Ridge) else ""
    return f"{setting.loss.replace('_', ' ')} loss for each clean row{penalized}"


def pose(data: Dataset, feasible_set: ConvexSet, setting: Setting) -> Problem:
    """Build the training problem that a setting describes on a data set of two classes.

    Raises
    ------
    InvalidData
        If there are not exactly two classes, or the set lacks one of them.
    """
    signs, (negative, positive) = data.signs, data.classes.tolist()
    regions = feasible_set.region(negative), feasible_set.region(positive)
    return Problem(data.X, signs, regions, margin_loss(setting.loss), setting.hypothesis)


def certify_saddle(
    data: Dataset,
    feasible_set: ConvexSet,
    budgets: Sequence[Budget],
    setting: Setting,
    claim: Claim,
    *,
    tolerance: float = 1e-5,
    seed: int = 0,
    on_certified: Callable[[], None] | None = None,
) -> list[Timed[Certificate]]:
    """Certify a bound on the training loss under any poison within a feasible set, for several budgets.

    A model bounds the damage at every fraction, so each certificate uses the
    best of all the models found; bounds never fall as the fraction grows.

    Parameters
    ----------
    data : Dataset
        Clean training rows of two classes.
    feasible_set : ConvexSet
        Where poison of each label may lie.
    budgets : sequence of Budget
        In any order.
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

    References
    ----------
    .. [1] Steinhardt, Koh and Liang, "Certified Defenses for Data Poisoning
       Attacks", NIPS 2017, section 3.
    """
    problem = pose(data, feasible_set, setting)
    solved: dict[Budget, tuple[Saddle, float]] = {}
    last: Saddle | None = None
    for budget in sorted(set(budgets), key=lambda one: (one.by_class is not None, one.fraction)):
        begin = time.perf_counter()
        last = solve_saddle(
            problem,
            fraction=budget.fraction,
            by_class=budget.by_class,
            start=last,
            tolerance=tolerance,
            seed=seed,
        )
        solved[budget] = last, time.perf_counter() - begin
        if on_certified is not None:
            on_certified()
    proofs = [_prove(problem, saddle) for saddle, _ in solved.values()]
    return [
        Timed(_assemble(problem, budget, solved[budget][0], proofs, setting, claim), solved[budget][1])
        for budget in budgets
    ]


def _prove(problem: Problem, saddle: Saddle) -> tuple[ModelProof, Array, Array]:
    theta, multipliers = within_ball(problem, saddle.theta, saddle.multipliers)
    return prove_bound(problem, theta, multipliers), theta, multipliers


def within_ball(problem: Problem, theta: Array, multipliers: Array) -> tuple[Array, Array]:
    """Return a model within the hypothesis class to the last digit, with multipliers of the poison oracle there."""
    inner = _inside(theta, problem)
    # A bound of a linear function scales with it, and so do its multipliers.
    multipliers = multipliers * (inner @ inner / max(float(inner @ theta), 1e-300))
    if not len(multipliers):
        # Without poison no oracle was asked; a loose proof of its loss will do.
        multipliers = np.zeros((2, 1 + len(problem.regions[0].low)))
        multipliers[:, 0] = np.linalg.norm(inner)
    return inner, multipliers


def _inside(theta: Array, problem: Problem) -> Array:
    if not isinstance(problem.hypothesis, NormBall):
        return theta
    excess = float(np.linalg.norm(theta)) / float(np.sqrt(problem.hypothesis.squared_radius))
    return theta / (excess * (1 + 1e-14)) if excess > 1 - 1e-14 else theta


def _assemble(
    problem: Problem,
    budget: Budget,
    saddle: Saddle,
    proofs: Sequence[tuple[ModelProof, Array, Array]],
    setting: Setting,
    claim: Claim,
) -> Certificate:
    proof, theta, multipliers = min(proofs, key=lambda found: found[0].bound(budget.fraction, budget.by_class))
    bound = proof.bound(budget.fraction, budget.by_class)
    return Certificate(
        bound=bound,
        # Points are feasible but for rounding, by which they might claim more than the bound.
        attack_value=min(prove_attack(problem, saddle.witness, budget.fraction), bound),
        clean_loss=proof.clean_loss,
        poison_loss=proof.poison_loss,
        unit=unit(setting),
        budget=budget,
        setting=setting,
        theta=theta,
        multipliers=multipliers,
        witness=saddle.witness,
        data_sha256=claim.data_sha256,
        assumptions=claim.assumptions,
        not_promised=claim.not_promised,
        slack=proof.slack,
    )
