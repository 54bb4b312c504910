"""The certificate of several classes as arrays; its JSON fields are those of two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from toadstone.certificates.saddle.fields import check_gap, parts_of
from toadstone.core.arrays import Array
from toadstone.core.certificate import MulticlassCertificate, PairWitness

METHOD = "multiclass-saddle"
_POSITIONS = ("labels", "rivals")
_OF_WITNESS = ("points", *_POSITIONS, "masses", "clean_duals", "poison_duals")
ARRAYS = ("theta", "multipliers", *_OF_WITNESS)


def arrays_of(certificate: MulticlassCertificate) -> dict[str, Array]:
    """Return the arrays, by name."""
    parts = {name: getattr(certificate.witness, name) for name in _OF_WITNESS}
    return {"theta": certificate.theta, "multipliers": certificate.multipliers} | parts


def assemble(fields: Mapping[str, Any], arrays: Mapping[str, Array]) -> MulticlassCertificate:
    """Put a certificate together.

    Raises
    ------
    KeyError, TypeError, ValueError, OverflowError
        If fields do not fit.
    CertificateRejected
        If the stated gap is not that between bound and attack.
    """
    for name, array in arrays.items():
        if array.dtype != (np.int64 if name in _POSITIONS else np.float64):
            raise ValueError(f"{array.dtype} for {name}")
    witness: dict[str, Any] = {name: arrays[name] for name in _OF_WITNESS}
    found = MulticlassCertificate(
        **parts_of(fields),
        theta=arrays["theta"],
        multipliers=arrays["multipliers"],
        witness=PairWitness(**witness),
    )
    check_gap(fields, found)
    return found
