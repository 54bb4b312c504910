"""The loss without its maximum, for two classes and for more."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

from toadstone.learners.linear import LinearClassifier
from toadstone.learners.multiclass import CrammerSingerClassifier
from toadstone.sanitizers.loss import LossSanitizer


def test_scores_are_one_minus_the_margin_of_a_model_on_everything():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 4)) + np.repeat([[0.0], [2.0]], 30, axis=0)
    y = np.repeat([0, 1], 30)
    sanitizer = LossSanitizer(ridge=0.1).fit(X, y)
    theta = sanitizer.model_.thetas[0]
    margins = np.where(y == 1, 1, -1) * (X @ theta[:-1] + theta[-1])
    np.testing.assert_allclose(sanitizer.suspicion_, 1 - margins, atol=1e-12)
    assert sanitizer.suspicion_.min() < 0


def test_flipped_rows_go_first():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((100, 3)) + np.repeat([[-3.0], [3.0]], 50, axis=0)
    y = np.repeat([0, 1], 50)
    y[[7, 8]] = 1
    sanitizer = LossSanitizer(contamination=2 / 52)
    sanitizer.fit_resample(X, y)
    assert {7, 8} <= set(sanitizer.removed_indices_.tolist())


@pytest.mark.parametrize("loss", ["hinge", "logistic"])
def test_margin_of_several_classes_is_against_the_best_rival(loss):
    X, y = load_iris(return_X_y=True)
    sanitizer = LossSanitizer(contamination=0.1, loss=loss).fit(X, y)
    scores = sanitizer.model_.scores(X)
    expected = [1 - row[label] + max(np.delete(row, label)) for row, label in zip(scores, y, strict=True)]
    np.testing.assert_allclose(sanitizer.suspicion_, expected)


def test_the_hinge_of_several_classes_is_crammers_and_singers():
    X, y = load_iris(return_X_y=True)
    sanitizer = LossSanitizer(ridge=0.02).fit(X, y)
    exact = CrammerSingerClassifier(ridge=0.02).fit(X, y).decision_function(X)
    np.testing.assert_allclose(sanitizer.model_.scores(X), exact, atol=0.02)
    for other in ({"loss": "logistic"}, {"bias": "free"}):
        expected = LinearClassifier(ridge=0.02, tolerance=1e-6, **other).fit(X, y).decision_function(X)
        model = LossSanitizer(ridge=0.02, **other).fit(X, y).model_
        np.testing.assert_allclose(model.scores(X), expected, atol=0.02)


@pytest.mark.parametrize("loss", ["hinge", "logistic"])
def test_feasible_set_of_several_classes_has_a_half_space_for_each_rival(loss):
    X, y = load_iris(return_X_y=True)
    sanitizer = LossSanitizer(contamination=0.1, loss=loss).fit(X, y)
    assert sanitizer.feasible_set_.region(2).bands.shape == (2, 4)
    for label in range(3):
        labels = np.full(len(y), label)
        np.testing.assert_array_equal(sanitizer.feasible_set_.contains(X, labels), sanitizer.predict(X, labels) == 1)
