"""Verification of a certificate without solving anything."""

from __future__ import annotations

import numpy as np

from toadstone.certificates.saddle.checks import (
    check_bound,
    check_duals,
    check_multipliers,
    check_parts,
    check_poison,
    check_reached,
    check_shapes,
    check_within_ball,
)
from toadstone.certificates.saddle.proof import prove_attack, prove_bound
from toadstone.certificates.saddle.verify_changes import verify_changes
from toadstone.core.certificate import Certificate
from toadstone.core.errors import CertificateRejected
from toadstone.kernels.minimax.problem import Problem

_PARTS = ("clean_loss", "poison_loss", "slack")
_ROUNDINGS = 4
"""Allowances for rounding between two recomputed bounds: of each, for its clean and for its poisoned part."""


def verify(certificate: Certificate, problem: Problem) -> float:
    """Verify a certificate: recompute what it proves and compare that with what it states.

    Takes time proportional to the stored entries of the data; trusts nothing
    but the data and the rules by which `problem` was built from them.

    Parameters
    ----------
    certificate : Certificate
    problem : Problem
        Rebuilt from the data by the certificate's setting.

    Returns
    -------
    float
        The bound, recomputed from the stored model and multipliers. The
        certificate states no smaller one, but for the rounding of both.

    Raises
    ------
    CertificateRejected
        If the stored model does not prove the stated bound, the stored
        attack does not prove its stated value, or parts do not fit.
    """
    if certificate.budget.kind in ("flip", "replace"):
        return verify_changes(certificate, problem)
    _check_shapes(certificate, problem)
    # Numbers whose products overflow prove nothing, and are refused as infinity or NaN below.
    with np.errstate(over="ignore", invalid="ignore"):
        proven = _check_model(certificate, problem)
        _check_attack(certificate, problem)
    return proven


def _check_shapes(certificate: Certificate, problem: Problem) -> None:
    n, d = problem.X.shape
    witness, bands = certificate.witness, len(problem.regions[0].low)
    check_shapes(
        {
            "theta": (certificate.theta, (d + 1,)),
            "multipliers": (certificate.multipliers, (2, 1 + bands)),
            "points": (witness.points, (len(witness.signs), d)),
            "masses": (witness.masses, witness.signs.shape),
            "poison_duals": (witness.poison_duals, witness.signs.shape),
            "clean_duals": (witness.clean_duals, (n,)),
        }
    )
    check_multipliers("multipliers", certificate.multipliers)
    if certificate.budget.kind != "add":
        raise CertificateRejected(f"budget_kind: expected add, flip or replace, got {certificate.budget.kind}")


def _check_model(certificate: Certificate, problem: Problem) -> float:
    check_within_ball("theta", certificate.theta, problem)
    proof = prove_bound(problem, certificate.theta, certificate.multipliers)
    proven = proof.bound(certificate.budget.fraction, certificate.budget.by_class)
    check_bound("bound", certificate.bound, proven, _ROUNDINGS * proof.slack)
    check_parts({name: (getattr(certificate, name), getattr(proof, name)) for name in _PARTS})
    return proven


def _check_attack(certificate: Certificate, problem: Problem) -> None:
    witness, budget = certificate.witness, certificate.budget
    check_duals("clean_duals", witness.clean_duals, problem.loss.cap)
    check_poison(witness, problem, budget.fraction, budget.by_class)
    check_reached(certificate, prove_attack(problem, witness, budget.fraction))
