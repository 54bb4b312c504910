"""Votes of ridge regressions with prices: exact, at least what counting models gives, and verified from the data."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import combinations

import numpy as np
import pytest

from toadstone.certificates.pointwise.flip_votes import certify_flip_votes, verify_flip_votes
from toadstone.certificates.pointwise.label_learners import LabelLinearLearner
from toadstone.core.dataset import Dataset
from toadstone.core.errors import CertificateRejected, InvalidData
from toadstone.core.pointwise import Digests, PointwiseCertificate
from toadstone.kernels.statistics.row_digests import contents
from toadstone.kernels.votes.schemes import DisjointParts
from toadstone.learners import OneHotRidgeClassifier, PartitionVoteClassifier

DIGESTS = Digests("a" * 64, "b" * 64)
RIDGE = LabelLinearLearner("ridge", ridge=0.1, bias="regularized")


def scene(n=60, n_classes=2, seed=0):
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % n_classes
    X = rng.normal(size=(n, 3)) + 1.5 * codes[:, None]
    return Dataset(X, np.array(["a", "b", "c"])[codes]), rng.normal(size=(8, 3)) + rng.integers(0, 3, (8, 1))


def elected(train, y, queries, n_parts):
    """The vote of ridge regressions, of parts of a single class too."""
    rows = DisjointParts(n_parts).deal(contents(train.X), None).rows
    scores = [
        RIDGE.response(train.X[part]).weights(queries).alpha @ (y[part][:, None] == train.classes) for part in rows
    ]
    votes = np.stack([found.argmax(axis=1) for found in scores], axis=1)
    return train.classes[(votes[:, :, None] == np.arange(len(train.classes))).sum(axis=1).argmax(axis=1)]


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_counts_are_exact_for_two_classes(seed):
    train, queries = scene(n=9, seed=seed)
    made = certify_flip_votes(train, queries[:4], DisjointParts(3), RIDGE, digests=DIGESTS)
    before = train.classes[made.winners]
    fewest = np.full(4, 10)
    for flips in range(4):
        for rows in combinations(range(9), flips):
            y = train.y.copy()
            y[list(rows)] = np.where(y[list(rows)] == "a", "b", "a")
            changed = elected(train, y, queries[:4], 3) != before
            fewest[changed] = np.minimum(fewest[changed], flips)
    reached = fewest <= 3
    np.testing.assert_array_equal(made.counts[reached], fewest[reached] - 1)
    assert (made.counts[~reached] >= 3).all()
    assert made.exact
    assert reached.any()


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("n_parts", [1, 4])
def test_a_price_is_at_least_one_flip_a_model(n_classes, n_parts):
    train, queries = scene(n_classes=n_classes)
    made = certify_flip_votes(train, queries, DisjointParts(n_parts), RIDGE, digests=DIGESTS)
    learner = OneHotRidgeClassifier(ridge=0.1, bias="regularized")
    classifier = PartitionVoteClassifier(estimator=learner, scheme=DisjointParts(n_parts)).fit(train.X, train.y)
    black = classifier.certify(queries)
    np.testing.assert_array_equal(made.winners, black.winner)
    assert (made.counts >= black.count).all()
    assert (made.counts > black.count).any()
    white = classifier.certify_flips(queries)
    np.testing.assert_array_equal(white.winner, black.winner)
    assert (white.count <= made.counts).all()
    assert made.exact == (n_classes == 2)
    if n_parts == 1:
        np.testing.assert_array_equal(made.counts, learner.fit(train.X, train.y).certify(queries).count)


def test_labels_of_parts_without_rows_cannot_be_changed():
    train, queries = scene()
    made = certify_flip_votes(train, queries, DisjointParts(58), RIDGE, digests=DIGESTS)
    verify_flip_votes(made, train, queries, digests=DIGESTS)
    assert made.counts.max() <= 60


def test_the_order_of_rows_does_not_matter():
    train, queries = scene()
    order = np.random.default_rng(1).permutation(len(train))
    one, other = (
        certify_flip_votes(rows, queries, DisjointParts(5), RIDGE, digests=DIGESTS)
        for rows in (train, train.take(order))
    )
    np.testing.assert_array_equal(one.counts, other.counts)


def test_a_certificate_is_verified_and_every_tampered_field_refused():
    train, queries = scene(n=30)
    made = certify_flip_votes(train, queries, DisjointParts(3), RIDGE, digests=DIGESTS)
    verify_flip_votes(made, train, queries, digests=DIGESTS)
    others = {bool: lambda value: not value, int: lambda value: value + 1, str: lambda value: value + " indeed"}
    others |= {tuple: lambda value: (*value, "more"), np.ndarray: lambda value: value + 1}
    others |= {dict: lambda value: {**value, "more": np.zeros(1)}}
    for field in fields(PointwiseCertificate):
        value = getattr(made, field.name)
        change = (lambda value: 1 - value) if field.name == "winners" else others[type(value)]
        with pytest.raises(CertificateRejected):
            verify_flip_votes(replace(made, **{field.name: change(value)}), train, queries, digests=DIGESTS)
    for name, value in made.settings.items():
        wrong = value + " indeed" if isinstance(value, str) else value * 2
        for settings in (
            {**made.settings, name: wrong},
            {key: made.settings[key] for key in made.settings if key != name},
        ):
            with pytest.raises(CertificateRejected):
                verify_flip_votes(replace(made, settings=settings), train, queries, digests=DIGESTS)
    for number in (10**9, -1, 2.5, None):
        other = replace(made, settings={**made.settings, "n_parts": number})
        with pytest.raises(CertificateRejected):
            verify_flip_votes(other, train, queries, digests=DIGESTS)


def test_rows_that_do_not_fit_are_refused():
    train, queries = scene()
    with pytest.raises(InvalidData, match="queries: expected 3 columns, got 2"):
        certify_flip_votes(train, queries[:, :2], DisjointParts(3), RIDGE, digests=DIGESTS)
    with pytest.raises(InvalidData, match="expected two or more classes, got 1"):
        certify_flip_votes(Dataset(train.X, ["a"] * 60), queries, DisjointParts(3), RIDGE, digests=DIGESTS)
