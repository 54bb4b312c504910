"""The examples run as they stand, in an empty folder, and say what they claim."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))
SAYS = {
    "certify_arrays": r"with 3% poison: an attack reaches 0\.\d{4}, none exceeds 0\.\d{4}",
    "defend_in_a_grid_search": r"(?s)validation: .* 0\.8467 before, 0\.9\d+ after.*among them [12]\d of 24 poisoned",
    "epic_in_your_loop": r"among them 1[5-8] of 18 poisoned ones\n.*was a medoid of class \d without members",
    "epic_with_lightning": r"\d+ of 1797 rows dropped, among them 1[2-8] of 18 poisoned",
    "epic_with_transformers": r"\d+ of 1797 rows dropped, among them 1[2-8] of 18 poisoned",
    "scan_a_data_frame": r"(?s)[678] of 8 wrong labels are among \d+ listed rows\n.*\d+ of 569 rows are kept",
    "sanitize_in_a_pipeline": r"among them 12 of 12 poisoned ones",
    "verify_a_certificate": r"(?s)stated: .*Verified: .*refused: .*was altered",
}
DEEP = {"epic_in_your_loop": "torch", "epic_with_lightning": "lightning", "epic_with_transformers": "transformers"}
"""Examples that need PyTorch, with the package that they need."""


def test_every_example_is_known():
    assert {path.stem for path in EXAMPLES} == set(SAYS)


def marked(path):
    """Those that need torch are run with the tests of networks."""
    return pytest.param(path, marks=[pytest.mark.deep] if path.stem in DEEP else [], id=path.stem)


@pytest.mark.parametrize("path", [marked(path) for path in EXAMPLES])
def test_example_runs(path, tmp_path):
    if path.stem in DEEP:
        pytest.importorskip(DEEP[path.stem])
    environment = os.environ | {"PYTHONPATH": ""}
    environment.pop("TOADSTONE_DATA", None)
    finished = subprocess.run(
        [sys.executable, "-W", "error", path],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert re.search(SAYS[path.stem], finished.stdout)
    assert list(tmp_path.iterdir()) == []
