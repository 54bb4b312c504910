"""Verification of a certificate of several classes without solving anything."""

from __future__ import annotations

import numpy as np

from toadstone.certificates.multiclass.proof import prove_multiclass_attack, prove_multiclass_bound
from toadstone.certificates.saddle.checks import (
    FEASIBLE,
    SAME,
    check_bound,
    check_multipliers,
    check_parts,
    check_reached,
    check_shapes,
)
from toadstone.core.certificate import MulticlassCertificate, PairWitness
from toadstone.core.errors import CertificateRejected
from toadstone.kernels.minimax.problem import MulticlassProblem
from toadstone.kernels.sets.membership import violations

_PARTS = ("clean_loss", "poison_loss", "slack")
_ROUNDINGS = 4
"""Allowances for rounding between two recomputed bounds: of each, for its clean and for its poisoned part."""


def verify_multiclass(certificate: MulticlassCertificate, problem: MulticlassProblem) -> float:
    """Verify a certificate of several classes: recompute what it proves and compare that with what it states.

    Takes time proportional to the stored entries of the data times the number
    of classes; trusts nothing but the data and the rules by which `problem`
    was built from them.

    Parameters
    ----------
    certificate : MulticlassCertificate
    problem : MulticlassProblem
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
    _check_shapes(certificate, problem)
    _check_witness(certificate.witness, problem, certificate.budget.fraction)
    # Numbers whose products overflow prove nothing, and are refused as infinity or NaN.
    with np.errstate(over="ignore", invalid="ignore"):
        proof = prove_multiclass_bound(problem, certificate.theta, certificate.multipliers)
        proven = proof.bound(certificate.budget.fraction)
        check_bound("bound", certificate.bound, proven, _ROUNDINGS * proof.slack)
        check_parts({name: (getattr(certificate, name), getattr(proof, name)) for name in _PARTS})
        reached = prove_multiclass_attack(problem, certificate.witness, certificate.budget.fraction)
        check_reached(certificate, reached)
    return proven


def _check_shapes(certificate: MulticlassCertificate, problem: MulticlassProblem) -> None:
    (n, d), k = problem.X.shape, problem.n_classes
    witness, bands = certificate.witness, len(problem.regions[0].low)
    check_shapes(
        {
            "theta": (certificate.theta, (k, d + 1)),
            "multipliers": (certificate.multipliers, (k, k, 1 + bands)),
            "points": (witness.points, (len(witness.labels), d)),
            "rivals": (witness.rivals, witness.labels.shape),
            "masses": (witness.masses, witness.labels.shape),
            "poison_duals": (witness.poison_duals, witness.labels.shape),
            "clean_duals": (witness.clean_duals, (n, k)),
        }
    )
    check_multipliers("multipliers", certificate.multipliers.reshape(k * k, 1 + bands))
    if np.any(certificate.multipliers[np.arange(k), np.arange(k)] != 0):
        raise CertificateRejected("multipliers: expected none for a label as its own rival, got some")
    if certificate.budget.kind != "add" or certificate.budget.by_class is not None:
        raise CertificateRejected(f"budget_kind: expected add, which alone is proven, got {certificate.budget.kind}")


def _check_witness(witness: PairWitness, problem: MulticlassProblem, fraction: float) -> None:
    duals, k = witness.clean_duals, problem.n_classes
    own = duals[np.arange(len(duals)), problem.classes]
    if duals.min(initial=0) < 0 or np.any(own != 0) or not duals.sum(axis=1).max(initial=0) <= 1 + SAME:
        raise CertificateRejected("clean_duals: expected values within their bounds, got some outside")
    for name, codes in (("labels", witness.labels), ("rivals", witness.rivals)):
        if codes.min(initial=0) < 0 or codes.max(initial=0) >= k:
            raise CertificateRejected(f"{name}: expected positions of {k} classes, got others")
    if np.any(witness.labels == witness.rivals):
        raise CertificateRejected("rivals: expected other classes than the labels, got the same")
    if not witness.masses.min(initial=1) > 0 or witness.poison_duals.min(initial=0) < 0:
        raise CertificateRejected("masses: expected positive ones and duals that are not negative, got others")
    if not witness.masses.sum() <= fraction * (1 + SAME) or np.any(witness.poison_duals > witness.masses * (1 + SAME)):
        raise CertificateRejected("masses: expected no more poison than the fraction, got more")
    for point, label in zip(witness.points, witness.labels.tolist(), strict=True):
        if not violations(problem.regions[label], point[None, :]).max() <= FEASIBLE:
            raise CertificateRejected("points: expected poison within the feasible set, got a point outside it")
