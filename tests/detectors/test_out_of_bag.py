"""Out-of-bag probabilities and predictions of forests."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from toadstone.detectors.out_of_bag import label_chances, predicted_targets

N, TREES = 40, 3


@pytest.fixture(scope="module")
def rows():
    """Rows, and labels 0 and 2 of three."""
    X = np.random.default_rng(0).normal(size=(N, 2))
    return X, 2 * (X[:, 0] > 0.3).astype(int)


def means_of_unseen(forest, X, outputs):
    """Average what each tree says of the rows that are not in its bag; NaN where there is no such tree."""
    table = np.full((TREES, N, outputs), np.nan)
    for tree, bag, said in zip(forest.estimators_, forest.estimators_samples_, table, strict=True):
        unseen = np.setdiff1d(np.arange(N), bag)
        found = tree.predict_proba(X[unseen]) if outputs > 1 else tree.predict(X[unseen])[:, None]
        said[unseen] = found
    counts = np.isfinite(table).sum(axis=0)
    return np.divide(np.nansum(table, axis=0), counts, out=np.full((N, outputs), np.nan), where=counts > 0)


def test_chances_are_those_of_trees_that_did_not_see_the_row_and_else_the_shares(rows):
    X, codes = rows
    forest = RandomForestClassifier(TREES, random_state=0)
    found = label_chances(forest, X, codes, 4)
    expected = means_of_unseen(forest, X, 2)
    seen = np.isnan(expected[:, 0])
    assert 0 < seen.sum() < N
    expected[seen] = np.bincount(codes)[[0, 2]] / N
    np.testing.assert_allclose(found[:, [0, 2]], expected, atol=1e-12)
    assert not found[:, [1, 3]].any()


def test_predicted_targets_are_those_of_trees_that_did_not_see_the_row_and_else_the_mean(rows):
    X, _ = rows
    y = 100 + X[:, 0]
    forest = RandomForestRegressor(TREES, random_state=0)
    found = predicted_targets(forest, X, y)
    expected = means_of_unseen(forest, X, 1)[:, 0]
    seen = np.isnan(expected)
    assert 0 < seen.sum() < N
    expected[seen] = y.mean()
    np.testing.assert_allclose(found, expected, rtol=1e-12)
