"""Spectral signatures."""

import time

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.detectors.features.spectral import SpectralSignatures


def poisoned(seed, share=0.03):
    """Two classes far from the origin; a rank-one shift of some rows of the second."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(1200, 20)) + 10, np.repeat([0, 1], 600)
    X[y == 1] += 5 * rng.normal(size=20)
    planted = 600 + rng.permutation(600)[: round(share * 600)]
    shift = rng.normal(size=20)
    X[planted] += 9 * shift / np.linalg.norm(shift)
    return X, y, planted, shift


@pytest.mark.parametrize("seed", range(4))
def test_a_planted_rank_one_shift_is_recovered(seed):
    X, y, planted, shift = poisoned(seed)
    detector = SpectralSignatures().fit(X, y)
    assert np.isin(planted, detector.flagged_indices_).mean() >= 0.95
    assert np.setdiff1d(detector.flagged_indices_, planted).size <= 0.02 * len(y)
    axis = detector.principal_[1].axes[:, 0]
    assert abs(axis @ shift) / np.linalg.norm(shift) > 0.95


def test_a_shift_of_everything_is_irrelevant():
    X, y, _, _ = poisoned(0)
    here, there = SpectralSignatures().fit(X, y), SpectralSignatures().fit(X + 100, y)
    np.testing.assert_allclose(there.suspicion_, here.suspicion_, rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(there.flagged_indices_, here.flagged_indices_)
    sparse = SpectralSignatures().fit(csr_array(X), y)
    np.testing.assert_allclose(sparse.suspicion_, here.suspicion_, rtol=1e-6, atol=1e-8)


def test_suspicion_is_the_squared_projection_of_the_centred_row():
    X, y, _, _ = poisoned(1)
    suspicion = SpectralSignatures().fit(X, y).suspicion_
    for label in (0, 1):
        centred = X[y == label] - X[y == label].mean(axis=0)
        top = np.linalg.svd(centred, full_matrices=False)[2][0]
        np.testing.assert_allclose(suspicion[y == label], (centred @ top) ** 2, rtol=1e-6, atol=1e-9)


@pytest.mark.slow
def test_fifty_thousand_activations_take_seconds():
    X, y = np.random.default_rng(0).normal(size=(50000, 512)), np.arange(50000) % 10
    start = time.process_time()
    SpectralSignatures().fit(X, y)
    assert time.process_time() - start < 5
