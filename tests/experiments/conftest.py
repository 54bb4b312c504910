"""Miniatures: real data small enough for a fast test."""

import pytest

from bezoar.datasets import load


@pytest.fixture(scope="session")
def digits():
    """Digits one and seven of 8 x 8 pixels."""
    return load("digits-1-7")


@pytest.fixture(scope="session")
def cells():
    """Measurements of cell nuclei; classes that overlap."""
    return load("breast-cancer")
