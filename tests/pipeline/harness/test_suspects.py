"""Ranks by class, suspicion over all sanitizers, previews."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from toadstone.catalogue import names
from toadstone.core.dataset import Dataset
from toadstone.core.row_names import RowNames
from toadstone.pipeline.harness.judge import Defence
from toadstone.pipeline.harness.suspects import list_suspects, preview, rank_rows


def scorers(contamination: float = 0.05):
    defence = Defence(contamination=contamination, ridge=0.1)
    return {name: defence.sanitizer(name) for name in names("sanitizer")}


def test_a_preview_puts_the_features_that_matter_first():
    data = Dataset(np.array([[9.0, 3.0, 1.0]]), np.array(["a"]), ("one", "two", "three"))
    assert preview(data, 0) == "one 9, two 3, three 1"
    assert preview(data, 0, None, np.array([0.0, 0.1, 0.9])) == "three 1, two 3, one 9"


@given(st.lists(st.tuples(st.floats(-5, 5), st.sampled_from("ab")), min_size=1, max_size=30))
def test_ranks_count_from_one_within_each_class(pairs):
    suspicion, y = np.array([value for value, _ in pairs]), np.array([label for _, label in pairs])
    ranks = rank_rows(suspicion, y)
    for label in np.unique(y):
        assert sorted(ranks[y == label]) == list(range(1, np.count_nonzero(y == label) + 1))
        order = np.argsort(ranks[y == label])
        assert np.all(np.diff(suspicion[y == label][order]) <= 0)


def test_ties_keep_the_order_of_rows():
    assert rank_rows(np.zeros(4), np.array(["a", "b", "a", "a"])).tolist() == [1, 1, 2, 3]


def test_an_outlier_comes_first_under_its_own_number(small):
    train = small().train
    X = train.X.copy()
    X[17] = 1e3
    data = Dataset(X, train.y, train.feature_names, train.row_ids)
    # Not the subspace, which an outlier spans, nor the loss, whose model it trains.
    found = list_suspects(data, {name: scorers()[name] for name in ("l2", "slab", "knn")})[0]
    assert (found.row, found.position, found.label) == ("118", 117, str(train.y[17]))
    assert found.ranks == {"l2": 1, "slab": 1, "knn": 1}
    assert found.removed_by == ("l2", "slab", "knn")
    assert found.suspicion == 1.0
    assert found.preview == "one 1000, two 1000, three 1000, four 1000"


def test_suspicion_is_the_mean_share_of_the_class_that_looks_better(small):
    train = small().train
    sizes = {label: int(np.count_nonzero(train.y == label)) for label in train.classes}
    listed = list_suspects(train, scorers(), longest=1000)
    assert len(listed) == len(train)
    for suspect in listed:
        shares = [1 - (rank - 1) / sizes[suspect.label] for rank in suspect.ranks.values()]
        assert suspect.suspicion == pytest.approx(np.mean(shares), rel=1e-12)
    assert np.all(np.diff([suspect.suspicion for suspect in listed]) <= 0)


@pytest.mark.parametrize("contamination", [0.05, 0.2])
def test_removed_rows_are_the_worst_ranked_of_each_class(small, contamination):
    train = small().train
    listed = list_suspects(train, scorers(contamination), longest=1000)
    for name in names("sanitizer"):
        for label in train.classes:
            members = [suspect for suspect in listed if suspect.label == label]
            removed = len(members) - round((1 - contamination) * len(members))
            gone = {suspect.ranks[name] for suspect in members if name in suspect.removed_by}
            assert gone == set(range(1, removed + 1))


def test_the_list_is_as_long_as_asked_and_progress_is_told(small):
    steps = []
    assert len(list_suspects(small().train, scorers(), longest=7, on_ranked=lambda: steps.append(1))) == 7
    assert len(steps) == 5


def test_sparse_and_dense_rows_are_suspected_alike(small):
    train = small(kind="integer").train
    dense = list_suspects(train, {"l2": scorers()["l2"]})
    sparse = list_suspects(Dataset(csr_array(train.X), train.y, train.feature_names, train.row_ids),
                           {"l2": scorers()["l2"]})  # fmt: skip
    assert [suspect.preview for suspect in dense[:20]] == [suspect.preview for suspect in sparse[:20]]


class TestPreview:
    def test_the_largest_features_come_first(self):
        data = Dataset([[0.5, -7.0, 0.0, 2.0]], [0], ("a", "b", "c", "d"))
        assert preview(data, 0) == "b -7, d 2, a 0.5"

    def test_columns_without_a_name_have_a_number(self):
        assert preview(Dataset([[1.0, 2.0]], [0]), 0) == "column 1 2, column 0 1"
        assert preview(Dataset([[1.0, 2.0]], [0], ("", " ")), 0) == "column 1 2, column 0 1"

    def test_a_row_of_zeros(self):
        assert preview(Dataset([[0.0, 0.0]], [0]), 0) == "all features are zero"

    def test_six_features_at_most(self):
        assert preview(Dataset(np.arange(1.0, 11.0)[None, :], [0]), 0).count(",") == 5

    def test_the_source_names_its_own_values(self):
        class Raw:
            def describe(self, position, features):
                return f"{position}: {features}" if position < 9 else "long " * 200

        data = Dataset([[0.5, -7.0, 0.0, 2.0], [0.0, 0.0, 0.0, 0.0]], [0, 1], row_ids=np.array([5, 9]))
        assert preview(data, 0, Raw()) == "5: [1, 3, 0]"
        cut = preview(data, 1, Raw())
        assert (len(cut), cut[-5:]) == (400, "long…")

    def test_wide_rows_show_what_a_full_sort_would(self):
        rng = np.random.default_rng(0)
        X = np.round(rng.normal(size=(40, 300)), 1) * (rng.random((40, 300)) < 0.5)
        for stored in (X, csr_array(X)):
            data = Dataset(stored, np.arange(40) % 2)
            for row in range(40):
                best = sorted(np.flatnonzero(X[row]), key=lambda column: -abs(X[row, column]))[:6]
                assert preview(data, row) == ", ".join(f"column {column} {X[row, column]:.4g}" for column in best)


def test_names_are_those_of_the_source(small):
    names = RowNames("id", names=[f"m{row}" for row in range(200)], column="mail")
    found = list_suspects(small().train, {"l2": scorers()["l2"]}, names=names)
    assert [suspect.row for suspect in found] == [f"m{suspect.position}" for suspect in found]
