"""The certificate of a cost as JSON fields and arrays: those of a saddle point, and what the floor rests on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, get_args

from toadstone.certificates.saddle import fields as saddle_fields
from toadstone.core.arrays import Array
from toadstone.core.certificate import CostCertificate, HarmKind
from toadstone.core.errors import CertificateRejected

METHOD = "cost"
_KINDS: dict[str, type] = {"certified_rows": int, "harm": str, "wanted": float, "floor": float}
"""Fields of the JSON file beside those of the bound."""


def kinds_of(fields: Mapping[str, Any]) -> dict[str, type]:
    """Return the types of the fields."""
    return _KINDS | saddle_fields.kinds_of(fields)


def names_of_arrays(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the arrays that belong to some fields."""
    return (*saddle_fields.names_of_arrays(fields), "floor_duals")


def fields_of(certificate: CostCertificate) -> dict[str, Any]:
    """Return the readable part, as JSON types."""
    return {
        "certified_rows": certificate.rows,
        "harm": certificate.harm,
        "wanted": certificate.wanted,
        "floor": certificate.floor,
    } | saddle_fields.fields_of(certificate.below)


def arrays_of(certificate: CostCertificate) -> dict[str, Array]:
    """Return the arrays, by name."""
    return {**saddle_fields.arrays_of(certificate.below), "floor_duals": certificate.floor_duals}


def assemble(fields: Mapping[str, Any], arrays: Mapping[str, Array], digest_label: str) -> CostCertificate:
    """Put a certificate together.

    Raises
    ------
    KeyError, TypeError, ValueError, OverflowError
        If fields do not fit.
    CertificateRejected
        If the number of rows is not the one after the budget's.
    """
    if fields["harm"] not in get_args(HarmKind):
        raise ValueError(f"harm {fields['harm']}, where {' and '.join(get_args(HarmKind))} are known")
    if arrays["floor_duals"].ndim != 1:
        raise ValueError(f"floor_duals of {arrays['floor_duals'].ndim} dimensions")
    found = CostCertificate(
        harm=cast(HarmKind, fields["harm"]),
        wanted=float(fields["wanted"]),
        floor=float(fields["floor"]),
        floor_duals=arrays["floor_duals"],
        below=saddle_fields.assemble(fields, arrays, digest_label),
    )
    if fields["certified_rows"] != found.rows:
        raise CertificateRejected(
            f"certified_rows: the bound is for one row less than {found.rows}, got {fields['certified_rows']}"
        )
    return found
