"""Robust Mahalanobis distances."""

import numpy as np
import pytest
from scipy.stats import chi2
from sklearn.covariance import ledoit_wolf

from toadstone.core.errors import InvalidData
from toadstone.detectors.features.mahalanobis import RobustMahalanobis


def test_clean_distances_follow_a_scaled_chi_square():
    X = np.random.default_rng(0).normal(size=(3000, 5)) @ np.diag([1, 2, 3, 4, 50.0])
    suspicion = RobustMahalanobis().fit(X).suspicion_
    quantiles = np.quantile(suspicion, [0.25, 0.5, 0.9]) / chi2(5).ppf([0.25, 0.5, 0.9])
    # The spread of the core is less than that of all rows, by one factor.
    np.testing.assert_allclose(quantiles / quantiles[1], 1, atol=0.1)


@pytest.mark.parametrize(("share", "flagged"), [(0.025, 25), (0.07, 20)])
def test_a_clump_that_would_mask_itself_is_flagged_up_to_the_false_alarm_rate(share, flagged):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(1000, 6)) * np.array([30, 1, 1, 1, 1, 1.0])
    planted = np.arange(round(share * 1000))
    X[planted, 1] += 15
    detector = RobustMahalanobis().fit(X)
    assert np.isin(planted, np.argsort(-detector.suspicion_)[: len(planted)]).all()
    # Nothing tells more of them than the rate allows from a natural cluster.
    assert np.isin(planted, detector.flagged_indices_).sum() == flagged
    assert len(detector.flagged_indices_) <= 28
    # Neither centre nor spread is moved by the clump.
    assert np.abs(detector.suspicion_[planted]).min() > 100


def test_linear_maps_are_nearly_irrelevant():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(2000, 4))
    turned = X @ np.linalg.qr(rng.normal(size=(4, 4)))[0] * 3 + 7
    one, other = RobustMahalanobis().fit(X), RobustMahalanobis().fit(turned)
    assert np.corrcoef(one.suspicion_, other.suspicion_)[0, 1] > 0.999


def test_the_core_is_where_concentration_ends():
    X = np.random.default_rng(3).normal(size=(400, 3)) ** 3
    detector = RobustMahalanobis().fit(X)
    scatter, core = detector.scatters_[0], np.argsort(detector.suspicion_)[:300]
    points = scatter.principal.coordinates(X[core])
    np.testing.assert_allclose(scatter.centre, points.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(scatter.precision, np.linalg.inv(ledoit_wolf(points)[0]), rtol=1e-6, atol=1e-9)


def test_numbers_too_large_for_a_covariance_are_refused():
    X = np.random.default_rng(0).normal(size=(40, 3))
    assert np.isfinite(RobustMahalanobis().fit(1e49 * X).suspicion_).all()
    with pytest.raises(InvalidData, match=r"features: expected numbers up to 1e\+50, got .*; scale the columns"):
        RobustMahalanobis().fit(1e90 * X)
