"""Verification of the certificate of a cost without solving anything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toadstone.certificates.saddle.changed_rows import counts_of, prove_changes
from toadstone.certificates.saddle.least_budget import HarmLimit
from toadstone.certificates.saddle.verify import verify
from toadstone.core.certificate import Certificate, CostCertificate, Ridge
from toadstone.core.errors import CertificateRejected
from toadstone.kernels.minimax.harmful_models import prove_error_floor, prove_loss_floor, wrong_rows
from toadstone.kernels.minimax.problem import Problem

_SAME = 1e-9


@dataclass(frozen=True)
class Recomputed:
    """Bound and floor of a verified certificate, recomputed from the data.

    Parameters
    ----------
    bound : float
        Largest objective on the clean rows, penalty included, of a model that
        one row less than the certified number can lead to; or on the rows as
        changed, where that proves more.
    floor : float
        Least objective, on the same rows, of a model that does the harm.
    """

    bound: float
    floor: float


def verify_cost(certificate: CostCertificate, problem: Problem) -> Recomputed:
    """Verify the certificate of a cost: recompute bound and floor, and compare them.

    Takes time proportional to the stored entries of the data; trusts nothing
    but the data and the rules by which `problem` was built from them.

    Parameters
    ----------
    certificate : CostCertificate
    problem : Problem
        Rebuilt from the data by the certificate's setting.

    Returns
    -------
    Recomputed

    Raises
    ------
    CertificateRejected
        If the bound or the floor is not proven, or they do not rule the harm
        out.
    """
    bound, floor = verify(certificate.below, problem), prove_floor(certificate, problem)
    if not (np.isfinite(floor) and abs(certificate.floor - floor) <= _SAME * max(abs(floor), 1e-3)):
        raise CertificateRejected(
            f"floor: the dual variables prove {floor:.9g}, the certificate states {certificate.floor:.9g}"
        )
    n, changed = len(problem.signs), 0 if certificate.below.changed is None else certificate.rows - 1
    clean_bound = bound if changed == 0 else prove_clean_bound(certificate.below, problem)
    wrong = wrong_rows(certificate.wanted, n) if certificate.harm == "error" else None
    # Nothing is allowed for rounding: both sides are rounded to the safe one.
    if not HarmLimit(floor, wrong).ruled_out(bound, clean_bound, changed=changed, n=n):
        raise CertificateRejected(f"floor: expected it above the bound of {clean_bound:.9g}, got {floor:.9g}")
    if wrong is not None and clean_bound >= floor:
        return Recomputed(bound, (wrong - changed) / n)
    return Recomputed(clean_bound, floor)


def prove_clean_bound(certificate: Certificate, problem: Problem) -> float:
    """Recompute the bound of the objective on the clean rows where some are flipped or replaced."""
    changed, flipped = certificate.changed, certificate.budget.kind == "flip"
    if changed is None:
        raise CertificateRejected("clean_bound: expected one where rows are flipped or replaced, got none")
    proof = prove_changes(problem, changed.theta, changed.multipliers, flipped=flipped)
    return proof.clean_bound(counts_of(certificate.budget, len(problem.signs)))


def prove_floor(certificate: CostCertificate, problem: Problem) -> float:
    """Recompute the floor that the stored dual variables prove.

    Raises
    ------
    CertificateRejected
        If they do not fit the data, or the defender's objective is another.
    """
    if certificate.below.budget.by_class is not None:
        raise CertificateRejected("by_class: expected no limits for labels, which a number of rows does not have")
    setting, n, duals = certificate.below.setting, len(problem.signs), certificate.floor_duals
    if setting.loss != "hinge" or not isinstance(setting.hypothesis, Ridge):
        raise CertificateRejected("loss: expected the hinge loss with a ridge, which alone has a floor, got another")
    if duals.shape != (n,) or duals.min() < 0 or duals.max() > 1:
        raise CertificateRejected(f"floor_duals: expected {n} numbers from 0 to 1, got others")
    if not (0 < certificate.wanted <= 1 if certificate.harm == "error" else certificate.wanted > 0):
        raise CertificateRejected(f"wanted: expected a positive harm, an error of at most 1, got {certificate.wanted}")
    ridge = setting.hypothesis.strength
    if certificate.harm == "error":
        wrong = wrong_rows(certificate.wanted, n)
        return prove_error_floor(problem.X, problem.signs, duals, ridge=ridge, wrong=wrong)
    return prove_loss_floor(problem.X, problem.signs, duals, ridge=ridge, loss=certificate.wanted)
