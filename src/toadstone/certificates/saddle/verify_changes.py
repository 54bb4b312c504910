"""Verification of certificates about labels flipped in place and rows replaced."""

from __future__ import annotations

import numpy as np

from toadstone.certificates.saddle.changed_rows import (
    Counts,
    counts_of,
    flip_budget,
    prove_changed_attack,
    prove_changes,
)
from toadstone.certificates.saddle.checks import (
    SAME,
    check_bound,
    check_duals,
    check_multipliers,
    check_parts,
    check_poison,
    check_reached,
    check_shapes,
    check_within_ball,
)
from toadstone.core.certificate import Certificate, ChangedRows
from toadstone.core.errors import CertificateRejected
from toadstone.kernels.minimax.problem import Problem

_ROUNDINGS = 4
"""Allowances for rounding between two recomputed bounds."""


def verify_changes(certificate: Certificate, problem: Problem) -> float:
    """Verify a certificate about flipped or replaced rows, and return the bound as recomputed from the data.

    Raises
    ------
    CertificateRejected
        If a stored model does not prove its stated bound, the stored attack
        does not prove its stated value, or parts do not fit.
    """
    changed = certificate.changed
    if changed is None:
        raise CertificateRejected("budget_kind: expected add without a clean bound, got flip or replace")
    flipped, counts = certificate.budget.kind == "flip", counts_of(certificate.budget, len(problem.signs))
    _check_shapes(certificate, changed, problem, flipped=flipped)
    # Numbers whose products overflow prove nothing, and are refused as infinity or NaN below.
    with np.errstate(over="ignore", invalid="ignore"):
        proven = _check_models(certificate, changed, problem, counts, flipped=flipped)
        _check_attack(certificate, changed, problem, counts, flipped=flipped)
    return proven


def _check_shapes(certificate: Certificate, changed: ChangedRows, problem: Problem, *, flipped: bool) -> None:
    n, d = problem.X.shape
    witness, bands = certificate.witness, len(problem.regions[0].low)
    points = 0 if flipped else len(witness.signs)
    check_shapes(
        {
            "theta": (certificate.theta, (d + 1,)),
            "multipliers": (certificate.multipliers, (2, 1 + bands)),
            "clean_theta": (changed.theta, (d + 1,)),
            "clean_multipliers": (changed.multipliers, (2, 1 + bands)),
            "shares": (changed.shares, (n,)),
            "points": (witness.points, (points, d)),
            "signs": (witness.signs, (points,)),
            "masses": (witness.masses, (points,)),
            "poison_duals": (witness.poison_duals, (n if flipped else points,)),
            "clean_duals": (witness.clean_duals, (n,)),
        }
    )
    check_multipliers("multipliers", certificate.multipliers)
    check_multipliers("clean_multipliers", changed.multipliers)


def _check_models(
    certificate: Certificate, changed: ChangedRows, problem: Problem, counts: Counts, *, flipped: bool
) -> float:
    check_within_ball("theta", certificate.theta, problem)
    check_within_ball("clean_theta", changed.theta, problem)
    proof = prove_changes(problem, certificate.theta, certificate.multipliers, flipped=flipped)
    proven, slack = proof.bound(counts), proof.slack(counts)
    check_bound("bound", certificate.bound, proven, _ROUNDINGS * slack)
    check_parts(
        {
            "clean_loss": (certificate.clean_loss, proof.clean_loss),
            "poison_loss": (certificate.poison_loss, proof.poison_loss),
            "slack": (certificate.slack, slack),
        }
    )
    clean = prove_changes(problem, changed.theta, changed.multipliers, flipped=flipped)
    allowance = _ROUNDINGS * clean.clean_slack(counts)
    check_bound("clean_bound", changed.clean_bound, clean.clean_bound(counts), allowance)
    return proven


def _check_attack(
    certificate: Certificate, changed: ChangedRows, problem: Problem, counts: Counts, *, flipped: bool
) -> None:
    witness, n, shares = certificate.witness, len(problem.signs), changed.shares
    check_duals("clean_duals", witness.clean_duals, problem.loss.cap)
    if shares.min() < 0 or shares.max() > 1:
        raise CertificateRejected("shares: expected values from 0 to 1, got others")
    total = counts if isinstance(counts, int) else sum(counts)
    if flipped:
        check_duals("poison_duals", witness.poison_duals, problem.loss.cap)
        budget = flip_budget(problem.signs, counts)
        if np.any(budget.used(shares) > budget.limits * (1 + SAME)):
            raise CertificateRejected("shares: expected no more flips than the budget, got more")
    else:
        by_class = None if isinstance(counts, int) else (counts[0] / n, counts[1] / n)
        check_poison(witness, problem, total / n, by_class)
        # Every row that comes in takes the place of one, and the budget limits how many.
        if not n * witness.masses.sum() * (1 - SAME) <= shares.sum() <= total * (1 + SAME):
            raise CertificateRejected("shares: expected as many rows taken away as are added, got another number")
    check_reached(certificate, prove_changed_attack(problem, witness, shares, flipped=flipped))
