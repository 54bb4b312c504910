"""Certificates for linear models of several classes: the minimax bound and the attack that nearly meets it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from toadstone.certificates.multiclass.proof import MulticlassProof, prove_multiclass_attack, prove_multiclass_bound
from toadstone.certificates.saddle.certify import Claim, Timed
from toadstone.core.arrays import Array
from toadstone.core.budget import Budget
from toadstone.core.certificate import MulticlassCertificate, Ridge, Setting
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.kernels.losses import HINGE
from toadstone.kernels.minimax.multiclass_saddle import MulticlassSaddle, solve_multiclass_saddle
from toadstone.kernels.minimax.problem import MulticlassProblem
from toadstone.kernels.sets.sets import ConvexSet

UNIT = "multi-class hinge loss for each clean row, penalty included"


def pose_multiclass(data: Dataset, feasible_set: ConvexSet, setting: Setting) -> MulticlassProblem:
    """Build the training problem that a setting describes on a data set of several classes.

    Raises
    ------
    InvalidArgument
        If the loss is not the hinge, or the models are not those of a ridge.
    InvalidData
        If there are fewer than two classes, or the set lacks one of them.
    """
    classes = data.classes.tolist()
    if setting.loss != HINGE.name:
        raise InvalidArgument("loss", f"hinge for {len(classes)} classes", setting.loss)
    if not isinstance(setting.hypothesis, Ridge):
        ball = f"{setting.hypothesis.squared_radius:g}"
        raise InvalidArgument("norm_squared", f"a ridge in its place for {len(classes)} classes", ball)
    if len(classes) < 2:
        raise InvalidData(f"labels: expected at least two classes, got {len(classes)}")
    regions = tuple(feasible_set.region(label) for label in classes)
    return MulticlassProblem(data.X, np.searchsorted(data.classes, data.y), regions, setting.hypothesis)


def certify_multiclass(
    data: Dataset,
    feasible_set: ConvexSet,
    budgets: Sequence[Budget],
    setting: Setting,
    claim: Claim,
    *,
    tolerance: float = 1e-5,
    seed: int = 0,
    on_certified: Callable[[], None] | None = None,
) -> list[Timed[MulticlassCertificate]]:
    """Certify a bound on the training loss of several classes under any poison within a feasible set.

    The loss is the hinge of Crammer and Singer. A model bounds the damage at
    every fraction, so each certificate uses the best of all the models found;
    bounds never fall as the fraction grows.

    Parameters
    ----------
    data : Dataset
        Clean training rows.
    feasible_set, budgets, setting, claim, tolerance, seed, on_certified
        As for `certify_saddle`.

    Returns
    -------
    list of Timed
        In the order of `budgets`.

    Raises
    ------
    InvalidArgument, InvalidData
        As by `pose_multiclass`.

    References
    ----------
    .. [1] Steinhardt, Koh and Liang, "Certified Defenses for Data Poisoning
       Attacks", NIPS 2017, section 3, for two classes.
    """
    problem = pose_multiclass(data, feasible_set, setting)
    solved: dict[float, tuple[MulticlassSaddle, float]] = {}
    last: MulticlassSaddle | None = None
    for fraction in sorted({budget.fraction for budget in budgets}):
        begin = time.perf_counter()
        last = solve_multiclass_saddle(problem, fraction=fraction, start=last, tolerance=tolerance, seed=seed)
        solved[fraction] = last, time.perf_counter() - begin
        if on_certified is not None:
            on_certified()
    proofs = [_prove(problem, saddle) for saddle, _ in solved.values()]
    made = []
    for budget in budgets:
        saddle, seconds = solved[budget.fraction]
        made.append(Timed(_assemble(problem, (budget, setting, claim), saddle, proofs), seconds))
    return made


def _prove(problem: MulticlassProblem, saddle: MulticlassSaddle) -> tuple[MulticlassProof, Array, Array]:
    theta, multipliers = saddle.theta, saddle.multipliers
    if not len(multipliers):
        # Without poison no oracle was asked; a loose proof of its loss will do.
        multipliers = np.zeros((len(theta), len(theta), 1 + len(problem.regions[0].low)))
        multipliers[:, :, 0] = np.linalg.norm(theta[None] - theta[:, None], axis=2)
    return prove_multiclass_bound(problem, theta, multipliers), theta, multipliers


def _assemble(
    problem: MulticlassProblem,
    about: tuple[Budget, Setting, Claim],
    saddle: MulticlassSaddle,
    proofs: Sequence[tuple[MulticlassProof, Array, Array]],
) -> MulticlassCertificate:
    budget, setting, claim = about
    proof, theta, multipliers = min(proofs, key=lambda found: found[0].bound(budget.fraction))
    bound = proof.bound(budget.fraction)
    return MulticlassCertificate(
        bound=bound,
        # Points are feasible but for rounding, by which they might claim more than the bound.
        attack_value=min(prove_multiclass_attack(problem, saddle.witness, budget.fraction), bound),
        clean_loss=proof.clean_loss,
        poison_loss=proof.poison_loss,
        unit=UNIT,
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
