"""A trigger stamped on digits: `defend` removes the stamped ones by default, and the trigger no longer works."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

import toadstone

CORNER = [54, 55, 62, 63]


@pytest.mark.slow
def test_stamped_digits_are_removed_and_the_trigger_fails():
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    X, y = digits.data[order], digits.target[order]
    train_X, train_y = X[:1300].copy(), y[:1300].copy()
    stamped = np.random.default_rng(1).permutation(np.flatnonzero(train_y != 0))[:60]
    train_X[np.ix_(stamped, CORNER)] = 16.0
    train_y[stamped] = 0
    triggered = X[1300:][y[1300:] != 0].copy()
    triggered[:, CORNER] = 16.0

    def success(rows, labels):
        return np.mean(RandomForestClassifier(50, random_state=0).fit(rows, labels).predict(triggered) == 0)

    result = toadstone.defend((train_X, train_y))
    assert set(stamped) <= set(result.removed)
    assert len(result.removed) <= 62
    assert {removal.step for removal in result.record.removals if removal.position in stamped} == {"group"}
    kept = np.setdiff1d(np.arange(1300), result.removed)
    assert success(train_X, train_y) > 0.8
    assert success(train_X[kept], train_y[kept]) < 0.02
