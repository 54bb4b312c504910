"""Contradictions by name, in the order of the source."""

from __future__ import annotations

import numpy as np

from toadstone.core.dataset import Dataset
from toadstone.core.row_names import RowNames
from toadstone.pipeline.harness.contradictions import list_contradictions
from toadstone.records.rows import Contradiction

DATA = Dataset(np.zeros((6, 1)), ["ham", "spam", "ham", "spam", "eggs", "ham"], None, np.array([75, 1, 9, 4, 3, 2]))
LINES = RowNames("line", names=range(2, 100))


def test_groups_and_their_rows_stand_in_the_order_of_the_source():
    found = list_contradictions([np.array([2, 3, 4]), np.array([0, 1])], DATA, LINES)
    assert found == (
        2,
        (
            Contradiction(("3", "77"), (1, 75), ("spam", "ham")),
            Contradiction(("5", "6", "11"), (3, 4, 9), ("eggs", "spam", "ham")),
        ),
    )


def test_all_groups_are_counted():
    groups = [np.array([0, 1]), np.array([2, 3])]
    count, listed = list_contradictions(groups, DATA, LINES, longest=1)
    assert (count, listed[0].positions) == (2, (1, 75))
    assert list_contradictions([], DATA, LINES) == (0, ())
