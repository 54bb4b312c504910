"""Fixtures for all rooms."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data sets that BEZOAR_DATA names."""
    named = os.environ.get("BEZOAR_DATA")
    if named and Path(named).is_dir():
        return Path(named)
    reason = f"BEZOAR_DATA names no folder of data sets (got {named!r})"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
