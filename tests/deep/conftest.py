"""Small networks and images for the annex of networks; without torch its tests are skipped, and say so."""

from __future__ import annotations

import importlib.util
import os

import pytest

if os.environ.get("BEZOAR_DEEP") and importlib.util.find_spec("torch") is None:
    raise ModuleNotFoundError("BEZOAR_DEEP asks for the tests of bezoar.deep, but torch is not installed")


def pytest_collection_modifyitems(items):
    """Everything below this folder needs torch."""
    for item in items:
        if item.path.parent.name == "deep":
            item.add_marker(pytest.mark.deep)


@pytest.fixture(autouse=True)
def one_thread():
    """Small tensors wait for each other on many threads; and the tests share two cores."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
