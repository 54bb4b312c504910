"""The certificate of a saddle point as JSON fields and arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from toadstone.core.arrays import Array
from toadstone.core.budget import Budget
from toadstone.core.certificate import Certificate, ChangedRows, ModelCertificate, NormBall, Ridge, Setting, Witness
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
_CHANGED_ARRAYS = ("clean_theta", "clean_multipliers", "shares")
_CHANGED, _BY_CLASS = "clean_bound", "by_class"
_LOSS, _FILTER = "loss", "filter_model"
_LABELS = ("lower_label", "higher_label")


def kinds_of(fields: Mapping[str, Any]) -> dict[str, type]:
    """Return the types of the fields: some more where rows are flipped or replaced, or classes have limits."""
    kinds = dict(KINDS)
    if fields.get("budget_kind") in ("flip", "replace"):
        kinds[_CHANGED] = float
    if _BY_CLASS in fields:
        kinds[_BY_CLASS] = dict
    return kinds


def names_of_arrays(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the arrays that belong to some fields."""
    changed = _CHANGED_ARRAYS if _CHANGED in fields else ()
    return ARRAYS + changed + (() if _LOSS not in fields["sanitizers"] else (_FILTER,))


def fields_of(certificate: ModelCertificate) -> dict[str, Any]:
    """Return the readable part, as JSON types."""
    setting = certificate.setting
    kind, value = _hypothesis(setting.hypothesis)
    more: dict[str, Any] = {}
    if certificate.changed is not None:
        more[_CHANGED] = certificate.changed.clean_bound
    if certificate.budget.by_class is not None:
        more[_BY_CLASS] = dict(zip(_LABELS, certificate.budget.by_class, strict=True))
    return more | {
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
    witness, changed = certificate.witness, certificate.changed
    more = (changed.theta, changed.multipliers, changed.shares) if changed is not None else ()
    fixed = {} if certificate.filter_model is None else {_FILTER: certificate.filter_model}
    return (
        dict(zip(_CHANGED_ARRAYS, more, strict=False))
        | fixed
        | {
            "theta": certificate.theta,
            "multipliers": certificate.multipliers,
            "points": witness.points,
            "signs": witness.signs,
            "masses": witness.masses,
            "clean_duals": witness.clean_duals,
            "poison_duals": witness.poison_duals,
        }
    )


def assemble(fields: Mapping[str, Any], arrays: Mapping[str, Array], digest_label: str) -> Certificate:
    """Put a certificate together.

    Raises
    ------
    KeyError, TypeError, ValueError, OverflowError
        If fields do not fit.
    CertificateRejected
        If the stated gap is not that between bound and attack.
    """
    if any(array.dtype != np.float64 for array in arrays.values()):
        raise ValueError("arrays that are not of double precision")
    witness = Witness(*(arrays[key] for key in ("points", "signs", "masses", "clean_duals", "poison_duals")))
    found = Certificate(
        **parts_of(fields),
        theta=arrays["theta"],
        multipliers=arrays["multipliers"],
        witness=witness,
        digest_label=digest_label,
        changed=_changed(fields, arrays),
        filter_model=arrays.get(_FILTER),
    )
    check_gap(fields, found)
    return found


def parts_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what certificates of any number of classes consist of beside their arrays, by name.

    Raises
    ------
    KeyError, TypeError, ValueError, OverflowError
        If fields do not fit.
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
    return numbers | {
        "unit": str(fields["unit"]),
        "budget": _budget(fields),
        "setting": setting,
        "data_sha256": str(fields["data_sha256"]),
        "assumptions": tuple(fields["assumptions"]),
        "not_promised": tuple(fields["not_promised"]),
    }


def check_gap(fields: Mapping[str, Any], found: ModelCertificate) -> None:
    """Refuse a stated gap that is not that between bound and attack.

    Raises
    ------
    CertificateRejected
    """
    # It follows from two others, exactly, as long as nobody changes it.
    if fields["gap"] != found.gap:
        raise CertificateRejected(f"gap: {found.gap:.9g} is left between bound and attack, got {fields['gap']:.9g}")


def _budget(fields: Mapping[str, Any]) -> Budget:
    by_class = None
    if _BY_CLASS in fields:
        shares = fields[_BY_CLASS]
        by_class = (float(shares[_LABELS[0]]), float(shares[_LABELS[1]]))
    return Budget(float(fields["fraction"]), fields["budget_kind"], by_class)


def _changed(fields: Mapping[str, Any], arrays: Mapping[str, Array]) -> ChangedRows | None:
    if _CHANGED not in fields:
        return None
    return ChangedRows(float(fields[_CHANGED]), *(arrays[name] for name in _CHANGED_ARRAYS))


def _hypothesis(hypothesis: NormBall | Ridge) -> tuple[str, float]:
    if isinstance(hypothesis, Ridge):
        return "ridge", hypothesis.strength
    return "norm_ball", hypothesis.squared_radius
