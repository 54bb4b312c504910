"""The account of removals: original numbers, the worst first, never beyond the budget, never a whole class."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.pipeline.layers.removals import RemovalBudget, RemovalOutcome, allowed_rows

Y = np.array(["a", "b"] * 5)


def take(removals: RemovalBudget, flagged: list[int], suspicion: list[float], step: str = "one") -> RemovalOutcome:
    scores = np.zeros(len(removals.kept))
    scores[flagged] = suspicion
    return removals.remove(step, np.array(flagged, dtype=int), scores, [f"reason {row}" for row in flagged])


def test_rows_keep_their_original_numbers_through_several_steps():
    removals = RemovalBudget(Y, 10)
    take(removals, [0, 3], [1.0, 2.0])
    # Of 1 2 4 5 6 7 8 9, the third and the last.
    take(removals, [2, 7], [5.0, 4.0], step="two")
    assert [(gone.position, gone.label, gone.step, gone.suspicion) for gone in removals.removed] == [
        (3, "b", "one", 2.0),
        (0, "a", "one", 1.0),
        (4, "a", "two", 5.0),
        (9, "b", "two", 4.0),
    ]
    assert [gone.reason for gone in removals.removed] == ["reason 3", "reason 0", "reason 2", "reason 7"]
    assert removals.kept.tolist() == [1, 2, 5, 6, 7, 8]


def test_the_budget_takes_the_most_suspicious_and_says_so():
    removals = RemovalBudget(Y, 3)
    assert take(removals, [0, 1], [1.0, 1.0]) == RemovalOutcome(2, 2, "")
    done = take(removals, [0, 1, 2], [1.0, 3.0, 2.0], step="two")
    assert done == RemovalOutcome(3, 1, "2 flagged rows stay: the budget of 3 rows is spent")
    assert removals.removed[-1].position == 3
    assert take(removals, [0], [1.0], step="three").removed == 0
    assert len(removals.kept) == 7


def test_classes_of_other_scales_are_treated_alike():
    removals = RemovalBudget(Y, 4)
    take(removals, [0, 2, 4, 6, 1, 3], [900.0, 800.0, 700.0, 600.0, 2.0, 1.0])
    assert sorted(gone.position for gone in removals.removed) == [0, 1, 2, 3]


def test_two_rows_of_each_class_stay():
    removals = RemovalBudget(Y, 10)
    done = take(removals, list(range(10)), [float(row) for row in range(10)])
    assert done == RemovalOutcome(10, 6, "4 flagged rows stay: they are the last of their class")
    assert removals.kept.tolist() == [0, 1, 2, 3]


def test_a_class_of_one_row_stays():
    removals = RemovalBudget(np.array([0, 1, 1, 1]), 4)
    assert take(removals, [0], [9.0]).removed == 0


def test_nothing_flagged_is_nothing_removed():
    removals = RemovalBudget(Y, 3)
    assert take(removals, [], []) == RemovalOutcome(0, 0, "")
    assert removals.kept.tolist() == list(range(10))


@pytest.mark.parametrize(("share", "n", "expected"), [(0.0, 50, 0), (0.1, 30, 3), (0.1, 29, 2), (0.29, 100, 29)])
def test_a_share_is_a_ceiling(share, n, expected):
    assert allowed_rows(share, n) == expected
