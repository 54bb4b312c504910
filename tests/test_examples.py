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
    "defend_in_a_grid_search": r"(?s)validation: .* 0\.8467 before, 0\.8[789]\d+ after.*among them 1\d of 24 poisoned",
    "sanitize_in_a_pipeline": r"among them 12 of 12 poisoned ones",
    "verify_a_certificate": r"(?s)stated: .*verified: .*refused: .*was altered",
}


def test_every_example_is_known():
    assert {path.stem for path in EXAMPLES} == set(SAYS)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(path, tmp_path):
    environment = os.environ | {"PYTHONPATH": ""}
    environment.pop("BEZOAR_DATA", None)
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
