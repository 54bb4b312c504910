"""Certificates of single predictions on disk: every kind of array comes back, and forgeries do not."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from toadstone.certificates.files import as_fields, read_certificate, write_certificate
from toadstone.core.errors import CertificateRejected, InvalidData, ToadstoneError
from toadstone.core.pointwise import PointwiseCertificate


@pytest.fixture
def written(tmp_path):
    """A certificate of three queries with evidence of all kinds, and its JSON file."""
    certificate = PointwiseCertificate(
        method="votes",
        unit="rows added or removed",
        adversary="Adds and removes rows.",
        n_units=40,
        exact=True,
        classes=("ham", "spam"),
        winners=np.array([0, 1, 1]),
        counts=np.array([2, 0, 5]),
        settings={"scheme": "parts", "partitions": 11, "ridge": 0.5},
        evidence={
            "votes": np.array([[0, 1], [1, 1], [1, 255]], dtype=np.uint8),
            "members": np.array([[3, -1]], dtype=np.int32),
            "weights": np.array([0.25, -1e300], dtype=np.float64),
        },
        data_sha256="ab",
        queries_sha256="cd",
        assumptions=("The rows are hashed.",),
        not_promised=("Changed queries.",),
    )
    path = tmp_path / "certificate.json"
    write_certificate(certificate, path)
    return certificate, path


def forge(path, **changes):
    """Rewrite the JSON with a digest that matches its new content; None takes a field out."""
    fields = {name: value for name, value in (json.loads(path.read_text()) | changes).items() if value is not None}
    fields.pop("sha256")
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps(fields | {"sha256": digest}))


def test_what_is_read_is_what_was_written(written):
    certificate, path = written
    found = read_certificate(path)
    assert isinstance(found, PointwiseCertificate)
    assert as_fields(found) == as_fields(certificate)
    np.testing.assert_array_equal(found.winners, certificate.winners)
    np.testing.assert_array_equal(found.counts, certificate.counts)
    assert {name: array.dtype.name for name, array in found.evidence.items()} == {
        "votes": "uint8",
        "members": "int64",
        "weights": "float64",
    }
    for name, array in certificate.evidence.items():
        np.testing.assert_array_equal(found.evidence[name], array)


def test_the_json_names_method_and_format(written):
    fields = json.loads(written[1].read_text())
    assert (fields["format"], fields["method"], fields["queries"]) == ("toadstone-certificate/2", "votes", 3)


@pytest.mark.parametrize("field", ["unit", "n_units", "exact", "classes", "settings", "evidence", "queries", "method"])
def test_a_field_that_is_missing_is_refused(written, field):
    forge(written[1], **{field: None})
    with pytest.raises(InvalidData, match="expected a certificate"):
        read_certificate(written[1])


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "magic"},
        {"method": "saddle"},
        {"format": "toadstone-certificate/1"},
        {"format": "toadstone-certificate/3"},
        {"exact": 1},
        {"n_units": True},
        {"n_units": 0},
        {"n_units": 3.5},
        {"settings": {"a": [1]}},
        {"settings": {"a": None}},
        {"evidence": ["votes"]},
        {"evidence": ["votes", "members", "other"]},
        {"queries": 4},
        {"classes": ["ham"]},
        {"more": 1},
    ],
    ids=str,
)
def test_a_field_of_another_kind_is_refused(written, changes):
    forge(written[1], **changes)
    with pytest.raises(InvalidData):
        read_certificate(written[1])


@pytest.mark.parametrize("field", ["unit", "adversary", "data_sha256", "queries_sha256"])
def test_an_altered_field_does_not_have_the_digest(written, field):
    fields = json.loads(written[1].read_text())
    written[1].write_text(json.dumps(fields | {field: "other"}))
    with pytest.raises(CertificateRejected, match="was altered"):
        read_certificate(written[1])


def test_an_altered_archive_is_refused(written):
    archive = written[1].with_suffix(".npz")
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(bytes(content))
    with pytest.raises(ToadstoneError):
        read_certificate(written[1])
