"""Detectors at their defaults keep the false-alarm rate on clean real data."""

import numpy as np
import pytest

from toadstone.catalogue import resolve
from toadstone.datasets.catalogue.load import load

pytestmark = pytest.mark.data
ON_FEATURES = (
    "spectral",
    "spectre",
    "activation",
    "gradient-norm",
    "gradient-similarity",
    "mahalanobis",
    "isolation-forest",
    "local-outlier-factor",
    "deep-knn",
    "minor-components",
)
TRAINED = ("trimmed-loss", "cross-validation", "label-errors", "sever", "influence")


@pytest.fixture(scope="module")
def clean(data_dir):
    """Up to 5000 clean training rows of a data set, by name."""
    cache = {}

    def rows(name):
        if name not in cache:
            train = load(name).train
            chosen = np.random.default_rng(0).permutation(len(train.y))[:5000]
            cache[name] = train.X[chosen], np.asarray(train.y)[chosen]
        return cache[name]

    return rows


@pytest.mark.parametrize("name", [*ON_FEATURES, *TRAINED])
@pytest.mark.parametrize("data", ["sms", "adult", "enron", "mnist", "pneumonia"])
def test_clean_data_keep_the_false_alarm_rate(clean, data, name):
    X, y = clean(data)
    detector = resolve("detector", name)().fit(X, y)
    assert len(detector.flagged_indices_) <= detector.false_alarm_rate * len(y)
