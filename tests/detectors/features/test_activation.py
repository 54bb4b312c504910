"""Activation clustering."""

import time

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score

import toadstone.detectors.features.activation as room
from toadstone.detectors.features.activation import ActivationClustering


def poisoned(seed, count=20):
    """Three classes of activations; some rows of the last come from elsewhere."""
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1, 2], 300)
    X = 6 * rng.normal(size=(3, 16))[y] + rng.normal(size=(900, 16))
    planted = 600 + np.arange(count)
    shift = rng.normal(size=16)
    X[planted] += 9 * shift / np.linalg.norm(shift)
    return X, y, planted


@pytest.mark.parametrize("seed", range(4))
def test_exactly_the_planted_cluster_is_flagged(seed):
    X, y, planted = poisoned(seed)
    detector = ActivationClustering().fit(X, y)
    np.testing.assert_array_equal(detector.flagged_indices_, planted)
    assert np.isfinite(detector.thresholds_).tolist() == [False, False, True]
    found = detector.clusters_[2]
    assert found.share == pytest.approx(20 / 300)
    assert found.silhouette > 0.35 > max(other.silhouette for other in detector.clusters_[:2])


def test_the_silhouette_is_scikit_learns():
    X, y, planted = poisoned(0)
    found = ActivationClustering().fit(X, y).clusters_[2]
    points = found.principal.coordinates(X[y == 2])
    expected = silhouette_score(points, np.isin(np.arange(600, 900), planted))
    assert found.silhouette == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(2))
def test_the_parts_are_those_of_scikit_learns_axes_and_clusters(seed):
    X, y, _ = poisoned(seed)
    detector = ActivationClustering().fit(X, y)
    for label, found in enumerate(detector.clusters_):
        rows = X[y == label]
        points = PCA(15, svd_solver="full").fit_transform(rows)
        np.testing.assert_allclose(np.abs(found.principal.coordinates(rows)), np.abs(points), atol=1e-8)
        reference = KMeans(2, n_init=30, random_state=0).fit(points)
        centres = np.array([found.large, found.small])
        distances = np.linalg.norm(found.principal.coordinates(rows)[:, None] - centres, axis=2)
        assert (distances.min(axis=1) ** 2).sum() <= 1.01 * reference.inertia_
        if label == 2:
            small = np.bincount(reference.labels_).argmin()
            np.testing.assert_array_equal(detector.suspicion_[y == label] > 0, reference.labels_ == small)


def test_the_silhouette_of_many_rows_is_estimated(monkeypatch):
    X, y, _ = poisoned(0)
    whole = ActivationClustering().fit(X, y).clusters_[2].silhouette
    monkeypatch.setattr(room, "_LARGEST", 120)
    assert ActivationClustering().fit(X, y).clusters_[2].silhouette == pytest.approx(whole, abs=0.03)


def test_each_cluster_weighs_by_all_its_rows(monkeypatch):
    rng = np.random.default_rng(0)
    points = np.vstack([10 + 0.1 * rng.normal(size=(300, 2)), 3 * rng.normal(size=(3000, 2))])
    members = np.arange(3300) < 300
    monkeypatch.setattr(room, "_LARGEST", 300)
    # The small cluster has a silhouette near one, the large one of far less.
    estimate = room._silhouette(points, members, np.random.default_rng(0))
    assert estimate == pytest.approx(silhouette_score(points, members), abs=0.02)


def test_an_even_split_is_not_flagged():
    X, y, _ = poisoned(0, count=150)
    detector = ActivationClustering().fit(X, y)
    assert detector.clusters_[2].silhouette > 0.35
    assert detector.flagged_indices_.size == 0


def test_a_class_with_one_long_tail_is_not_flagged():
    X = np.random.default_rng(0).exponential(size=(800, 2)) ** 2
    detector = ActivationClustering().fit(X)
    found = detector.clusters_[0]
    assert found.silhouette > 0.35
    assert found.share < 0.35
    assert found.valley > 0.5
    assert detector.flagged_indices_.size == 0


def test_a_cluster_is_found_beside_a_direction_of_larger_spread():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 5)) * np.array([40.0, 20.0, 1, 1, 1])
    X[:30, 2:] += 8.0
    detector = ActivationClustering().fit(X, np.arange(2000) // 400)
    np.testing.assert_array_equal(detector.flagged_indices_, np.arange(30))
    assert detector.clusters_[0].scale[0] > 10


@pytest.mark.parametrize(("classes", "found"), [(10, 92), (5, 92), (4, 0)])
def test_a_large_cluster_is_outlying_among_enough_classes(classes, found):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400 * classes, 5)) * np.array([40.0, 20.0, 1, 1, 1])
    X[:92, 2] += 10.0
    detector = ActivationClustering().fit(X, np.arange(400 * classes) // 400)
    np.testing.assert_array_equal(detector.flagged_indices_, np.arange(found))
    if found:
        assert detector.clusters_[0].least_silhouette == 0.2 < detector.clusters_[0].silhouette < 0.35


def test_the_least_silhouette_is_a_modified_z_score_with_a_floor():
    assert room._outlying_silhouette([0.1] * 9 + [0.3]) == 0.2
    assert room._outlying_silhouette([0.1, 0.18, 0.12, 0.2, 0.15]) == pytest.approx(0.15 + 3.5 / 0.6745 * 0.03)
    assert room._outlying_silhouette([0.1] * 3 + [0.3]) == np.inf


def test_stricter_limits_flag_less():
    X, y, _ = poisoned(0)
    assert ActivationClustering(least_silhouette=0.9).fit(X, y).flagged_indices_.size == 0
    assert ActivationClustering(largest_share=0.05).fit(X, y).flagged_indices_.size == 0


@pytest.mark.slow
def test_fifty_thousand_activations_take_less_than_half_a_minute():
    X, y = np.random.default_rng(0).normal(size=(50000, 512)), np.arange(50000) % 10
    start = time.process_time()
    assert ActivationClustering().fit(X, y).flagged_indices_.size == 0
    assert time.process_time() - start < 30
