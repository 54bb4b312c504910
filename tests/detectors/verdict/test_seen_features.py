"""The verdict with features of a network: groups in the rows, labels in the features."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.core.errors import InvalidData
from toadstone.detectors import Verdict


def seen(seed=0, n=120):
    """Rows of noise whose features, and only they, tell three classes apart."""
    rng = np.random.default_rng(seed)
    y = np.repeat(["a", "b", "c"], n)
    features = np.repeat(np.eye(3), n, axis=0) * 8 + rng.normal(size=(3 * n, 3))
    return rng.normal(size=(3 * n, 4)), features, y


@pytest.fixture(scope="module")
def planted():
    """Twenty rows of b and c under the label a."""
    X, features, y = seen()
    rows = np.array([*range(120, 130), *range(240, 250)])
    y = y.copy()
    y[rows] = "a"
    return X, features, y, rows


@pytest.fixture(scope="module")
def found(planted):
    X, features, y, _ = planted
    return Verdict().fit(X, y, seen=features)


def test_rows_that_came_to_one_label_are_listed(found, planted):
    *_, rows = planted
    assert found.voted_indices_.tolist() == rows.tolist()
    assert set(rows) <= set(found.flagged_indices_.tolist())
    assert set(found.suggested_[rows]) == {"b", "c"}
    assert found.note_.startswith("20 rows are outvoted by the rows nearest to them; of the others, the data prefer no")
    place = found.flagged_indices_.tolist().index(120)
    assert found.reasons_[place].startswith("labelled a, but of its nearest 36 rows b wins the vote")


def test_clean_features_list_nothing():
    X, features, y = seen(seed=1)
    clean = Verdict().fit(X, y, seen=features)
    assert clean.flagged_indices_.size == clean.voted_indices_.size == 0


def test_without_features_nothing_is_outvoted(planted):
    X, _, y, _ = planted
    assert Verdict().fit(X, y).voted_indices_.size == 0


def test_features_of_other_rows_are_refused(planted):
    X, features, y, _ = planted
    with pytest.raises(InvalidData, match="seen: expected a row for each of 360, got 359"):
        Verdict().fit(X, y, seen=features[1:])
