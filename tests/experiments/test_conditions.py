"""Options of a run are checked on construction."""

import math

import pytest

from toadstone.core.errors import InvalidArgument
from toadstone.experiments.conditions import Conditions


@pytest.mark.parametrize(
    ("option", "value"),
    [("seed", -1), ("seed", 2**32), ("workers", 0), ("scale", "gpu"), ("minutes", 0), ("minutes", math.nan)],
)
def test_options_out_of_range(option, value):
    with pytest.raises(InvalidArgument, match=f"^`{option}`: expected .*, got {value}$"):
        Conditions(**{option: value})


def test_the_largest_seed_is_allowed():
    assert Conditions(seed=2**32 - 1).seed == 2**32 - 1
