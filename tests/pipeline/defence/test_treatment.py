"""What becomes of listed rows: each row has one fate, whatever is listed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toadstone.pipeline.defence.treatment import SURE, treat

LABELS = np.array(["ham", "spam"] * 20)


@given(
    st.lists(st.integers(0, 39), unique=True, max_size=40),
    st.integers(0, 40),
    st.sampled_from([0.5, SURE, 0.99]),
    st.sampled_from(["remove", "relabel", "weight"]),
    st.none() | st.integers(0, 40),
)
def test_every_row_is_kept_or_removed_and_no_class_is_emptied(verdict, rows, cut, sure, action, most):
    verdict = verdict(LABELS, rows[cut:], group=rows[:cut], sure=sure)
    found = treat(verdict, LABELS, action=action, most=most)
    assert sorted([*found.kept, *found.removed]) == list(range(40))
    assert len(found.removed) <= (40 if most is None else most)
    assert set(found.removed) | set(found.relabelled) <= set(verdict.flagged_indices_)
    assert not set(found.removed) & set(found.relabelled)
    assert np.array_equal(np.flatnonzero(found.labels != LABELS), np.sort(found.relabelled))
    left = found.labels[found.kept]
    for label in np.unique(found.labels):
        assert np.count_nonzero(left == label) >= min(2, np.count_nonzero(found.labels == label))


def test_the_most_suspicious_go_first_and_the_others_stay_with_a_reason(verdict):
    found = treat(verdict(LABELS, [8, 2, 30, 5]), LABELS, action="remove", most=2)
    assert found.removed.tolist() == [8, 2]
    assert found.stays == ("2 listed rows stay, because at most 2 may be removed",)
    assert found.spared == 2


def test_the_last_two_of_a_class_stay(verdict):
    y = np.array(["ham"] * 10 + ["spam"] * 3)
    found = treat(verdict(y, [10, 11, 12]), y, action="remove")
    assert found.removed.tolist() == [10]
    assert found.stays == ("2 listed rows stay, because a class keeps its last two rows",)
    assert found.spared == 0


def test_groups_are_removed_where_others_are_relabelled(verdict):
    found = treat(verdict(LABELS, [4, 5], group=[1, 3]), LABELS, action="relabel")
    assert found.removed.tolist() == [1, 3]
    assert found.relabelled.tolist() == [4, 5]
    assert found.labels[[4, 5]].tolist() == ["spam", "ham"]


@pytest.mark.parametrize(("sure", "relabelled"), [(SURE, [4]), (SURE - 1e-9, [])])
def test_only_a_sure_suggestion_is_written(verdict, sure, relabelled):
    found = treat(verdict(LABELS, [4], sure=sure), LABELS, action="relabel")
    assert found.relabelled.tolist() == relabelled
    assert found.removed.tolist() == ([] if relabelled else [4])


def test_weights_follow_the_score_where_the_data_support_it(verdict):
    for supported in (True, False):
        told = verdict(LABELS, [4], group=[1], supported=supported)
        weight = treat(told, LABELS, action="weight").weight
        assert weight[1] == pytest.approx(1 - told.score_[1])
        assert weight[4] == pytest.approx(1 - told.score_[4] if supported else 1.0)
        assert ((weight >= 0) & (weight <= 1)).all()


def test_trusted_rows_after_the_others_are_nobodys_business(verdict):
    told = verdict(np.tile(LABELS, 2), [4, 60])
    found = treat(told, LABELS, action="remove")
    assert found.removed.tolist() == [4]
    assert treat(told, LABELS, action="weight").weight.shape == (40,)
