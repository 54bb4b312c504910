"""The clean generators are as many as they say, seeded, and finite."""

import numpy as np
import pytest
from clean_generators import CLEAN


def test_there_are_twenty_one():
    assert len(CLEAN) == 21


@pytest.mark.parametrize("name", CLEAN)
def test_a_seed_gives_the_same_rows_and_every_class_twice(name):
    X, y = CLEAN[name](400, 3)
    assert len(X) == len(y) == 400
    assert np.isfinite(X).all()
    assert np.unique(y, return_counts=True)[1].min() >= 2
    again, other = CLEAN[name](400, 3), CLEAN[name](400, 4)
    np.testing.assert_array_equal(again[0], X)
    np.testing.assert_array_equal(again[1], y)
    assert not np.array_equal(other[0], X)
