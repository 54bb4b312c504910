"""Data sets small enough for a fast test, and the figures of an experiment."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.dataset import Dataset
from toadstone.datasets import load
from toadstone.datasets.split import Split


@pytest.fixture(scope="session")
def figures():
    """The measured figures of an experiment by name."""

    def of(measured):
        return {row.what: row.ours for row in measured.comparisons if row.ours is not None}

    return of


@pytest.fixture(scope="session")
def digits():
    """Digits one and seven of 8 x 8 pixels."""
    return load("digits-1-7")


@pytest.fixture(scope="session")
def cells():
    """Measurements of cell nuclei; classes that overlap."""
    return load("breast-cancer")


@pytest.fixture(scope="session")
def words():
    """Counts of sixty words in short texts of two kinds, drawn at random."""
    rng = np.random.default_rng(7)
    rates = rng.gamma(0.5, 1.0, 60)
    tilt = np.exp(0.2 * rng.normal(size=60))

    def rows(count):
        labels = np.where(rng.random(count) < 0.4, 1, -1)
        return Dataset(
            csr_array(rng.poisson(rates * np.where(labels[:, None] > 0, tilt, 1 / tilt)).astype(float)), labels
        )

    return Split("words", rows(300), rows(200), "none", "drawn apart", "integer")
