"""Comparison of a pointwise certificate with its data, and with what these and its evidence give."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields

import numpy as np

from toadstone.core.errors import CertificateRejected
from toadstone.core.pointwise import Digests, PointwiseCertificate


def refuse_other_data(certificate: PointwiseCertificate, digests: Digests) -> None:
    """Refuse a certificate that is for other rows.

    Raises
    ------
    CertificateRejected
        It names the rows.
    """
    for name, what in (("data_sha256", "training rows"), ("queries_sha256", "test rows")):
        stated, found = getattr(certificate, name), getattr(digests, name)
        if stated != found:
            raise CertificateRejected(
                f"{name}: the certificate is for {what} with digest {stated[:12]}, got {found[:12]}; read them with "
                "the same options"
            )


def refuse_differences(
    stated: PointwiseCertificate, expected: PointwiseCertificate, *, source: str, but: Collection[str] = ()
) -> None:
    """Refuse a certificate of which a field is not what was computed again.

    Parameters
    ----------
    stated, expected : PointwiseCertificate
    source : str
        What the expected one was computed from, for the message.
    but : collection of str
        Fields that were checked in another way.

    Raises
    ------
    CertificateRejected
        It names the first field that differs.
    """
    for field in fields(PointwiseCertificate):
        # A certificate that was read from a file states no rivals.
        left_out = field.name in but or (field.name == "rivals" and stated.rivals is None)
        if not left_out and not _same(getattr(stated, field.name), getattr(expected, field.name)):
            raise CertificateRejected(f"{field.name}: expected what {source} give, got something else")


def _same(stated: object, expected: object) -> bool:
    if isinstance(stated, dict) and isinstance(expected, dict):
        return stated.keys() == expected.keys() and all(_same(stated[key], expected[key]) for key in expected)
    if isinstance(stated, np.ndarray) or isinstance(expected, np.ndarray):
        return np.array_equal(np.asarray(stated), np.asarray(expected))
    return stated == expected
