"""Every row of a source has one fate, and is named in one way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toadstone.core.dataset import Dataset
from toadstone.core.row_names import RowNames
from toadstone.datasets.split import RowAside, Split
from toadstone.pipeline.harness.row_account import account_for, set_aside, source_of
from toadstone.records.header import Source
from toadstone.records.rows import AsideKind, AsideRow, RowAccount

LINES = RowNames("line", names=range(2, 12))
ASIDE = (RowAside(9, "c", "class too small"), RowAside(3, "", "no label"), RowAside(6, "a", "missing value", True))


def split_of(positions, *, aside=ASIDE, names=LINES):
    rows = Dataset(np.ones((len(positions), 1)), np.arange(len(positions)) % 2, None, np.array(positions))
    train, test = rows.take(np.arange(0, len(positions), 2)), rows.take(np.arange(1, len(positions), 2))
    return Split("rows.csv", train, test, "as stored", "20 % held out at random", row_names=names, aside=aside)


SPLIT = split_of([0, 1, 2, 4, 5, 7, 8])


def test_kept_removed_and_dropped_rows_are_counted():
    data = SPLIT.whole()
    assert account_for(SPLIT, data, np.array([0, 1, 2, 3, 6]), [5, 7]) == RowAccount(10, 7, 2, 1)
    assert account_for(SPLIT, data, np.arange(7), []) == RowAccount(10, 9, 0, 1)


@pytest.mark.parametrize(
    ("kept", "removed"),
    [
        ([0, 1, 2, 3, 4, 5], []),  # one is lost
        ([0, 1, 2, 3, 4, 5, 6], [8]),  # one has two fates
        ([0, 1, 2, 3, 4, 5], [9]),  # one that was set aside is removed
        ([0, 1, 2, 3, 4, 5, 5], []),  # one is kept twice, another lost
    ],
)
def test_a_row_without_one_fate_is_a_failure(kept, removed):
    with pytest.raises(RuntimeError, match="of 10 rows read, "):
        account_for(SPLIT, SPLIT.whole(), np.array(kept), removed)


@pytest.mark.parametrize("twice", [RowAside(4, "c", "class too small"), ASIDE[0]])
def test_a_row_set_aside_beside_another_fate_is_a_failure(twice):
    split = split_of([0, 1, 2, 4, 5, 7, 8], aside=(*ASIDE, twice), names=RowNames())
    with pytest.raises(RuntimeError, match="both judged and set aside, or set aside twice"):
        account_for(split, split.whole(), np.arange(7), [])


def test_rows_that_the_reader_lost_are_a_failure():
    for split in (split_of([0, 1, 2, 4, 5, 7, 8], aside=ASIDE[:2]), split_of([0, 1, 2, 4, 5, 8])):
        with pytest.raises(RuntimeError, match="10 rows are in the source, but 9 were kept, removed or dropped"):
            account_for(split, split.whole(), np.arange(len(split.whole())), [])


@given(st.integers(4, 60), st.data())
def test_the_law_of_rows(count, data):
    fates = data.draw(st.lists(st.sampled_from("kkkrad"), min_size=count, max_size=count))
    judged = [row for row, fate in enumerate(fates) if fate in "kr"]
    if len(judged) < 2:
        return
    aside = tuple(RowAside(row, "", "r", fate == "d") for row, fate in enumerate(fates) if fate in "ad")
    split = split_of(judged, aside=aside, names=RowNames("line", names=range(2, count + 2)))
    kept = np.array([place for place, row in enumerate(judged) if fates[row] == "k"], dtype=int)
    found = account_for(split, split.whole(), kept, [row for row in judged if fates[row] == "r"])
    assert found == RowAccount(count, sum(fate in "ka" for fate in fates), fates.count("r"), fates.count("d"))
    assert found.read == found.kept + found.removed + found.dropped


def test_rows_set_aside_are_named_in_the_order_of_the_source():
    found = set_aside(SPLIT)
    assert (found.kept, found.dropped) == (2, 1)
    assert found.rows == (
        AsideRow("5", 3, "", "no label", False),
        AsideRow("8", 6, "a", "missing value", True),
        AsideRow("11", 9, "c", "class too small", False),
    )
    assert found.kinds == (
        AsideKind("class too small", False, 1, {"c": 1}),
        AsideKind("no label", False, 1, {}),
        AsideKind("missing value", True, 1, {"a": 1}),
    )


def test_two_hundred_are_listed_and_all_counted():
    many = tuple(RowAside(row, "c", "class too small") for row in range(300))
    found = set_aside(replace(SPLIT, aside=many, row_names=RowNames()))
    assert (len(found.rows), found.kept, found.kinds[0].rows, found.kinds[0].labels) == (200, 300, 300, {"c": 300})


def test_the_source_says_how_rows_are_named():
    assert source_of(SPLIT, Source("rows.csv", "a/rows.csv")) == Source("rows.csv", "a/rows.csv", "line")
    named = replace(SPLIT, row_names=RowNames("id", names="abcdefghij", column="key"))
    assert source_of(named) == Source("rows.csv", "", "id", "key")
    assert source_of(named).sentence == "Rows are named by column 'key'."
