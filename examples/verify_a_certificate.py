"""Hand a certificate to somebody else, who checks it without solving anything.

Run it with ``python examples/verify_a_certificate.py``.
"""

import json
import tempfile
from pathlib import Path

from toadstone.certificates.files import read_certificate, write_certificate
from toadstone.core.certificate import NormBall
from toadstone.core.errors import CertificateRejected
from toadstone.datasets import load
from toadstone.pipeline.certify import certify_split, verify_split

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "certificate.json"

    # One side certifies and writes two files.
    split = load("digits-1-7")
    (certificate,) = certify_split(split, [0.03], hypothesis=NormBall(1.0)).certificates
    write_certificate(certificate, path)
    print(f"stated: no attack with 3 % poison exceeds {certificate.bound:.4f} ({certificate.unit})")

    # The other side has the same data, and trusts nothing else.
    verify_split(read_certificate(path), load("digits-1-7"))
    print("verified: the stored model and multipliers prove that bound on these data")

    # A better number written over the proven one does not survive.
    fields = json.loads(path.read_text())
    path.write_text(json.dumps(fields | {"bound": fields["bound"] / 2}))
    try:
        verify_split(read_certificate(path), split)
    except CertificateRejected as refusal:
        print(f"refused: {refusal}")
