"""Certificates on disk: readable JSON beside an archive of plain arrays."""

from __future__ import annotations

import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from toadstone.certificates.strictly import LARGEST_ARRAYS, read_arrays, read_object, read_regular
from toadstone.core.arrays import Array
from toadstone.core.budget import Budget
from toadstone.core.certificate import DIGEST_LABEL, Certificate, NormBall, Ridge, Setting, Witness
from toadstone.core.errors import CertificateRejected, InvalidData
from toadstone.core.files import written_aside

FORMAT = "toadstone-certificate/1"
_DIGEST_LABELS = {FORMAT: DIGEST_LABEL, "bezoar-certificate/1": "bezoar"}
"""Formats that can be read, each with the first word of its data digests; the second is from before the renaming."""
_ARRAYS = ("theta", "multipliers", "points", "signs", "masses", "clean_duals", "poison_duals")
_ABOUT_FILES = {"format": str, "arrays": str, "arrays_sha256": str, "sha256": str}
_KINDS = _ABOUT_FILES | {
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
"""The fields of the JSON file, all of them needed and no others known."""


def as_fields(certificate: Certificate) -> dict[str, Any]:
    """Return the readable part of a certificate, as JSON types."""
    setting = certificate.setting
    kind, value = _hypothesis(setting.hypothesis)
    return {
        "format": FORMAT,
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


def write_certificate(certificate: Certificate, path: str | os.PathLike[str]) -> None:
    """Write ``NAME.json`` and, beside it, ``NAME.npz``.

    Parameters
    ----------
    certificate : Certificate
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


def read_certificate(path: str | os.PathLike[str]) -> Certificate:
    """Read a certificate, refusing one whose parts do not belong together.

    Parameters
    ----------
    path : path-like
        Of the JSON file.

    Returns
    -------
    Certificate

    Raises
    ------
    InvalidData
        If a file is missing or not a certificate.
    CertificateRejected
        If a digest does not match its content.
    """
    source = Path(path)
    fields = read_object(source, _KINDS)
    if fields["format"] not in _DIGEST_LABELS:
        raise InvalidData(f"{source}: expected a certificate of format {FORMAT}, got {fields['format']!r}")
    stated = fields.pop("sha256")
    if _digest(fields) != stated:
        raise CertificateRejected(f"{source.name}: its digest does not match its content; the file was altered")
    name = Path(fields["arrays"]).name
    arrays = _read_arrays(source, name, fields["arrays_sha256"])
    try:
        found = _assemble(fields, arrays)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InvalidData(f"{source.name}: expected a certificate, got fields that do not fit ({error})") from None
    # It follows from two others, exactly, as long as nobody changes it.
    if fields["gap"] != found.gap:
        raise CertificateRejected(f"gap: {found.gap:.9g} is left between bound and attack, got {fields['gap']:.9g}")
    return found


def _hypothesis(hypothesis: NormBall | Ridge) -> tuple[str, float]:
    if isinstance(hypothesis, Ridge):
        return "ridge", hypothesis.strength
    return "norm_ball", hypothesis.squared_radius


def _arrays(certificate: Certificate) -> dict[str, Array]:
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


def _digest(fields: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def _read_arrays(source: Path, name: str, digest: str) -> dict[str, Array]:
    try:
        content = read_regular(source.with_name(name), LARGEST_ARRAYS)
    except (OSError, ValueError) as error:
        reason = "no such file" if isinstance(error, OSError) or not name or "\0" in name else error
        raise InvalidData(f"{source.name}: expected its arrays beside it in {name!r}, got {reason}") from None
    if hashlib.sha256(content).hexdigest() != digest:
        raise CertificateRejected(f"{name}: its digest is not the one in {source.name}; a file was altered")
    try:
        arrays = read_arrays(content, _ARRAYS)
    except ValueError as error:
        raise InvalidData(f"{name}: expected the arrays of a certificate, got {error}") from None
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise CertificateRejected(f"{name}: expected finite numbers, got NaN or infinity")
    return arrays


def _assemble(fields: dict[str, Any], arrays: dict[str, Array]) -> Certificate:
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
    return Certificate(
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
        digest_label=_DIGEST_LABELS[fields["format"]],
    )
