"""Groups of a class: triggers on rows of another class, natural clusters, scattered rows."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.detectors.features.activation import ActivationClustering
from toadstone.detectors.features.foreign_groups import is_far, is_foreign, is_scattered
from toadstone.detectors.features.mahalanobis import RobustMahalanobis
from toadstone.detectors.features.spectral import SpectralSignatures


def two_classes(seed=0, n=400):
    rng = np.random.default_rng(seed)
    members = np.arange(2 * n) < n
    return rng.normal(size=(2 * n, 8)) + 2.5 * members[:, None] * (np.arange(8) < 3), members


@pytest.fixture
def triggered():
    """Thirty rows of the other class with three values of a trigger, in the first class."""
    X, members = two_classes()
    X[:30, :3] -= 2.5
    X[:30, 5:] = [7.0, -7.0, 7.0]
    return X, members, np.arange(800) < 30


@pytest.mark.parametrize("storage", [np.asarray, csr_array])
def test_a_trigger_on_rows_of_another_class_is_foreign(triggered, storage):
    X, members, group = triggered
    assert is_foreign(storage(X), members, group)


def test_the_same_values_on_rows_of_the_class_are_not(triggered):
    X, members, group = triggered
    X[:30, :3] += 2.5
    assert not is_foreign(X, members, group)


def test_a_cluster_that_repeats_nothing_is_not(triggered):
    X, members, group = triggered
    X[:30, 5:] += np.random.default_rng(1).normal(size=(30, 3))
    assert not is_foreign(X, members, group)


def test_a_natural_group_that_stands_out_of_the_others_too_is_not(triggered):
    X, members, group = triggered
    X[:30, 3:5] += 9
    assert not is_foreign(X, members, group)


def test_without_another_class_nothing_is_foreign(triggered):
    X, _, group = triggered
    assert not is_foreign(X, np.ones(800, dtype=bool), group)


@pytest.mark.parametrize("clusters", [2, 3, 5])
@pytest.mark.parametrize("share", [0.04, 0.2])
def test_natural_clusters_are_not_flagged_by_activation_clustering(clusters, share):
    rng = np.random.default_rng(clusters)
    y = np.repeat([0, 1], 400)
    part = np.where(rng.random(800) < share, rng.integers(1, clusters, 800), 0)
    X = 9 * rng.normal(size=(2, clusters, 5))[y, part] + rng.normal(size=(800, 5))
    detector = ActivationClustering().fit(X, y)
    assert len(detector.flagged_indices_) / 800 < detector.smallest_detectable_share_
    if not np.isfinite(detector.thresholds_).any() and detector.abstains_:
        assert detector.abstains_.startswith("this model does not fit these data: the clusters of class")


def test_a_trigger_is_flagged_by_activation_clustering_however_many_rows_have_it(triggered):
    X, members, _ = triggered
    X[30:60] = X[770:] * (np.arange(8) < 5) + np.array([0, 0, 0, 0, 0, 7.0, -7.0, 7.0])
    detector = ActivationClustering().fit(X, members.astype(int))
    np.testing.assert_array_equal(detector.flagged_indices_, np.arange(60))
    assert detector.abstains_ == ""


@pytest.mark.parametrize(("scale", "shift", "expected"), [(8, 0, True), (1, 12, False), (0.1, 12, False)])
def test_rows_apart_from_each_other_are_scattered(scale, shift, expected):
    X = np.random.default_rng(0).normal(size=(500, 6))
    group = np.arange(500) < 30
    X[group] = scale * X[group] + shift
    assert is_scattered(X, group) is is_scattered(csr_array(X), group) is expected


def test_a_natural_minor_cluster_is_flagged_up_to_the_rate_and_scattered_rows_beyond():
    X = np.random.default_rng(0).normal(size=(1000, 6))
    clustered, scattered = X.copy(), X.copy()
    clustered[:60] += 8
    scattered[:60] *= 12
    assert len(SpectralSignatures().fit(clustered).flagged_indices_) == 20
    assert np.isin(np.arange(60), SpectralSignatures().fit(scattered).flagged_indices_).sum() > 30


@pytest.mark.parametrize("count", [5, 12, 16, 24])
@pytest.mark.parametrize("seed", range(3))
def test_rows_far_out_in_all_directions_are_flagged_up_to_a_quarter_of_a_class(count, seed):
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1], 100)
    X = rng.normal(size=(200, 4)) + 2.0 * y[:, None]
    X[:count] += rng.choice([-1, 1], (count, 4)) * rng.uniform(20, 90, (count, 4))
    flagged = RobustMahalanobis().fit(X, y).flagged_indices_
    assert np.isin(np.arange(count), flagged).all()
    assert len(flagged) - count <= 4


@pytest.mark.parametrize("count", [12, 24])
def test_a_clump_of_as_many_is_flagged_up_to_the_rate_at_most(count):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 100)
    X = rng.normal(size=(200, 4)) + 2.0 * y[:, None]
    X[:count] += 50
    assert np.isin(np.arange(count), RobustMahalanobis().fit(X, y).flagged_indices_).sum() <= 2


@pytest.mark.parametrize("storage", [np.asarray, csr_array])
@pytest.mark.parametrize(("scale", "far"), [(1.0, False), (3.0, False), (60.0, True)])
def test_far_rows_are_parted_from_the_others_by_a_gap(storage, scale, far):
    X, group = np.random.default_rng(0).normal(size=(200, 5)) + 3, np.arange(200) < 30
    X[group] = 3 + scale * (X[group] - 3)
    assert is_far(storage(X), group) is far
