"""The tests of adapters are skipped without the library; `make test-libraries` demands it."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

for needed in ("pyod", "cleanlab", "datasets", "xgboost", "lightgbm", "catboost"):
    if os.environ.get("TOADSTONE_LIBRARIES") and importlib.util.find_spec(needed) is None:
        raise ModuleNotFoundError(f"TOADSTONE_LIBRARIES asks for the tests of adapters, but {needed} is not installed")


def pytest_collection_modifyitems(items):
    """Everything below this folder needs a library of an extra."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.libraries)
