"""What a notebook shows beside the results."""

from __future__ import annotations

import subprocess
import sys

LOOK = """
import sys
import numpy as np
import toadstone
X = np.vstack([np.eye(4)[[0, 1]] + 3 * (row % 2) + row / 7 for row in range(20)])
result = toadstone.sanitize((X, np.arange(40) // 2 % 2), method="l2")
assert result._repr_html_().startswith("<div")
print([name for name in ("pooch", "tqdm.auto", "matplotlib") if name in sys.modules])
"""


def test_a_result_imports_nothing_that_prints_warnings_in_a_notebook():
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""
