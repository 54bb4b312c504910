"""Certificates on disk: readable JSON beside an archive of plain arrays."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from toadstone.core.arrays import Array
from toadstone.core.budget import Budget
from toadstone.core.certificate import DIGEST_LABEL, Certificate, NormBall, Ridge, Setting, Witness
from toadstone.core.errors import CertificateRejected, InvalidData
from toadstone.core.files import written_aside

FORMAT = "toadstone-certificate/1"
_DIGEST_LABELS = {FORMAT: DIGEST_LABEL, "bezoar-certificate/1": "bezoar"}
"""Formats that can be read, each with the first word of its data digests; the second is from before the renaming."""
_ARRAYS = ("theta", "multipliers", "points", "signs", "masses", "clean_duals", "poison_duals")
# What NumPy and the standard library raise on an archive that is none, or damaged.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RuntimeError,
    struct.error,
    MemoryError,
)


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
    fields = _read_fields(source)
    stated = fields.pop("sha256")
    if _digest(fields) != stated:
        raise CertificateRejected(f"{source.name}: its digest does not match its content; the file was altered")
    name = Path(str(fields["arrays"])).name
    try:
        content = source.with_name(name).read_bytes()
    except (OSError, ValueError):
        raise InvalidData(f"{source.name}: expected its arrays beside it in {name!r}, got no such file") from None
    if hashlib.sha256(content).hexdigest() != fields.get("arrays_sha256"):
        raise CertificateRejected(f"{name}: its digest is not the one in {source.name}; a file was altered")
    try:
        return _assemble(fields, _read_arrays(name, content))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InvalidData(f"{source.name}: expected a certificate, got fields that do not fit ({error})") from None


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


def _read_fields(source: Path) -> dict[str, Any]:
    try:
        fields = json.loads(source.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "text that is not JSON"
        raise InvalidData(f"{source}: expected a certificate, got: {reason}") from None
    known: bool = isinstance(fields, dict) and fields.get("format") in _DIGEST_LABELS
    if not known or not {"sha256", "arrays"} <= fields.keys():
        raise InvalidData(f"{source}: expected a certificate of format {FORMAT}, got another file")
    return dict(fields)


def _read_arrays(name: str, content: bytes) -> dict[str, Array]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            found = {key: stored[key] for key in _ARRAYS}
            if any(array.dtype.kind != "f" for array in found.values()):
                raise ValueError("not floating-point numbers")
            arrays = {key: np.asarray(array, dtype=float) for key, array in found.items()}
    except _BROKEN:
        raise InvalidData(f"{name}: expected the arrays of a certificate, got others") from None
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise CertificateRejected(f"{name}: expected finite numbers, got NaN or infinity")
    return arrays


def _assemble(fields: dict[str, Any], arrays: dict[str, Array]) -> Certificate:
    numbers = {key: float(fields[key]) for key in ("bound", "attack_value", "clean_loss", "poison_loss", "slack")}
    if not all(math.isfinite(number) for number in numbers.values()):
        raise ValueError("a number is not finite")
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
