"""The direction of the slab, for two classes and for more."""

import numpy as np
import pytest

from toadstone.core.errors import InvalidData
from toadstone.sanitizers.slab import SlabSanitizer


def test_scores_are_distances_along_the_line_between_means():
    X = np.array([[0.0, 5.0], [2.0, -5.0], [10.0, 1.0], [12.0, -1.0]])
    sanitizer = SlabSanitizer().fit(X, [-1, -1, 1, 1])
    np.testing.assert_allclose(sanitizer.directions_, [[1.0, 0.0], [-1.0, 0.0]])
    np.testing.assert_allclose(sanitizer.suspicion_, [1.0, 1.0, 1.0, 1.0])
    np.testing.assert_allclose(sanitizer.score_samples([[4.0, 77.0]], [-1]), [-3.0])


def test_a_third_class_gives_each_its_own_direction():
    means = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    sanitizer = SlabSanitizer().fit(np.repeat(means, 2, axis=0), [0, 0, 1, 1, 2, 2])
    root = np.sqrt(0.5)
    np.testing.assert_allclose(sanitizer.directions_[0], [root, root])
    np.testing.assert_allclose(sanitizer.directions_[1], np.array([-4.0, 2.0]) / np.sqrt(20))


def test_coincident_means_find_nothing():
    X = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, -2.0], [0.0, 2.0]])
    sanitizer = SlabSanitizer().fit(X, [0, 0, 1, 1])
    np.testing.assert_array_equal(sanitizer.suspicion_, 0.0)
    assert sanitizer.feasible_set_.contains(np.array([[99.0, 99.0]]), np.array([0])).all()


def test_one_class_is_refused():
    with pytest.raises(InvalidData, match="at least two classes, got 1 class"):
        SlabSanitizer().fit([[0.0], [1.0]], [1, 1])
