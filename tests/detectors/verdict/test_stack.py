"""The learners of the stack never see the label that they predict."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from toadstone.core.errors import InvalidInput
from toadstone.detectors.verdict.label_verdict import LabelVerdict
from toadstone.detectors.verdict.learners import forest, given, logistic, neighbours
from toadstone.detectors.verdict.rows import see_rows, standardised, weighted_words
from toadstone.kernels.rows import value_order

LEARNERS = {
    "logistic": logistic,
    "forest": forest,
    "neighbours": neighbours,
    "own with probabilities": lambda rows: given(GaussianNB(), rows),
    "own without": lambda rows: given(LinearSVC(), rows),
}
every_learner = pytest.mark.parametrize("learner", LEARNERS)


def seen(X, y, trusted=None):
    order = value_order(X, y)
    known = np.zeros(len(y), dtype=bool) if trusted is None else trusted[order]
    return see_rows(X[order], y[order], int(y.max()) + 1, known, 0)


def blobs(n=240, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    return rng.standard_normal((n, 5)) + 3 * np.eye(3, 5)[y], y


@every_learner
def test_rows_of_a_table_are_probabilities_that_know_the_classes(learner):
    rows = seen(*blobs())
    table = LEARNERS[learner](rows)
    np.testing.assert_allclose(table.sum(axis=1), 1)
    assert (table.argmax(axis=1) == rows.codes).mean() > 0.85


@every_learner
def test_a_row_far_from_all_others_cannot_vouch_for_itself(learner):
    # The only row of class 0 among those of class 1: a learner that had seen it would side with it.
    X, y = blobs()
    X[0], y[0] = np.full(5, 0.0) + 3 * np.eye(3, 5)[1], 0
    rows = seen(X, y)
    row = np.flatnonzero((X[0] == rows.X).all(axis=1))[0]
    assert LEARNERS[learner](rows)[row, 1] > 0.6


@every_learner
def test_copies_do_not_vouch_for_each_other(learner):
    # Twelve copies of a row within class 1 carry class 0. Learners that see some of them predict it for the rest.
    X, y = blobs()
    X[:12], y[:12] = 3 * np.eye(3, 5)[1], 0
    rows = seen(X, y)
    copies = (X[0] == rows.X).all(axis=1)
    table = LEARNERS[learner](rows)[copies]
    np.testing.assert_allclose(table, np.broadcast_to(table[0], table.shape))
    assert table[0, 1] > 0.6


def test_where_most_rows_coincide_equal_rows_inform_each_other():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, (400, 3)).astype(float)
    y = ((X[:, 0] + X[:, 1] + X[:, 2]) % 2).astype(int)
    rows = seen(X, y)
    assert rows.copies_coincide
    # Without its equals no learner could know the parity of a cell.
    assert (neighbours(rows).argmax(axis=1) == rows.codes).mean() > 0.95
    assert (forest(rows).argmax(axis=1) == rows.codes).mean() > 0.95


def test_trusted_rows_are_in_every_training_part_but_their_own():
    X, y = blobs()
    trusted = np.arange(len(y)) % 6 == 0
    rows = seen(X, y, trusted)
    known = np.flatnonzero(rows.trusted)
    predicted = []
    for inside, outside in rows.folds(5):
        assert not np.intersect1d(inside, outside).size
        assert set(known) <= set(inside) | set(outside)
        predicted.append(outside)
    np.testing.assert_array_equal(np.sort(np.concatenate(predicted)), np.arange(len(y)))


def test_a_class_that_a_fold_lacks_has_no_probability_there():
    X, y = blobs()
    y[y == 2] = 1
    y[0] = 2
    table = given(GaussianNB(), seen(X, y))
    assert np.isfinite(table).all()


def test_heavy_tails_do_not_rule_and_constant_columns_say_nothing():
    X = np.column_stack([np.r_[np.zeros(99), 1e9], np.full(100, 0.1)])
    scaled = standardised(X)
    assert np.abs(scaled).max() <= 8
    assert (scaled[:, 1] == 0).all()


def test_words_are_weighted_by_rarity():
    X = csr_array(np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [1.0, 0.0, 0.0]]))
    weighted = weighted_words(X).toarray()
    np.testing.assert_allclose(np.linalg.norm(weighted, axis=1), 1)
    assert weighted[0, 1] > weighted[0, 0]


def test_trusted_rows_turn_a_review_list_into_knowledge():
    # Overlap of 15 % that is the same everywhere: nothing but trusted rows says that it is noise, or that it is not.
    rng = np.random.default_rng(0)
    side = rng.integers(0, 2, 800)
    X = rng.standard_normal((800, 2)) + 6 * side[:, None]
    flipped = rng.random(800) < 0.2
    known = np.arange(800) % 4 == 0
    noise = LabelVerdict().fit(X, np.where(flipped & ~known, 1 - side, side), trusted=known)
    overlap = LabelVerdict().fit(X, np.where(flipped, 1 - side, side), trusted=known)
    assert noise.evidence_.log_ratio > 20
    wrong = flipped & ~known
    assert np.isin(np.flatnonzero(wrong), noise.flagged_indices_).mean() > 0.9
    assert np.mean(~wrong[noise.flagged_indices_]) < 0.1
    assert overlap.evidence_.log_ratio < 0
    assert len(overlap.flagged_indices_) <= 4


class Failing(DecisionTreeClassifier):
    def fit(self, X, y, sample_weight=None):
        raise RuntimeError("no luck today")


class Short(DecisionTreeClassifier):
    def predict_proba(self, X):
        return super().predict_proba(X)[:3]


@pytest.mark.parametrize(
    ("estimator", "sentence"),
    [
        (
            Failing(),
            "`estimators`: expected a model that takes these rows, got RuntimeError in fit of Failing: no luck",
        ),
        (Short(), r"got ValueError in predict of Short: predictions of shape \(3, 3\) for"),
    ],
)
def test_a_classifier_of_the_users_that_fails_is_a_sentence(estimator, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        given(estimator, seen(*blobs()))
