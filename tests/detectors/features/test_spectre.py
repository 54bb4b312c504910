"""SPECTRE."""

import numpy as np
import pytest
from clean_generators import CLEAN
from scipy.linalg import expm

from toadstone.detectors import SPECTRE, SpectralSignatures
from toadstone.kernels.statistics.quantum_scores import SHARPNESS, quantum_scores


def poisoned(seed, share=0.03, n=1500, d=30):
    """A class of falling variances with a group shifted where it varies least, and a clean class."""
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((2 * n, d)) * np.geomspace(10, 1, d), np.repeat([0, 1], n)
    X[y == 1] += 3
    planted = np.arange(round(share * n))
    X[planted, -1] += 5
    X[planted, -2] -= 4
    return X, y, planted


@pytest.mark.parametrize("seed", range(3))
def test_a_group_hidden_from_the_top_singular_vector_is_found(seed):
    X, y, planted = poisoned(seed)
    found = SPECTRE().fit(X, y)
    assert np.isin(planted, found.flagged_indices_).mean() >= 0.8
    assert np.setdiff1d(found.flagged_indices_, planted).size <= 0.02 * len(y)
    assert np.isin(np.argsort(found.suspicion_[:1500])[-45:], planted).mean() >= 0.9
    assert not np.isin(planted, SpectralSignatures().fit(X, y).flagged_indices_).any()


def test_clean_data_keep_the_false_alarm_rate():
    flagged = {shape: len(SPECTRE().fit(*make(600, 0)).flagged_indices_) for shape, make in CLEAN.items()}
    assert sum(flagged.values()) <= 0.005 * 600 * len(CLEAN)
    # Its small clusters are what the detector looks for.
    assert {shape for shape, count in flagged.items() if count > 12} <= {"unequal-clusters"}


def test_the_score_is_that_of_the_paper():
    rng = np.random.default_rng(1)
    points = rng.standard_normal((2000, 4)) * [3, 1, 1, 1]
    points[:100, 1] += 8
    found = quantum_scores(points, np.zeros(4), np.diag([9.0, 1, 1, 1]))
    white = points @ found.whitening
    covariance = np.cov(white.T, bias=True)
    excess = np.linalg.norm(covariance, 2) - 1
    weights = expm(SHARPNESS * (covariance - np.eye(4)) / excess)
    weights /= np.trace(weights)
    expected = np.sum((white @ weights) * white, axis=1)
    np.testing.assert_allclose(found.scores(points), expected, rtol=1e-9)
    assert found.excess == pytest.approx(np.trace(covariance @ weights))


def test_whitening_has_the_median_distance_of_gaussian_rows():
    points = np.random.default_rng(2).standard_normal((4000, 3)) * 7
    found = quantum_scores(points, np.zeros(3), np.eye(3) * 0.01)
    np.testing.assert_allclose(found.whitening @ found.whitening.T * 49, np.eye(3), atol=0.05)
    assert found.excess == pytest.approx(1, abs=0.1)


def test_columns_without_variance_are_left_out():
    X, y, planted = poisoned(0, n=300, d=8)
    X[:, 3] = 0.1
    assert np.isfinite(SPECTRE().fit(X, y).suspicion_).all()
    assert quantum_scores(np.zeros((9, 2)), np.zeros(2), np.zeros((2, 2))).scores(np.ones((3, 2))).tolist() == [0, 0, 0]
    assert len(planted) == 9
