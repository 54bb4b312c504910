"""Flips towards a decoy: the rows that it misclassifies by most."""

import numpy as np
import pytest

from toadstone.attacks.flips.decoy_flips import DecoyFlips
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.core.feasible import slab
from toadstone.kernels.sets.sets import ConvexSet

RNG = np.random.default_rng(0)
DATA = Dataset([[-3.0], [-2.0], [-1.0], [1.0], [2.0], [3.0]], ["ham"] * 3 + ["spam"] * 3)
DECOY = DecoyFlips(theta=np.array([1.0, 2.5]))


def test_flips_are_the_rows_on_the_wrong_side_the_farthest_first():
    found = DECOY.poison(DATA, Budget(0.34, "flip"), RNG)
    assert found.replaces.tolist() == [2, 1]
    assert found.y.tolist() == ["spam", "spam"]


def test_added_copies_have_the_other_label_too():
    found = DECOY.poison(DATA, Budget(0.34), RNG)
    assert (found.X.tolist(), found.y.tolist(), len(found.replaces)) == ([[-1.0], [-2.0]], ["spam", "spam"], 0)


def test_only_feasible_rows_are_flipped():
    near = slab(np.array([1.0]), -2.5, -1.5)
    within = DecoyFlips(theta=DECOY.theta, feasible_set=ConvexSet({"ham": near, "spam": near}))
    assert within.poison(DATA, Budget(0.4, "flip"), RNG).replaces.tolist() == [1]


def test_a_decoy_of_other_features_is_refused():
    with pytest.raises(InvalidArgument, match="theta"):
        DecoyFlips(theta=np.zeros(3)).poison(DATA, Budget(0.4, "flip"), RNG)
