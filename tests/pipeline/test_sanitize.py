"""Removing suspicious rows: the right number, under their own row numbers, worst first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toadstone.catalogue import names
from toadstone.core.errors import InvalidArgument, UnknownName
from toadstone.datasets import load
from toadstone.pipeline.harness.judge import Defence
from toadstone.pipeline.sanitize import clean_rows


@pytest.mark.parametrize("method", names("sanitizer"))
@pytest.mark.parametrize("share", [0.05, 0.3])
def test_exactly_the_promised_rows_go(small, method, share):
    split = small()
    cleaning = clean_rows(split, Defence(contamination=share, ridge=0.1), method)
    y = split.train.y
    assert cleaning.n_rows == len(cleaning.kept) + len(cleaning.removals) == 80
    for label in ("ham", "spam"):
        assert np.count_nonzero(y[cleaning.kept] == label) == round((1 - share) * np.count_nonzero(y == label))
    gone = {removal.position for removal in cleaning.removals}
    assert gone == set(split.train.row_ids) - set(split.train.row_ids[cleaning.kept])
    assert np.all(np.diff(cleaning.kept) > 0)


def test_the_worst_come_first_with_a_reason(small):
    removals = clean_rows(small(), Defence(contamination=0.2), "l2").removals
    assert np.all(np.diff([removal.score for removal in removals]) <= 0)
    assert all(removal.reason.startswith("distance to the class mean is") for removal in removals)


def test_rows_held_out_are_put_back_and_published_test_rows_are_not(small):
    held_out = load("breast-cancer")
    assert clean_rows(held_out, Defence(), "l2").n_rows == len(held_out.train) + len(held_out.test) == 569
    assert clean_rows(small(), Defence(), "l2").n_rows == 80


def test_the_summary_is_plain(small):
    cleaning = clean_rows(small(), Defence(), "slab")
    summary = cleaning.summary()
    assert (summary["method"], summary["rows"], summary["kept"]) == ("slab", 80, len(cleaning.kept))
    assert len(summary["removed"]) == len(cleaning.removals)
    assert set(summary["removed"][0]) == {"row", "position", "label", "score", "reason"}


def test_rows_without_numbers_are_counted(small):
    split = small()
    train = replace(split.train, row_ids=None)
    removals = clean_rows(replace(split, train=train), Defence(), "l2").removals
    assert all(0 <= removal.position < 80 for removal in removals)


@pytest.mark.parametrize("share", [0.0, 0.5, -0.1, np.nan])
def test_shares_out_of_range(small, share):
    with pytest.raises(InvalidArgument, match="`remove`: expected a number in"):
        clean_rows(small(), Defence(contamination=share), "l2")


@pytest.mark.parametrize("ridge", [0.0, -1.0, np.inf, np.nan])
def test_ridges_out_of_range(small, ridge):
    with pytest.raises(InvalidArgument, match="`ridge`: expected a positive number"):
        clean_rows(small(), Defence(ridge=ridge), "loss")


def test_an_unknown_method(small):
    with pytest.raises(UnknownName, match="expected one of l2, slab, loss, svd, knn"):
        clean_rows(small(), Defence(), "magic")
