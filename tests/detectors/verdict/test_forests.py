"""Forests of the verdict."""

import numpy as np
import pytest

from toadstone.core.errors import InvalidData
from toadstone.detectors.verdict.forests import out_of_bag


def test_numbers_that_trees_cannot_hold_are_refused():
    X = np.arange(40.0)[:, None]
    codes = (X[:, 0] > 20).astype(int)
    assert out_of_bag(X * 1e36, codes, trees=5, seed=0)[1].shape == (40, 2)
    with pytest.raises(InvalidData, match=r"expected numbers up to 1e\+38, .* got 3.9e\+39; scale the columns first"):
        out_of_bag(-X * 1e38, codes, trees=5, seed=0)
