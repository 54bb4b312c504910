"""Whom an attack is made for, where the user does not say it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toadstone.core.dataset import Dataset
from toadstone.core.errors import UnknownName
from toadstone.pipeline.harness.defender import settle_defence

SETTINGS = {"learner": None, "ridge": None, "contamination": 0.1, "seed": 0}


def of_three_classes(split):
    y = np.where(split.train.X[:, 0] > 1.5, "eggs", split.train.y)
    return replace(split, train=Dataset(split.train.X, y))


@pytest.mark.parametrize(("rows", "words"), [(50, "chosen by cross-validation on 50 of the rows"), (500, "tion")])
def test_several_classes_are_trained_together_and_a_part_of_many_rows_tells_the_ridge(small, monkeypatch, rows, words):
    monkeypatch.setattr("toadstone.pipeline.harness.defender._RIDGE_ROWS", rows)
    defence, origin = settle_defence(of_three_classes(small()), **SETTINGS)
    assert defence.learner == "crammer-singer"
    assert origin.endswith(words)
    defence, origin = settle_defence(small(), **SETTINGS)
    assert (defence.learner, origin) == ("linear", "chosen by cross-validation")


def test_many_entries_of_several_classes_are_fitted_less_closely(small, monkeypatch):
    asked = {**SETTINGS, "ridge": 0.1}
    assert settle_defence(of_three_classes(small()), **asked)[0].accuracy == 1e-6
    monkeypatch.setattr("toadstone.pipeline.harness.defender._MANY_ENTRIES", 100)
    assert settle_defence(of_three_classes(small()), **asked)[0].accuracy == 1e-3
    assert settle_defence(small(), **asked)[0].accuracy == 1e-6


def test_what_is_asked_is_taken(small):
    defence, origin = settle_defence(small(), learner="online", ridge=0.3, contamination=0.2, seed=7)
    assert (defence.learner, defence.ridge, defence.contamination, defence.seed) == ("online", 0.3, 0.2, 7)
    assert origin == "as asked"
    with pytest.raises(UnknownName, match="`learner`: expected one of linear"):
        settle_defence(small(), learner="magic", ridge=None, contamination=0.2, seed=0)
