"""Certificates on disk: readable JSON beside an archive of plain arrays."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from toadstone.certificates.cost import fields as cost_fields
from toadstone.certificates.multiclass import fields as multiclass_fields
from toadstone.certificates.pointwise import fields as pointwise_fields
from toadstone.certificates.saddle import fields as saddle_fields
from toadstone.certificates.strictly import LARGEST_ARRAYS, read_arrays, read_object, read_regular
from toadstone.core.arrays import Array
from toadstone.core.certificate import (
    DIGEST_LABEL,
    Certificate,
    CostCertificate,
    ModelCertificate,
    MulticlassCertificate,
)
from toadstone.core.checks import plainly
from toadstone.core.errors import CertificateRejected, InvalidData
from toadstone.core.files import written_aside
from toadstone.core.pointwise import PointwiseCertificate

FORMAT = "toadstone-certificate/2"
_DIGEST_LABELS = {"toadstone-certificate/1": DIGEST_LABEL, "bezoar-certificate/1": "bezoar"}
"""Formats of saddle certificates before there were others, each with the first word of its data digests."""
AnyCertificate: TypeAlias = Certificate | MulticlassCertificate | CostCertificate | PointwiseCertificate
Written: TypeAlias = ModelCertificate | CostCertificate | PointwiseCertificate
_MODEL_LEVEL = (saddle_fields.METHOD, multiclass_fields.METHOD, cost_fields.METHOD)
_ABOUT_FILES: dict[str, type] = {"format": str, "arrays": str, "arrays_sha256": str, "sha256": str}


def as_fields(certificate: Written) -> dict[str, Any]:
    """Return the readable part of a certificate, as JSON types."""
    if isinstance(certificate, PointwiseCertificate):
        return {"format": FORMAT, "method": certificate.method} | pointwise_fields.fields_of(certificate)
    if isinstance(certificate, CostCertificate):
        return {"format": FORMAT, "method": cost_fields.METHOD} | cost_fields.fields_of(certificate)
    several = isinstance(certificate, MulticlassCertificate)
    method = multiclass_fields.METHOD if several else saddle_fields.METHOD
    return {"format": FORMAT, "method": method} | saddle_fields.fields_of(certificate)


def write_certificate(certificate: Written, path: str | os.PathLike[str]) -> None:
    """Write ``NAME.json`` and, beside it, ``NAME.npz``.

    Parameters
    ----------
    certificate : Certificate, MulticlassCertificate, CostCertificate or PointwiseCertificate
    path : path-like
        Of the JSON file; each file is written aside, then renamed.
    """
    target = Path(path)
    archive = target.with_suffix(".npz")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **_arrays(certificate))
    fields = as_fields(certificate)
    fields["arrays"] = archive.name
    fields["arrays_sha256"] = hashlib.sha256(buffer.getvalue()).hexdigest()
    fields["sha256"] = _digest(fields)
    with written_aside(archive) as stream:
        stream.write(buffer.getvalue())
    with written_aside(target) as stream:
        stream.write((json.dumps(fields, indent=2, allow_nan=False) + "\n").encode())


def read_certificate(path: str | os.PathLike[str]) -> AnyCertificate:
    """Read a certificate, refusing one whose parts do not belong together.

    Parameters
    ----------
    path : path-like
        Of the JSON file.

    Returns
    -------
    Certificate, MulticlassCertificate, CostCertificate or PointwiseCertificate

    Raises
    ------
    InvalidData
        If a file is missing or not a certificate.
    CertificateRejected
        If a digest does not match its content.
    """
    source = Path(path)
    fields = read_object(source, _kinds)
    stated = fields.pop("sha256")
    if _digest(fields) != stated:
        raise CertificateRejected(f"{source.name}: its digest does not match its content; the file was altered")
    method = fields.get("method", saddle_fields.METHOD)
    arrays = _read_arrays(source, fields["arrays"], fields["arrays_sha256"], _names(method, fields))
    try:
        if method in pointwise_fields.METHODS:
            return pointwise_fields.assemble(fields, arrays)
        if method == multiclass_fields.METHOD:
            return multiclass_fields.assemble(fields, arrays)
        if method == cost_fields.METHOD:
            return cost_fields.assemble(fields, arrays, DIGEST_LABEL)
        return saddle_fields.assemble(fields, arrays, _DIGEST_LABELS.get(fields["format"], DIGEST_LABEL))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InvalidData(f"{source.name}: expected a certificate, got fields that do not fit ({error})") from None


def _kinds(fields: Mapping[str, Any]) -> dict[str, type]:
    """Types of the fields, all of them needed and no others known."""
    form, method = (plainly(str(fields.get(name))) for name in ("format", "method"))
    if form in _DIGEST_LABELS:
        return _ABOUT_FILES | saddle_fields.KINDS
    if form != FORMAT:
        raise ValueError(f"format {form}, where {FORMAT} is known")
    if method in pointwise_fields.METHODS:
        return _ABOUT_FILES | {"method": str} | pointwise_fields.KINDS
    if method == cost_fields.METHOD:
        return _ABOUT_FILES | {"method": str} | cost_fields.kinds_of(fields)
    if method not in _MODEL_LEVEL:
        known = ", ".join([*_MODEL_LEVEL, *pointwise_fields.METHODS])
        raise ValueError(f"method {method}, where {known} are known")
    kinds = saddle_fields.kinds_of(fields) if method == saddle_fields.METHOD else saddle_fields.KINDS
    return _ABOUT_FILES | {"method": str} | kinds


def _names(method: str, fields: Mapping[str, Any]) -> Sequence[str]:
    if method in pointwise_fields.METHODS:
        return [*pointwise_fields.COUNTED, *fields["evidence"]]
    if method == multiclass_fields.METHOD:
        return multiclass_fields.ARRAYS
    of_method = cost_fields.names_of_arrays if method == cost_fields.METHOD else saddle_fields.names_of_arrays
    return of_method(fields)


def _arrays(certificate: Written) -> dict[str, Array]:
    if isinstance(certificate, PointwiseCertificate):
        return pointwise_fields.arrays_of(certificate)
    if isinstance(certificate, CostCertificate):
        return cost_fields.arrays_of(certificate)
    if isinstance(certificate, MulticlassCertificate):
        return multiclass_fields.arrays_of(certificate)
    if isinstance(certificate, Certificate):
        return saddle_fields.arrays_of(certificate)
    raise TypeError(f"no file format for {type(certificate).__name__}")


def _digest(fields: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def _read_arrays(source: Path, name: str, digest: str, names: Sequence[str]) -> dict[str, Array]:
    if Path(name).name != name:
        raise InvalidData(f"{source.name}: expected its arrays beside it, got {plainly(name)}")
    try:
        content = read_regular(source.with_name(name), LARGEST_ARRAYS)
    except (OSError, ValueError) as error:
        reason = "no such file" if isinstance(error, OSError) or not name or "\0" in name else error
        raise InvalidData(f"{source.name}: expected its arrays beside it in {name!r}, got {reason}") from None
    if hashlib.sha256(content).hexdigest() != digest:
        raise CertificateRejected(f"{name}: its digest is not the one in {source.name}; a file was altered")
    try:
        arrays = read_arrays(content, names)
    except ValueError as error:
        raise InvalidData(f"{name}: expected the arrays of a certificate, got {error}") from None
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise CertificateRejected(f"{name}: expected finite numbers, got NaN or infinity")
    return arrays
