"""Classifiers that are linear in the labels: the estimators they stand for, and retraining under their own attacks."""

from itertools import combinations, product

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier

from toadstone.core.errors import InvalidArgument
from toadstone.learners import (
    KernelRidgeClassifier,
    KernelSmootherClassifier,
    NeighbourVoteClassifier,
    OneHotRidgeClassifier,
)

LEARNERS = [
    OneHotRidgeClassifier(ridge=0.05),
    OneHotRidgeClassifier(ridge=0.05, bias="none"),
    KernelRidgeClassifier(gamma=0.2, ridge=0.1),
    KernelSmootherClassifier(gamma=0.2),
    NeighbourVoteClassifier(n_neighbors=15),
]
every_learner = pytest.mark.parametrize("learner", LEARNERS, ids=repr)


def blobs(n, d=3, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_classes
    centres = 2 * rng.normal(size=(n_classes, d))
    return centres[y] + rng.normal(size=(n, d)), np.array(["ape", "bee", "cat"])[y], rng.normal(size=(12, d)) * 2


@pytest.mark.parametrize("n_classes", [2, 3])
def test_one_hot_ridge_is_the_ridge_classifier(n_classes):
    X, y, queries = blobs(60, n_classes=n_classes)
    for bias, intercept in (("free", True), ("none", False)):
        ours = OneHotRidgeClassifier(ridge=0.1, bias=bias).fit(X, y)
        theirs = RidgeClassifier(alpha=6.0, fit_intercept=intercept).fit(X, y)
        np.testing.assert_array_equal(ours.predict(queries), theirs.predict(queries))
        targets = (y[:, None] == ours.classes_).astype(float)
        model = Ridge(alpha=6.0, fit_intercept=intercept).fit(X, targets)
        np.testing.assert_allclose(ours.class_scores(queries), model.predict(queries), atol=1e-10)


def test_kernel_ridge_is_scikit_learns():
    X, y, queries = blobs(60)
    ours = KernelRidgeClassifier(ridge=0.1, gamma=0.2).fit(X, y)
    theirs = KernelRidge(alpha=6.0, kernel="rbf", gamma=0.2).fit(X, y[:, None] == ours.classes_)
    np.testing.assert_allclose(ours.class_scores(queries), theirs.predict(queries), atol=1e-10)


@pytest.mark.parametrize("k", [1, 4, 15])
def test_the_vote_of_neighbours_is_scikit_learns(k):
    X, y, queries = blobs(60)
    ours, theirs = NeighbourVoteClassifier(n_neighbors=k), KNeighborsClassifier(n_neighbors=k)
    np.testing.assert_array_equal(ours.fit(X, y).predict(queries), theirs.fit(X, y).predict(queries))


def test_the_smoother_is_a_weighted_mean():
    X, y, queries = blobs(60)
    ours = KernelSmootherClassifier(gamma=0.2).fit(X, y)
    kernel = np.exp(-0.2 * ((queries[:, None] - X[None]) ** 2).sum(axis=-1))
    means = (kernel @ (y[:, None] == ours.classes_)) / kernel.sum(axis=1, keepdims=True)
    np.testing.assert_array_equal(ours.predict(queries), ours.classes_[means.argmax(axis=1)])


@every_learner
def test_predictions_and_certificates_agree_on_the_winner(learner):
    X, y, queries = blobs(60)
    fitted = clone(learner).fit(X, y)
    np.testing.assert_array_equal(fitted.classes_[fitted.certify(queries).winner], fitted.predict(queries))
    sparse = clone(learner).fit(csr_array(X), y).certify(csr_array(queries))
    np.testing.assert_array_equal(sparse.count, fitted.certify(queries).count)


@every_learner
def test_no_retraining_on_so_many_changed_labels_changes_the_prediction(learner):
    X, y, queries = blobs(6, d=2)
    learner = clone(learner).set_params(**({"n_neighbors": 3} if hasattr(learner, "n_neighbors") else {}))
    fitted = clone(learner).fit(X, y)
    counts, before = fitted.certify(queries).count, fitted.predict(queries)
    broken = np.full(len(queries), len(y) + 1)
    for size in range(1, 4):
        for chosen in combinations(range(len(y)), size):
            for labels in product(fitted.classes_, repeat=size):
                changed = y.copy()
                changed[list(chosen)] = labels
                # scikit-learn does not train on a single class, and these rows would miss classes.
                if len(np.unique(changed)) == 3:
                    after = clone(learner).fit(X, changed).predict(queries)
                    broken = np.where((after != before) & (broken > size), size, broken)
    assert np.all(broken > counts)


@every_learner
@pytest.mark.parametrize("grouped", [False, True])
def test_the_strongest_flips_change_the_retrained_model(learner, grouped):
    X, y, queries = blobs(240)
    groups = np.arange(240) // 12 if grouped else None
    fitted = clone(learner).fit(X, y)
    counts, before = fitted.certify(queries, groups=groups).count, fitted.predict(queries)
    assert counts.max() >= 3
    for query, count, label in zip(queries, counts, before, strict=True):
        for units, changes in ((count, False), (None, True)):
            rows, labels = fitted.strongest_flips(query[None], n_units=units, groups=groups)
            touched = rows if groups is None else np.unique(groups[rows])
            assert len(touched) <= count + changes
            poisoned = y.copy()
            poisoned[rows] = labels
            assert (clone(learner).fit(X, poisoned).predict(query[None])[0] != label) == changes


def test_groups_must_fit_the_training_rows():
    X, y, queries = blobs(60)
    with pytest.raises(InvalidArgument, match="`groups`: expected one for each of 60 training rows, got shape"):
        OneHotRidgeClassifier().fit(X, y).certify(queries, groups=["a", "b"])
    with pytest.raises(InvalidArgument, match="`x`: expected one query, got 12"):
        OneHotRidgeClassifier().fit(X, y).strongest_flips(queries)
