"""Gradients of a linear head."""

import numpy as np
import pytest

from toadstone.detectors.features.gradient import GradientNorm, GradientSimilarity


def mislabelled(n_classes, seed=0):
    """Well-parted classes; eight rows of the first carry the second's label."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(n_classes), 300)
    X = 6 * np.eye(4)[:n_classes][y] + rng.normal(size=(len(y), 4))
    y[:8] = 1
    return X, y


def _loss(thetas, row, code):
    scores = thetas @ np.append(row, 1.0)
    sides = np.array([2.0 * code - 1]) if len(thetas) == 1 else np.where(np.arange(len(thetas)) == code, 1.0, -1.0)
    return np.logaddexp(0, -sides * scores).sum()


def _gradient(thetas, row, code):
    """By central differences."""
    step, gradient = 1e-6, np.empty(thetas.shape)
    for place in np.ndindex(thetas.shape):
        nudge = np.zeros(thetas.shape)
        nudge[place] = step
        gradient[place] = (_loss(thetas + nudge, row, code) - _loss(thetas - nudge, row, code)) / (2 * step)
    return gradient


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_closed_forms_agree_with_differences(n_classes):
    X, y = mislabelled(n_classes)
    norm, similarity = GradientNorm().fit(X, y), GradientSimilarity().fit(X, y)
    rows = [0, 5, 100, 450, len(y) - 1]
    for row in rows:
        gradient = _gradient(norm.head_.thetas, X[row], y[row])
        assert norm.suspicion_[row] == pytest.approx(np.linalg.norm(gradient), rel=1e-5)
    members = np.flatnonzero(y == 1)
    gradients = np.array([_gradient(norm.head_.thetas, X[row], 1) for row in members])
    directions = gradients / np.linalg.norm(gradients, axis=(1, 2), keepdims=True)
    mean = directions.mean(axis=0)
    np.testing.assert_allclose(similarity.mean_directions_[1], mean, atol=1e-5)
    cosines = np.sum(directions * mean, axis=(1, 2)) / np.linalg.norm(mean)
    np.testing.assert_allclose(similarity.suspicion_[members], 1 - cosines, atol=1e-4)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_wrong_labels_have_the_largest_gradients(n_classes):
    X, y = mislabelled(n_classes)
    detector = GradientNorm().fit(X, y)
    assert set(range(8)) == set(np.argsort(detector.suspicion_)[-8:])
    assert np.isin(np.arange(8), detector.flagged_indices_).all()
    assert len(detector.flagged_indices_) <= 8 + 0.02 * len(y)


def test_gradients_of_another_direction_stand_out():
    X, y = mislabelled(3)
    detector = GradientSimilarity().fit(X, y)
    assert detector.suspicion_[:8].min() > np.quantile(detector.suspicion_[8:][y[8:] == 1], 0.98)
    assert detector.suspicion_.min() >= 0
    assert detector.suspicion_.max() <= 2
