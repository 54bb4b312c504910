"""Public names of `toadstone.datasets`."""

from __future__ import annotations

import subprocess
import sys

import pytest

import toadstone.datasets


def test_public_names_are_found_lazily() -> None:
    for name in toadstone.datasets.__all__:
        assert getattr(toadstone.datasets, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'fetch_all'"):
        toadstone.datasets.fetch_all  # noqa: B018
    heavy = ("pyarrow", "pooch", "sklearn")
    light = f"import sys, toadstone.datasets; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", light], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
