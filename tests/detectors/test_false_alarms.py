"""Detectors keep their rates on data whose labels are right by construction, whatever their models represent."""

import numpy as np
import pytest
from clean_generators import CLEAN

from toadstone.catalogue import resolve
from toadstone.kernels.statistics.thresholds import smallest_detectable_share

LEANING_ON_A_MODEL = ("trimmed-loss", "label-errors", "influence", "sever", "activation", "mahalanobis")


@pytest.mark.parametrize("name", CLEAN)
def test_no_detector_flags_more_than_its_rate_and_chance(name):
    X, y = CLEAN[name](600, 1)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    shares = {wanted: _flagged(wanted, X, y) for wanted in LEANING_ON_A_MODEL}
    assert max(shares.values()) < smallest_detectable_share(600, 0.02), shares


@pytest.mark.parametrize("seed", range(4))
def test_a_product_of_signs_is_no_poison(seed):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, (1000, 2))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    assert _flagged("trimmed-loss", X, y) == _flagged("influence", X, y) == 0


def _flagged(name, X, y):
    return len(resolve("detector", name)().fit(X, y).flagged_indices_) / len(y)
