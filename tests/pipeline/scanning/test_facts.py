"""Facts about a table: planted ones are found and named, and clean tables have none."""

from __future__ import annotations

import numpy as np
import pytest
from clean_generators import CLEAN

from toadstone.core.dataset import Dataset
from toadstone.core.row_names import RowNames
from toadstone.pipeline.scanning.facts import facts
from toadstone.pipeline.scanning.source_values import SourceValues


def values(X, y, names=None) -> SourceValues:
    d = X.shape[1]
    data = Dataset(X, y, names or tuple(f"c{j}" for j in range(d)))
    return SourceValues(data, RowNames("line", first=2), None, np.arange(d), np.zeros(d, dtype=bool))


def table(n=200, d=6, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    return rng.normal(size=(n, d)) + y[:, None], y


def by_kind(found):
    return {one.kind: one for one in found}


@pytest.mark.parametrize("name", CLEAN)
def test_clean_tables_have_no_facts(name):
    X, y = CLEAN[name](600, 0)
    order = np.random.default_rng(1).permutation(len(y))
    assert facts(values(X[order], y[order])) == ()


def test_copies_are_counted_and_named():
    X, y = table()
    X[[10, 20]], y[[10, 20]] = X[3], y[3]
    X[40] = X[30]
    X[40, 1] += 2.0
    found = by_kind(facts(values(X, y)))
    assert set(found) == {"equal rows", "near-duplicates"}
    assert (found["equal rows"].rows, found["equal rows"].count) == (("5", "12", "22"), 3)
    assert found["near-duplicates"].positions == (30, 40)
    assert found["equal rows"].sentence == "3 rows in 1 group are equal in every column."
    assert not any(one.is_group for one in found.values())


def test_rows_of_the_test_set_are_named_by_their_place_in_the_data():
    X, y = table()
    test = Dataset(np.vstack([X[[7, 9]], X[:2] + 5.0]), np.zeros(4))
    (found,) = facts(values(X, y), test)
    assert (found.kind, found.rows, found.score) == ("rows in the test set", ("9", "11"), 0.5)
    assert found.sentence == "2 of 4 test rows also stand in these data."


def test_a_numbering_and_a_leak_are_told_by_column():
    X, y = table()
    X[:, 2] = np.arange(200)
    X[:, 4] = 10.0 * y + X[:, 4]
    found = by_kind(facts(values(X, y)))
    assert found["identifier column"].values == {"c2": "0 to 199"}
    assert list(found["telling column"].values) == ["c4"]
    assert found["telling column"].score >= found["telling column"].threshold == 0.99
    assert found["telling column"].sentence.startswith("Column c4 alone tells the label of ")


def test_a_sorted_table_is_said_to_be_one():
    X, y = table()
    order = np.argsort(y, kind="stable")
    (found,) = facts(values(X[order], y[order]))
    assert found.kind == "order of rows"
    assert "198 of 199 neighbouring rows have one label" in found.sentence
    assert found.p_value == found.score < found.threshold


def test_the_order_is_that_of_the_source():
    X, y = table()
    order = np.argsort(y, kind="stable")
    shuffled = np.random.default_rng(0).permutation(200)
    data = Dataset(X[order][shuffled], y[order][shuffled], None, shuffled)
    source = SourceValues(data, RowNames("row"), None, np.arange(6), np.zeros(6, dtype=bool))
    assert [one.kind for one in facts(source)] == ["order of rows"]


def test_every_row_of_a_doubled_table_is_counted():
    X, y = table(n=60, d=2)
    found = by_kind(facts(values(np.vstack([X, X]), np.concatenate([y, y]))))
    assert found["equal rows"].sentence == "120 rows in 60 groups are equal in every column."
    assert found["equal rows"].count == 120


def test_rows_that_repeat_by_common_values_are_told_apart_from_copies():
    rng = np.random.default_rng(0)
    X = np.zeros((400, 40))
    X[:, 0] = rng.integers(0, 2, 400)
    X[:60, 1:] = rng.integers(0, 9, (60, 39))
    X[1] = X[0]
    found = by_kind(facts(values(X, np.arange(400) % 2)))
    assert found["equal rows"].sentence == (
        "2 rows in 1 group are equal in every column, which chance does not explain; 340 more repeat, which common "
        "values may explain."
    )


def test_copies_of_different_labels_are_groups_and_equal_rows_by_chance_are_not():
    X, y = table()
    X[[10, 20]], y[[3, 10, 20]] = X[3], (0, 1, 1)
    first, *others = facts(values(X, y))
    assert (first.kind, first.rows, first.p_value, first.looks_like) == (
        "contradictory duplicates",
        ("5", "12", "22"),
        0.0,
        None,
    )
    assert first.is_group
    assert first.sentence == (
        "3 rows are equal in every column but the label (1 0, 2 1), so that not all of these labels can be right."
    )
    assert [one.kind for one in others] == ["equal rows"]
    few = np.random.default_rng(0).integers(0, 3, (300, 3)).astype(float)
    assert not any(one.is_group for one in facts(values(few, np.arange(300) % 2)))


def test_copies_that_a_verdict_has_judged_are_not_named_again():
    X, y = table()
    X[[10, 20]], y[[3, 10, 20]] = X[3], (0, 1, 1)
    found = facts(values(X, y), grouped=np.arange(200) == 3)
    assert not any(one.is_group for one in found)
