"""The loss without its maximum, for two classes and for more."""

import numpy as np
from sklearn.datasets import load_iris

from bezoar.sanitizers.loss import LossSanitizer


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


def test_margin_of_several_classes_is_against_the_best_rival():
    X, y = load_iris(return_X_y=True)
    sanitizer = LossSanitizer(contamination=0.1).fit(X, y)
    scores = X @ sanitizer.model_.thetas[:, :-1].T + sanitizer.model_.thetas[:, -1]
    expected = [1 - row[label] + max(np.delete(row, label)) for row, label in zip(scores, y, strict=True)]
    np.testing.assert_allclose(sanitizer.suspicion_, expected)


def test_feasible_set_of_several_classes_has_a_half_space_for_each_rival():
    X, y = load_iris(return_X_y=True)
    sanitizer = LossSanitizer(contamination=0.1).fit(X, y)
    assert sanitizer.feasible_set_.region(2).bands.shape == (2, 4)
    np.testing.assert_array_equal(sanitizer.feasible_set_.contains(X, y), sanitizer.predict(X, y) == 1)
