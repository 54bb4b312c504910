"""scikit-learn's outlier detectors, class by class."""

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor

import toadstone.detectors.features.outliers as room
from toadstone.detectors.features.outliers import IsolationForestDetector, LocalOutlierFactorDetector
from toadstone.kernels.rows import value_order


@pytest.fixture
def strayed():
    """Two classes; four rows of the first lie where the second is at home."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(600, 4)), np.repeat([0, 1], 300)
    X[300:] += 12
    X[:4] += 12
    return X, y


@pytest.mark.parametrize("detector", [IsolationForestDetector(), LocalOutlierFactorDetector()], ids=["forest", "lof"])
def test_a_row_is_judged_within_its_class(strayed, detector):
    X, y = strayed
    detector.fit(X, y)
    assert np.isin(np.arange(4), np.argsort(detector.suspicion_)[-4:]).all()
    assert np.isin(np.arange(4), detector.flagged_indices_).all()
    assert detector.flagged_indices_.size <= 4 + 12


def test_scores_are_the_forests(strayed):
    X, y = strayed
    detector = IsolationForestDetector(random_state=np.random.RandomState(3)).fit(X, y)
    rows = X[value_order(X, y)]
    seed = np.random.RandomState(3).randint(np.iinfo(np.int32).max)
    first = IsolationForest(random_state=seed).fit(rows[np.isin(rows, X[y == 0]).all(axis=1)])
    np.testing.assert_allclose(detector.suspicion_[y == 0], -first.score_samples(X[y == 0]))


def test_scores_are_the_local_outlier_factors(strayed):
    X, y = strayed
    detector = LocalOutlierFactorDetector(n_neighbors=15).fit(X, y)
    for label in (0, 1):
        reference = LocalOutlierFactor(n_neighbors=15).fit(X[y == label])
        np.testing.assert_allclose(detector.suspicion_[y == label], -reference.negative_outlier_factor_)


def test_rows_that_repeat_have_a_density(strayed):
    X, y = strayed
    repeated = np.concatenate([X, np.repeat(X[:1], 50, axis=0)])
    detector = LocalOutlierFactorDetector().fit(repeated, np.append(y, np.zeros(50, int)))
    np.testing.assert_allclose(detector.suspicion_[:600], LocalOutlierFactorDetector().fit(X, y).suspicion_)
    np.testing.assert_array_equal(detector.suspicion_[600:], detector.suspicion_[0])


def test_in_large_classes_a_sample_of_the_rows_are_the_neighbours(strayed, monkeypatch):
    X, y = strayed
    X, y = np.concatenate([X, X[5:25]]), np.append(y, y[5:25])
    whole = LocalOutlierFactorDetector().fit(X, y)
    monkeypatch.setattr(room, "_MOST_NEIGHBOURS", 150)
    detector = LocalOutlierFactorDetector().fit(X, y)
    assert [density.n_samples_fit_ for density in detector.densities_] == [150, 150]
    assert np.isin(np.arange(4), detector.flagged_indices_).all()
    assert np.corrcoef(detector.suspicion_[4:], whole.suspicion_[4:])[0, 1] > 0.7
    np.testing.assert_array_equal(detector.suspicion_[600:], detector.suspicion_[5:25])


def test_many_classes_share_the_trees(strayed, monkeypatch):
    X, y = strayed
    monkeypatch.setattr(room, "_MOST_TREES", 21)
    assert [forest.n_estimators for forest in IsolationForestDetector().fit(X, y).forests_] == [10, 10]
