"""Label-flip certificates of MNIST, 1 against 7: the stated figures, and attacks at and above the counts."""

import numpy as np
import pytest

from toadstone.certificates.pointwise.label_flips import certify_ridges
from toadstone.core.pointwise import Digests, curve
from toadstone.datasets.catalogue.load import load
from toadstone.learners import OneHotRidgeClassifier

pytestmark = pytest.mark.data

PENALTY = 1e4
"""Lambda of X'X + lambda I, pixels in [0, 1]."""


@pytest.fixture(scope="module")
def split(data_dir):
    return load("mnist-1-7")


@pytest.fixture(scope="module")
def made(split):
    ridge = PENALTY / len(split.train)
    (found,) = certify_ridges(split.train, split.test.X, [ridge], digests=Digests("", ""), bias="regularized")
    return found


def test_accuracy_median_and_certified_accuracy(split, made):
    labels = np.searchsorted(split.train.classes, split.test.y)
    line = curve(made, labels)
    assert (made.settings["n_train"], line.n_queries) == (13007, 2163)
    assert made.settings["ridge"] * 13007 == pytest.approx(PENALTY)
    assert line.accuracy >= 0.979
    assert line.median >= 745
    assert line.at(0.03) >= 0.82
    assert line.certified(0) == line.accuracy


def test_random_flips_never_reach_the_count_and_the_optimal_ones_pass_it(split, made):
    rng = np.random.default_rng(0)
    X, y = split.train.X, split.train.y
    classifier = OneHotRidgeClassifier(ridge=PENALTY / len(y), bias="regularized").fit(X, y)
    for place in rng.permutation(len(made.counts))[:4]:
        query, count = split.test.X[[place]], int(made.counts[place])
        before = classifier.predict(query)[0]
        attacks = [classifier.strongest_flips(query, n_units=count), classifier.strongest_flips(query)]
        attacks += [(rows := rng.permutation(len(y))[:count], 8 - y[rows])]
        for (rows, labels), changes in zip(attacks, (False, True, False), strict=True):
            poisoned = y.copy()
            poisoned[rows] = labels
            model = OneHotRidgeClassifier(ridge=PENALTY / len(y), bias="regularized").fit(X, poisoned)
            assert (model.predict(query)[0] != before) == changes
