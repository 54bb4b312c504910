"""Hand a certificate to somebody else, who verifies it without solving anything.

Run it with ``python examples/verify_a_certificate.py``.
"""

import json
import tempfile
from pathlib import Path

import toadstone

with tempfile.TemporaryDirectory() as folder:
    # One side certifies and saves.
    result = toadstone.certify("digits-1-7", fraction=0.03, norm_squared=1.0)
    path = result.save(Path(folder) / "certified") / "certificate-0.03.json"
    (certificate,) = result.certificates
    print(f"stated: no attack with 3 % poison exceeds {certificate.bound:.4f} ({certificate.unit})")

    # The other side has the same data, and trusts nothing else.
    print(toadstone.verify(path, "digits-1-7"))

    # A better number written over the proven one is refused.
    fields = json.loads(path.read_text())
    path.write_text(json.dumps(fields | {"bound": fields["bound"] / 2}))
    try:
        toadstone.verify(path, "digits-1-7")
    except toadstone.CertificateRejected as refusal:
        print(f"refused: {refusal}")
