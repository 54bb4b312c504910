"""The sandwich law of single predictions: no attack changes one that is certified at as many units as it spends."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.attacks.flips.label_flip import RandomLabelFlip, TargetedLabelFlip
from toadstone.catalogue import distinct
from toadstone.core.budget import Budget
from toadstone.core.dataset import Dataset, Poison
from toadstone.datasets import load
from toadstone.kernels.neighbours.counts import certify_neighbours
from toadstone.kernels.neighbours.search import nearest_labels
from toadstone.kernels.statistics.row_digests import contents
from toadstone.learners import OneHotRidgeClassifier, PartitionVoteClassifier
from toadstone.pipeline.harness.judge import merge

FRACTION, K = 0.06, 21
ATTACKS = distinct("attack")


def queries(train: Dataset) -> np.ndarray:
    """The rows, and points between and beyond them."""
    rows = np.asarray(train.X)
    return np.vstack([rows, 1.5 * rows - 0.5 * rows[::-1], rows[::2] / 2])


def rows_changed(train: Dataset, poison: Poison) -> int:
    """Rows that an attack adds, or whose labels or features it changes."""
    if not len(poison.replaces):
        return len(poison)
    before = list(zip(contents(train.X[poison.replaces]), train.y[poison.replaces].tolist(), strict=True))
    after = list(zip(contents(poison.X), poison.y.tolist(), strict=True))
    return sum(one != other for one, other in zip(before, after, strict=True))


def features_changed(train: Dataset, poison: Poison) -> int:
    if not len(poison.replaces):
        return 0
    return sum(map(bytes.__ne__, contents(train.X[poison.replaces]), contents(poison.X)))


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("domain", ["real", "integer"])
def test_no_attack_changes_a_vote_that_is_certified_at_its_rows(name, domain, scene):
    here = scene(0, domain, FRACTION)
    train, poison = here.data, here.poison(name)
    voters = PartitionVoteClassifier(estimator=OneHotRidgeClassifier(ridge=0.1), n_partitions=25)
    clean = voters.fit(train.X, train.y)
    asked = queries(train)
    found, before = clean.certify(asked), clean.predict(asked)
    X, y, _ = merge(train, poison)
    after = voters.fit(X, y).predict(asked)
    # A row with other features leaves one part and comes to another.
    units = rows_changed(train, poison) + features_changed(train, poison)
    sure = found.count >= units
    np.testing.assert_array_equal(after[sure], before[sure])
    assert sure.any()
    assert units > 0


@pytest.mark.parametrize("name", ATTACKS)
def test_no_attack_changes_a_vote_of_neighbours_that_is_certified_at_its_rows(name, scene):
    here = scene(1, "real", FRACTION)
    train, poison = here.data, here.poison(name)
    asked, units = queries(train), rows_changed(train, poison)
    found = counted(train, asked, "modify" if len(poison.replaces) else "insert")
    X, y, _ = merge(train, poison)
    after = counted(Dataset(X, y), asked, "modify")
    sure = found.count >= units
    np.testing.assert_array_equal(after.winner[sure], found.winner[sure])
    assert sure.any()


def counted(train, asked, change):
    codes = np.searchsorted(train.classes, train.y)
    near = nearest_labels(train.X, codes, asked, width=K)
    return certify_neighbours(near, n_classes=len(train.classes), k=K, change=change, n_rows=len(train))


def flips_of(train, name, seed):
    rng, budget = np.random.default_rng(seed), Budget(FRACTION, "flip")
    kind = {"random": RandomLabelFlip, "targeted": TargetedLabelFlip}[name]
    return kind().poison(train, budget, rng)


@pytest.mark.parametrize("data", ["breast-cancer", "digits-1-7"])
def test_label_flips_of_real_rows_at_the_count_and_above(data):
    """Flips never change a prediction certified at their number, and the best ones at one more always do."""
    split = load(data)
    train, asked = split.train, split.test.X[:40]
    learner = OneHotRidgeClassifier(ridge=0.3, bias="regularized")
    found, before = learner.fit(train.X, train.y).certify(asked), learner.predict(asked)
    for name in ("random", "targeted"):
        poison = flips_of(train, name, 0)
        X, y, _ = merge(train, poison)
        units = rows_changed(train, poison)
        sure = found.count >= units
        np.testing.assert_array_equal(learner.fit(X, y).predict(asked)[sure], before[sure])
        assert sure.any()
        assert units > 0
    learner.fit(train.X, train.y)
    for place in range(0, 40, 5):
        for units, changes in ((found.count[place], False), (found.count[place] + 1, True)):
            rows, labels = learner.strongest_flips(asked[[place]], n_units=int(units))
            poisoned = train.y.copy()
            poisoned[rows] = labels
            after = OneHotRidgeClassifier(ridge=0.3, bias="regularized").fit(train.X, poisoned).predict(asked[[place]])
            assert (after[0] != before[place]) == changes
