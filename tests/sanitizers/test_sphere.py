"""Distances to class means, and the ball that follows from them."""

import numpy as np

from toadstone.sanitizers.sphere import SphereSanitizer


def test_scores_are_distances_to_the_mean_of_the_class():
    X = np.array([[0.0, 0.0], [6.0, 8.0], [1.0, 1.0], [1.0, 1.0]])
    sanitizer = SphereSanitizer().fit(X, ["a", "a", "b", "b"])
    np.testing.assert_allclose(sanitizer.suspicion_, [5.0, 5.0, 0.0, 0.0])


def test_feasible_set_is_the_ball_of_the_threshold():
    X = np.random.default_rng(0).standard_normal((50, 3))
    y = np.arange(50) % 2
    sanitizer = SphereSanitizer(contamination=0.2).fit(X, y)
    region = sanitizer.feasible_set_.region(1)
    np.testing.assert_array_equal(region.centre, sanitizer.means_[1])
    assert region.radius == sanitizer.thresholds_[1]


def test_refitting_forgets_the_last_fit():
    X = np.random.default_rng(0).standard_normal((20, 2))
    sanitizer = SphereSanitizer().fit(X, np.arange(20) % 2)
    sanitizer.fit(X)
    assert sanitizer.offset_ == -sanitizer.thresholds_[0]
    assert list(sanitizer.feasible_set_.regions) == [0]
