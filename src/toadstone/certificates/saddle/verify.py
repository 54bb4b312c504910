"""Verification of a certificate without solving anything."""

from __future__ import annotations

import numpy as np

from toadstone.certificates.saddle.proof import prove_attack, prove_bound
from toadstone.core.certificate import Certificate, NormBall
from toadstone.core.errors import CertificateRejected
from toadstone.kernels.minimax.problem import Problem
from toadstone.kernels.sets.membership import violations

_FEASIBLE = 1e-7
_SAME = 1e-9
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
    _check_shapes(certificate, problem)
    # Numbers whose products overflow prove nothing, and are refused as infinity or NaN below.
    with np.errstate(over="ignore", invalid="ignore"):
        proven = _check_model(certificate, problem)
        _check_attack(certificate, problem)
    return proven


def _check_shapes(certificate: Certificate, problem: Problem) -> None:
    n, d = problem.X.shape
    witness, bands = certificate.witness, len(problem.regions[0].low)
    expected = {
        "theta": (certificate.theta, (d + 1,)),
        "multipliers": (certificate.multipliers, (2, 1 + bands)),
        "points": (witness.points, (len(witness.signs), d)),
        "masses": (witness.masses, witness.signs.shape),
        "poison_duals": (witness.poison_duals, witness.signs.shape),
        "clean_duals": (witness.clean_duals, (n,)),
    }
    for name, (array, shape) in expected.items():
        if array.shape != shape:
            raise CertificateRejected(f"{name}: expected shape {shape} for these data, got {array.shape}")
    if certificate.multipliers[:, 0].min() < 0:
        raise CertificateRejected("multipliers: expected the radius's not to be negative, got one that is")
    if np.any(np.abs(witness.signs) != 1):
        raise CertificateRejected("signs: expected -1 or +1, got others")
    if certificate.budget.kind != "add":
        raise CertificateRejected(f"budget_kind: expected add, which alone is proven, got {certificate.budget.kind}")


def _check_model(certificate: Certificate, problem: Problem) -> float:
    # No tolerance: the certifier scales its model 1e-14 inside the ball. Only the rounding of this sum, at most
    # d + 1 units of 1.1e-16 relative, could hide an excess.
    hypothesis = problem.hypothesis
    if isinstance(hypothesis, NormBall) and not certificate.theta @ certificate.theta <= hypothesis.squared_radius:
        raise CertificateRejected("theta: expected a model within the norm ball, got one outside it")
    proof = prove_bound(problem, certificate.theta, certificate.multipliers)
    proven = proof.bound(certificate.budget.fraction)
    # One-sided: what is stated may be larger by the tolerance, but never smaller by more than two machines round.
    too_small = certificate.bound < proven - _ROUNDINGS * proof.slack
    if too_small or not _agree(certificate.bound, proven):
        raise CertificateRejected(
            f"bound: the model proves {proven:.9g}, the certificate states {certificate.bound:.9g}"
        )
    for name in ("clean_loss", "poison_loss", "slack"):
        stated, found = getattr(certificate, name), getattr(proof, name)
        if not _agree(stated, found):
            raise CertificateRejected(f"{name}: the model has {found:.9g}, the certificate states {stated:.9g}")
    return proven


def _check_attack(certificate: Certificate, problem: Problem) -> None:
    witness, fraction = certificate.witness, certificate.budget.fraction
    cap = problem.loss.cap
    if witness.clean_duals.min(initial=0) < 0 or witness.clean_duals.max(initial=0) > cap:
        raise CertificateRejected("clean_duals: expected values within their bounds, got some outside")
    if witness.poison_duals.min(initial=0) < 0 or witness.masses.min(initial=0) < 0:
        raise CertificateRejected("masses: expected none negative, got some that are")
    used = witness.masses > 0
    if not witness.masses.sum() <= fraction * (1 + _SAME) or np.any(
        witness.poison_duals[used] > cap * witness.masses[used] * (1 + _SAME)
    ):
        raise CertificateRejected("masses: expected no more poison than the fraction, got more")
    if np.any(witness.poison_duals[~used] > 0):
        raise CertificateRejected("poison_duals: expected none without mass, got some")
    for point, sign in zip(witness.points[used], witness.signs[used], strict=True):
        if not violations(problem.regions[int(sign > 0)], point[None, :]).max() <= _FEASIBLE:
            raise CertificateRejected("points: expected poison within the feasible set, got a point outside it")
    reached = prove_attack(problem, witness, fraction)
    # Points are feasible but for a tolerance, by which they may claim more: 3e-12 of the bound was seen, ours included.
    if reached - certificate.bound > 10 * _FEASIBLE * max(abs(certificate.bound), 1e-3):
        raise CertificateRejected(
            f"bound: the attack proves {reached:.17g}, the certificate states {certificate.bound:.17g}, which is less"
        )
    proven = min(reached, certificate.bound)
    if certificate.attack_value > certificate.bound or not _agree(certificate.attack_value, proven):
        raise CertificateRejected(
            f"attack_value: the attack proves {proven:.9g} within the bound, the certificate states "
            f"{certificate.attack_value:.9g}"
        )


def _agree(stated: float, proven: float) -> bool:
    # Multipliers may prove nothing, and infinity is within any share of infinity.
    return bool(np.isfinite(proven)) and abs(stated - proven) <= _SAME * max(abs(proven), 1e-3)
