"""Small splits, and the published Enron attacks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.dataset import Dataset
from toadstone.datasets.split import Split


def build(*, seed: int = 0, n: int = 80, n_test: int = 60, kind: str = "real", sparse: bool = False) -> Split:
    rng = np.random.default_rng(seed)
    y = np.where(rng.random(n + n_test) < 0.4, "spam", "ham")
    y[:4] = ["spam", "ham", "spam", "ham"]
    shift = 1.5 * np.outer(y == "spam", [1.0, 0.0, 1.0, 0.5])
    X = rng.poisson(1.0 + shift).astype(float) if kind == "integer" else rng.normal(size=shift.shape) + shift
    if kind == "box":
        X = 1 / (1 + np.exp(-X))
    rows = csr_array(X) if sparse else X
    names = ("one", "two", "three", "four")
    train = Dataset(rows[:n], y[:n], names, 100 + np.arange(n))
    test = Dataset(rows[n:], y[n:], names, 100 + np.arange(n, n + n_test))
    return Split("small", train, test, "none", "published test split")


@pytest.fixture(scope="session")
def small():
    """Builds a small split of the kind asked for."""
    return build
