"""Laws of learners, over every exported class: scikit-learn's own checks, repeatability, order, labels, storage."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy.sparse import csr_array, issparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from toadstone import learners
from toadstone.catalogue import names, resolve
from toadstone.core.errors import InvalidData

LEARNERS = {
    "LinearClassifier": learners.LinearClassifier(ridge=0.03),
    "CrammerSingerClassifier": learners.CrammerSingerClassifier(ridge=0.03),
    "OnlineHingeClassifier": learners.OnlineHingeClassifier(epochs=20, batch=10),
    "BoundedLossClassifier": learners.BoundedLossClassifier(ridge=0.03),
    "TrimmedLossClassifier": learners.TrimmedLossClassifier(ridge=0.03, restarts=1),
    "SeveredClassifier": learners.SeveredClassifier(rounds=2),
    "PartitionVoteClassifier": learners.PartitionVoteClassifier(n_partitions=5),
    "OneHotRidgeClassifier": learners.OneHotRidgeClassifier(ridge=0.03),
    "KernelRidgeClassifier": learners.KernelRidgeClassifier(),
    "KernelSmootherClassifier": learners.KernelSmootherClassifier(gamma=0.5),
    "NeighbourVoteClassifier": learners.NeighbourVoteClassifier(),
}
ORDER_COUNTS = frozenset({"OnlineHingeClassifier", "TrimmedLossClassifier"})
"""Classes whose random draws are of positions among the rows."""

TIES = frozenset({"OnlineHingeClassifier", "PartitionVoteClassifier", "NeighbourVoteClassifier"})
"""Classes that meet ties, in their gradient or in their votes, and decide them for the first label."""

every_learner = pytest.mark.parametrize("name", sorted(LEARNERS))


def blobs(n_classes, seed=0, *, n=40, d=5):
    """Rows of overlapping Gaussian classes, some of them mislabelled, a third of the values zero."""
    rng = np.random.default_rng(seed)
    y = np.resize(np.arange(n_classes), n * n_classes)
    X = 1.5 * rng.normal(size=(n_classes, d))[y] + rng.normal(size=(len(y), d))
    X[rng.random(X.shape) < 0.33] = 0.0
    y[:4] = (y[:4] + 1) % n_classes
    return X, y


def test_every_exported_learner_keeps_these_laws():
    # Those of numeric targets have laws of their own, in test_regression.py; features learn from no label.
    others = {"TrimmedRidge", "SeveredRidge", "PatchFeatures", "GradientFeatures", "FunctionClassifier"}
    assert set(LEARNERS) | others == set(learners.__all__)
    assert {resolve("learner", name).__name__ for name in names("learner")} <= set(LEARNERS)


class NearestMean:
    """Train by class means: the least that a training function can do; named without its address."""

    def __call__(self, X, y, seed):
        rows = X.toarray() if issparse(X) else X
        means = np.stack([rows[y == c].mean(axis=0) for c in range(y.max() + 1)])
        return partial(lead_of_means, means)

    def __repr__(self):
        return "nearest_mean"


def lead_of_means(means, asked):
    return 2 * asked @ means.T - (means * means).sum(axis=1)


# Two of the checks compare decision functions to seven digits, which takes a gap of 1e-9. Some train on rows far from
# the origin, where coordinate ascent converges slowly.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(
    [
        learners.LinearClassifier(tolerance=1e-9),
        learners.CrammerSingerClassifier(max_sweeps=1000),
        learners.OnlineHingeClassifier(epochs=30, batch=5),
        learners.BoundedLossClassifier(rounds=5, tolerance=1e-4),
        learners.PartitionVoteClassifier(estimator=LogisticRegression(), n_partitions=2),
        learners.FunctionClassifier(NearestMean()),
        learners.OneHotRidgeClassifier(),
        learners.KernelRidgeClassifier(),
        learners.KernelSmootherClassifier(),
        learners.NeighbourVoteClassifier(n_neighbors=1),
    ]
)
def test_scikit_learn_estimator(estimator, check):
    check(estimator)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(
    [
        learners.TrimmedLossClassifier(keep=0.9, restarts=1, rounds=5, tolerance=1e-4),
        learners.SeveredClassifier(estimator=LogisticRegression(), rounds=2, fraction=0.02),
    ]
)
def test_slow_scikit_learn_estimator(estimator, check):
    check(estimator)


@every_learner
@pytest.mark.parametrize("n_classes", [2, 3])
class TestLaws:
    def test_the_same_seed_gives_the_same_model(self, name, n_classes):
        X, y = blobs(n_classes)
        one, two = (clone(LEARNERS[name]).fit(X, y) for _ in range(2))
        np.testing.assert_array_equal(one.predict(X), two.predict(X))
        np.testing.assert_array_equal(getattr(one, "coef_", 0), getattr(two, "coef_", 0))

    def test_a_fit_forgets_the_last_one(self, name, n_classes):
        X, y = blobs(n_classes)
        again = clone(LEARNERS[name]).fit(X, y)
        other = np.roll(y, 3)
        fresh, again = clone(LEARNERS[name]).fit(X, other), again.fit(X, other)
        np.testing.assert_array_equal(again.predict(X), fresh.predict(X))
        np.testing.assert_array_equal(getattr(again, "coef_", 0), getattr(fresh, "coef_", 0))

    def test_rows_are_learned_from(self, name, n_classes):
        X, y = blobs(n_classes)
        new, truth = blobs(n_classes)[0], np.resize(np.arange(n_classes), len(y))
        assert np.mean(clone(LEARNERS[name]).fit(X, y).predict(new) == truth) > 0.6 + 0.3 / n_classes

    def test_the_order_of_rows_is_irrelevant_or_documented(self, name, n_classes):
        X, y = blobs(n_classes)
        order = np.random.default_rng(1).permutation(len(y))
        straight, shuffled = (clone(LEARNERS[name]).fit(X[rows], y[rows]) for rows in (np.arange(len(y)), order))
        if name in ORDER_COUNTS:
            assert "order of the rows matters" in " ".join(type(straight).__doc__.split())
        else:
            np.testing.assert_array_equal(shuffled.predict(X), straight.predict(X))

    def test_the_names_of_labels_are_irrelevant(self, name, n_classes):
        X, y = blobs(n_classes)
        labels = np.array(["ape", "bee", "cat"])
        plain, named = (clone(LEARNERS[name]).fit(X, known) for known in (y, labels[y]))
        np.testing.assert_array_equal(labels[plain.predict(X)], named.predict(X))

    def test_dense_and_sparse_rows_train_alike(self, name, n_classes):
        X, y = blobs(n_classes)
        dense, sparse = (clone(LEARNERS[name]).fit(rows, y) for rows in (X, csr_array(X)))
        np.testing.assert_array_equal(sparse.predict(csr_array(X)), dense.predict(X))
        np.testing.assert_allclose(getattr(sparse, "coef_", 0), getattr(dense, "coef_", 0), atol=1e-6)

    def test_training_rows_are_left_alone(self, name, n_classes):
        X, y = blobs(n_classes)
        before = X.copy(), y.copy()
        clone(LEARNERS[name]).fit(X, y)
        np.testing.assert_array_equal(X, before[0])
        np.testing.assert_array_equal(y, before[1])


@pytest.mark.parametrize("name", sorted(LEARNERS.keys() - TIES))
@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_order_of_labels_is_irrelevant(name, n_classes):
    X, y = blobs(n_classes)
    plain, turned = (clone(LEARNERS[name]).fit(X, known) for known in (y, -y))
    np.testing.assert_array_equal(plain.predict(X), -turned.predict(X))


@every_learner
def test_a_single_class_is_refused(name):
    with pytest.raises(InvalidData, match="at least two classes, got 1 class"):
        clone(LEARNERS[name]).fit([[0.0], [1.0]], [3, 3])
