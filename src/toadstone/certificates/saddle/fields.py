"""The certificate of a saddle point as JSON fields and arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toadstone.core.arrays import Array
from toadstone.core.budget import Budget
from toadstone.core.certificate import Certificate, NormBall, Ridge, Setting, Witness
from toadstone.core.errors import CertificateRejected

METHOD = "saddle"
ARRAYS = ("theta", "multipliers", "points", "signs", "masses", "clean_duals", "poison_duals")
KINDS: dict[str, type] = {
    "fraction": float,
    "budget_kind": str,
    "bound": float,
    "attack_value": float,
    "gap": float,
    "unit": str,
    "clean_loss": float,
    "poison_loss": float,
    "slack": float,
    "sanitizers": list,
    "quantile": float,
    "domain": str,
    "loss": str,
    "hypothesis": str,
    "hypothesis_value": float,
    "data_sha256": str,
    "assumptions": list,
    "not_promised": list,
}
"""Fields of the JSON file beside those of all certificates."""


def fields_of(certificate: Certificate) -> dict[str, Any]:
    """Return the readable part, as JSON types."""
    setting = certificate.setting
    kind, value = _hypothesis(setting.hypothesis)
    return {
        "fraction": certificate.budget.fraction,
        "budget_kind": certificate.budget.kind,
        "bound": certificate.bound,
        "attack_value": certificate.attack_value,
        "gap": certificate.gap,
        "unit": certificate.unit,
        "clean_loss": certificate.clean_loss,
        "poison_loss": certificate.poison_loss,
        "slack": certificate.slack,
        "sanitizers": list(setting.sanitizers),
        "quantile": setting.quantile,
        "domain": setting.domain,
        "loss": setting.loss,
        "hypothesis": kind,
        "hypothesis_value": value,
        "data_sha256": certificate.data_sha256,
        "assumptions": list(certificate.assumptions),
        "not_promised": list(certificate.not_promised),
    }


def arrays_of(certificate: Certificate) -> dict[str, Array]:
    """Return the arrays, by name."""
    witness = certificate.witness
    return {
        "theta": certificate.theta,
        "multipliers": certificate.multipliers,
        "points": witness.points,
        "signs": witness.signs,
        "masses": witness.masses,
        "clean_duals": witness.clean_duals,
        "poison_duals": witness.poison_duals,
    }


def assemble(fields: Mapping[str, Any], arrays: Mapping[str, Array], digest_label: str) -> Certificate:
    """Put a certificate together.

    Raises
    ------
    KeyError, TypeError, ValueError, OverflowError
        If fields do not fit.
    CertificateRejected
        If the stated gap is not that between bound and attack.
    """
    numbers = {key: float(fields[key]) for key in ("bound", "attack_value", "clean_loss", "poison_loss", "slack")}
    kinds: dict[str, type[NormBall] | type[Ridge]] = {"ridge": Ridge, "norm_ball": NormBall}
    setting = Setting(
        sanitizers=tuple(fields["sanitizers"]),
        quantile=float(fields["quantile"]),
        domain=str(fields["domain"]),
        loss=str(fields["loss"]),
        hypothesis=kinds[fields["hypothesis"]](float(fields["hypothesis_value"])),
    )
    witness = Witness(*(arrays[key] for key in ("points", "signs", "masses", "clean_duals", "poison_duals")))
    found = Certificate(
        **numbers,
        unit=str(fields["unit"]),
        budget=Budget(float(fields["fraction"]), fields["budget_kind"]),
        setting=setting,
        theta=arrays["theta"],
        multipliers=arrays["multipliers"],
        witness=witness,
        data_sha256=str(fields["data_sha256"]),
        assumptions=tuple(fields["assumptions"]),
        not_promised=tuple(fields["not_promised"]),
        digest_label=digest_label,
    )
    # It follows from two others, exactly, as long as nobody changes it.
    if fields["gap"] != found.gap:
        raise CertificateRejected(f"gap: {found.gap:.9g} is left between bound and attack, got {fields['gap']:.9g}")
    return found


def _hypothesis(hypothesis: NormBall | Ridge) -> tuple[str, float]:
    if isinstance(hypothesis, Ridge):
        return "ridge", hypothesis.strength
    return "norm_ball", hypothesis.squared_radius
