"""Triggers of backdoors."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from toadstone.core.errors import InvalidArgument
from toadstone.federated import BackdoorTrigger


def test_a_corner_is_the_last_pixels_of_the_last_rows():
    image = BackdoorTrigger.corner(4, 3, size=2, value=0.5).apply(np.zeros((1, 12))).reshape(4, 3)
    assert image.tolist() == [[0, 0, 0], [0, 0, 0], [0, 0.5, 0.5], [0, 0.5, 0.5]]


def test_values_seen_in_the_data():
    trigger = BackdoorTrigger.seen_in(np.array([[1.0, 5.0], [3.0, 2.0]]), (1,), target=2)
    assert (trigger.features, trigger.values, trigger.target) == ((1,), (5.0,), 2)


def test_dense_and_sparse_rows_alike():
    X = np.array([[0.0, 1.0, 2.0], [0.0, 0.0, 3.0]])
    trigger = BackdoorTrigger(features=(2, 0), values=(7.0, 8.0))
    assert trigger.apply(csr_array(X)).toarray().tolist() == trigger.apply(X).tolist() == [[8, 1, 7], [8, 0, 7]]
    assert X[0, 2] == 2


@pytest.mark.parametrize("parts", [1, 2, 3, 9])
def test_parts_make_the_whole(parts):
    trigger = BackdoorTrigger(features=(4, 2, 0), values=(1.0, 2.0, 3.0), target=1)
    made = [trigger.part(member, parts) for member in range(min(parts, 3))]
    assert sum((part.features for part in made), ()) == trigger.features
    assert sum((part.values for part in made), ()) == trigger.values
    assert all(part.target == 1 for part in made)
    assert trigger.part(parts if parts < 3 else 3, parts) == made[0]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"features": (0, 0), "values": (1.0, 1.0)}, "features"),
        ({"features": (0,), "values": (np.inf,)}, "values"),
        ({"features": (0,), "values": (1.0,), "target": -1}, "target"),
    ],
)
def test_triggers_that_make_no_sense(options, named):
    with pytest.raises(InvalidArgument, match=f"`{named}`"):
        BackdoorTrigger(**options)


def test_a_corner_larger_than_the_image():
    with pytest.raises(InvalidArgument, match="`size`: expected a whole number from 1 to 3, got 4"):
        BackdoorTrigger.corner(3, 5, size=4)
