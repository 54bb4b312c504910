"""Checks of a certificate's parts that the verification of every kind of budget shares."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from toadstone.core.arrays import Array, IntArray
from toadstone.core.certificate import ModelCertificate, NormBall, Witness
from toadstone.core.errors import CertificateRejected
from toadstone.kernels.minimax.problem import Problem
from toadstone.kernels.sets.membership import violations

SAME = 1e-9
"""Relative allowance for sums that two machines round."""
FEASIBLE = 1e-7
"""How far a stored point may be outside its region, in the region's own scale."""


def check_shapes(expected: Mapping[str, tuple[Array | IntArray, tuple[int, ...]]]) -> None:
    """Refuse arrays, by name, whose shapes do not belong to the data."""
    for name, (array, shape) in expected.items():
        if array.shape != shape:
            raise CertificateRejected(f"{name}: expected shape {shape} for these data, got {array.shape}")


def check_multipliers(name: str, multipliers: Array) -> None:
    """Refuse multipliers of a radius that are negative, or no number."""
    if not multipliers[:, 0].min() >= 0:
        raise CertificateRejected(f"{name}: expected the radius's not to be negative, got one that is")


def check_within_ball(name: str, theta: Array, problem: Problem) -> None:
    """Refuse a model outside the norm ball."""
    # No tolerance: the certifier scales its model 1e-14 inside the ball. Only the rounding of this sum, at most
    # d + 1 units of 1.1e-16 relative, could hide an excess.
    hypothesis = problem.hypothesis
    if isinstance(hypothesis, NormBall) and not theta @ theta <= hypothesis.squared_radius:
        raise CertificateRejected(f"{name}: expected a model within the norm ball, got one outside it")


def check_bound(name: str, stated: float, proven: float, allowance: float) -> None:
    """Refuse a stated bound that differs from the proven one."""
    # One-sided: what is stated may be larger by the tolerance, but never smaller by more than two machines round.
    if stated < proven - allowance or not agree(stated, proven):
        raise CertificateRejected(f"{name}: the model proves {proven:.9g}, the certificate states {stated:.9g}")


def check_parts(parts: Mapping[str, tuple[float, float]]) -> None:
    """Refuse stated numbers, by name, that differ from those that were found."""
    for name, (stated, found) in parts.items():
        if not agree(stated, found):
            raise CertificateRejected(f"{name}: the model has {found:.9g}, the certificate states {stated:.9g}")


def check_duals(name: str, duals: Array, cap: float) -> None:
    """Refuse dual variables of rows beyond their bounds."""
    if duals.min(initial=0) < 0 or duals.max(initial=0) > cap:
        raise CertificateRejected(f"{name}: expected values within their bounds, got some outside")


def check_poison(witness: Witness, problem: Problem, fraction: float, by_class: tuple[float, float] | None) -> None:
    """Refuse poison points beyond the budget, outside the feasible set, or with duals beyond their masses."""
    cap = problem.loss.cap
    if np.any(np.abs(witness.signs) != 1):
        raise CertificateRejected("signs: expected -1 or +1, got others")
    if witness.poison_duals.min(initial=0) < 0 or witness.masses.min(initial=0) < 0:
        raise CertificateRejected("masses: expected none negative, got some that are")
    used = witness.masses > 0
    if not witness.masses.sum() <= fraction * (1 + SAME) or np.any(
        witness.poison_duals[used] > cap * witness.masses[used] * (1 + SAME)
    ):
        raise CertificateRejected("masses: expected no more poison than the fraction, got more")
    for sign, share in zip((-1.0, 1.0), by_class or (), strict=False):
        if not witness.masses[witness.signs == sign].sum() <= share * (1 + SAME):
            raise CertificateRejected("masses: expected no more poison of a class than its share, got more")
    if np.any(witness.poison_duals[~used] > 0):
        raise CertificateRejected("poison_duals: expected none without mass, got some")
    for point, sign in zip(witness.points[used], witness.signs[used], strict=True):
        if not violations(problem.regions[int(sign > 0)], point[None, :]).max() <= FEASIBLE:
            raise CertificateRejected("points: expected poison within the feasible set, got a point outside it")


def check_reached(certificate: ModelCertificate, reached: float) -> None:
    """Refuse an attack that does more than the bound allows, or other than what is stated."""
    # Points are feasible but for a tolerance, by which they may claim more: 3e-12 of the bound was seen, ours included.
    if reached - certificate.bound > 10 * FEASIBLE * max(abs(certificate.bound), 1e-3):
        raise CertificateRejected(
            f"bound: the attack proves {reached:.17g}, the certificate states {certificate.bound:.17g}, which is less"
        )
    proven = min(reached, certificate.bound)
    if certificate.attack_value > certificate.bound or not agree(certificate.attack_value, proven):
        raise CertificateRejected(
            f"attack_value: the attack proves {proven:.9g} within the bound, the certificate states "
            f"{certificate.attack_value:.9g}"
        )


def agree(stated: float, proven: float) -> bool:
    """Return True if two numbers are the same but for rounding, and finite."""
    # Multipliers may prove nothing, and infinity is within any share of infinity.
    return bool(np.isfinite(proven)) and abs(stated - proven) <= SAME * max(abs(proven), 1e-3)
