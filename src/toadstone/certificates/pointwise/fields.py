"""The certificate of single predictions as JSON fields and arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from toadstone.core.arrays import Array
from toadstone.core.pointwise import PointwiseCertificate

METHODS = ("label-flips", "votes", "neighbours", "temporal")
COUNTED = ("winners", "counts")
KINDS: dict[str, type] = {
    "unit": str,
    "adversary": str,
    "n_units": int,
    "exact": bool,
    "classes": list,
    "queries": int,
    "settings": dict,
    "evidence": list,
    "data_sha256": str,
    "queries_sha256": str,
    "assumptions": list,
    "not_promised": list,
}
"""Fields of the JSON file beside those of all certificates."""


def fields_of(certificate: PointwiseCertificate) -> dict[str, Any]:
    """Return the readable part, as JSON types."""
    return {
        "unit": certificate.unit,
        "adversary": certificate.adversary,
        "n_units": certificate.n_units,
        "exact": certificate.exact,
        "classes": list(certificate.classes),
        "queries": len(certificate.counts),
        "settings": dict(certificate.settings),
        "evidence": sorted(certificate.evidence),
        "data_sha256": certificate.data_sha256,
        "queries_sha256": certificate.queries_sha256,
        "assumptions": list(certificate.assumptions),
        "not_promised": list(certificate.not_promised),
    }


def arrays_of(certificate: PointwiseCertificate) -> dict[str, Array]:
    """Return the arrays, by name: winners, counts and the evidence."""
    return {
        "winners": certificate.winners.astype(np.int64),
        "counts": certificate.counts.astype(np.int64),
        **{name: _plain(array) for name, array in certificate.evidence.items()},
    }


def assemble(fields: Mapping[str, Any], arrays: Mapping[str, Array]) -> PointwiseCertificate:
    """Put a certificate together.

    Raises
    ------
    InvalidData
        If winners or counts cannot belong to the stated classes.
    TypeError, ValueError
        If fields do not fit.
    """
    for name in COUNTED:
        if arrays[name].dtype != np.int64:
            raise ValueError(f"{name} that are no whole numbers")
    if len(arrays["counts"]) != fields["queries"]:
        raise ValueError(f"{len(arrays['counts'])} counts for {fields['queries']} queries")
    return PointwiseCertificate(
        method=fields["method"],
        unit=fields["unit"],
        adversary=fields["adversary"],
        n_units=fields["n_units"],
        exact=fields["exact"],
        classes=tuple(fields["classes"]),
        winners=arrays["winners"].astype(np.int64),
        counts=arrays["counts"].astype(np.int64),
        settings=dict(fields["settings"]),
        evidence={name: arrays[name] for name in fields["evidence"]},
        data_sha256=fields["data_sha256"],
        queries_sha256=fields["queries_sha256"],
        assumptions=tuple(fields["assumptions"]),
        not_promised=tuple(fields["not_promised"]),
    )


def _plain(array: Array) -> Array:
    """One or two bytes stay so, other whole numbers have 64 bits, all else is of double precision."""
    if array.dtype in (np.uint8, np.uint16):
        return array
    return array.astype(np.int64 if array.dtype.kind in "iub" else np.float64)
