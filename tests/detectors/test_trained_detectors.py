"""Detectors that train a classifier, on planted flips."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.detectors.features.sever import SEVER
from toadstone.detectors.labels.classifiers import bag, copies, stratified_folds
from toadstone.detectors.labels.confident_learning import ConfidentLearning
from toadstone.detectors.labels.cross_validation import CrossValidationCleaning
from toadstone.detectors.labels.ensemble import EnsembleFilter
from toadstone.detectors.labels.trimmed_loss import IterativeTrimmedLoss
from toadstone.detectors.labels.trusted_bootstrap import TrustedBootstrap
from toadstone.kernels.statistics.label_noise import contradiction_threshold, label_noise

ODDS = [IterativeTrimmedLoss, CrossValidationCleaning, EnsembleFilter, ConfidentLearning]
every_detector = pytest.mark.parametrize("detector", ODDS, ids=lambda detector: detector.__name__)


def flipped(share, *, seed=0, n=600, rare=0.3):
    """Two overlapping classes, some of whose rows bear the other label."""
    rng = np.random.default_rng(seed)
    true = (rng.random(n) < rare).astype(int)
    X = rng.standard_normal((n, 4)) + 1.7 * (2 * true[:, None] - 1)
    wrong = rng.permutation(n) < round(share * n)
    return X, np.where(wrong, 1 - true, true), wrong


@every_detector
def test_clean_rows_keep_the_false_alarm_rate(detector):
    for seed in range(3):
        X, y, _ = flipped(0.0, seed=seed)
        assert len(detector().fit(X, y).flagged_indices_) <= 0.02 * len(y)


def test_the_models_own_mistakes_are_no_label_errors():
    # Six classes that overlap, so that more rows are candidates than the false-alarm rate allows.
    rng = np.random.default_rng(0)
    y = rng.integers(0, 6, 800)
    X = rng.standard_normal((800, 2)) + 1.5 * rng.standard_normal((6, 2))[y]
    detector = ConfidentLearning().fit(X, y)
    assert detector.joint_.sum() - np.trace(detector.joint_) > 0.05 * len(y)
    assert len(detector.flagged_indices_) <= 0.02 * len(y)


@every_detector
def test_most_flips_are_flagged_though_they_are_a_quarter_of_the_rare_class(detector):
    X, y, wrong = flipped(0.1)
    found = np.isin(np.arange(len(y)), detector().fit(X, y).flagged_indices_)
    assert found[wrong].mean() > 0.5
    assert found[~wrong].mean() < 0.01


@every_detector
def test_any_classifier_will_do(detector):
    X, y, wrong = flipped(0.05)
    fitted = detector(estimator=GaussianNB()).fit(X, y)
    assert fitted.suspicion_[wrong].mean() > fitted.suspicion_[~wrong].max() / 2
    named = np.array(["ham", "spam"])[y]
    tree = detector(estimator=DecisionTreeClassifier(max_depth=3, random_state=0)).fit(X, named)
    assert tree.score_samples(X, named).shape == (len(y),)


class Remembering(ClassifierMixin, BaseEstimator):
    """Repeats the labels that it has seen, and otherwise says the first class."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.seen_ = {row.tobytes(): label for row, label in zip(X, y, strict=True)}
        return self

    def predict(self, X):
        return np.array([self.seen_.get(row.tobytes(), self.classes_[0]) for row in X])


@pytest.mark.parametrize("detector", [CrossValidationCleaning, EnsembleFilter, ConfidentLearning])
def test_no_row_is_judged_by_a_model_that_saw_it_or_a_copy(detector):
    X, y, _ = flipped(0.0, n=60)
    X, y = np.vstack([X, X]), np.append(y, y)
    fitted = detector(estimator=Remembering()).fit(X, y)
    # Every row of the second class is contradicted, as no model has seen it or its copy.
    assert fitted.suspicion_[y == 0].max() < 0
    if detector is not ConfidentLearning:
        assert fitted.suspicion_[y == 1].min() > 0


def test_folds_and_bags_keep_copies_together():
    rng = np.random.default_rng(0)
    X, codes = rng.integers(0, 5, (80, 2)).astype(float), rng.integers(0, 3, 80)
    groups = copies(X)
    folds = stratified_folds(codes, groups, 4, rng)
    np.testing.assert_array_equal(np.sort(np.concatenate([inside for _, inside in folds])), np.arange(80))
    for outside, inside in folds:
        assert not set(groups[outside]) & set(groups[inside])
        assert len(outside) + len(inside) == 80
    drawn = bag(codes, groups, rng)
    counts = np.bincount(drawn, minlength=80)
    for group in range(groups.max() + 1):
        assert len(set(counts[groups == group])) == 1
    assert (counts == 0).any()


def test_folds_have_the_shares_of_the_classes():
    codes = np.repeat([0, 1, 2], [50, 20, 3])
    folds = stratified_folds(codes, np.arange(73), 5, np.random.default_rng(0))
    for _, inside in folds:
        counts = np.bincount(codes[inside], minlength=3)
        assert counts[0] == 10
        assert counts[1] == 4
        assert counts[2] <= 1


def test_the_trimmed_loss_lets_rows_return():
    X, y, wrong = flipped(0.1)
    fitted = IterativeTrimmedLoss(keep=0.85).fit(X, y)
    assert fitted.settled_
    assert 1 < fitted.n_rounds_ < 10
    assert len(set(fitted.flagged_indices_)) == len(fitted.flagged_indices_)
    assert wrong[fitted.flagged_indices_].mean() > 0.9


def test_confident_learning_counts_the_flips():
    X, y, wrong = flipped(0.1)
    joint = ConfidentLearning().fit(X, y).joint_
    assert joint.sum() == pytest.approx(len(y))
    assert joint[0, 1] + joint[1, 0] == pytest.approx(wrong.sum(), rel=0.25)


def test_sever_ranks_flips_first_and_scores_new_rows_as_training_rows():
    X, y, wrong = flipped(0.03)
    detector = SEVER().fit(X, y)
    assert wrong[np.argsort(-detector.suspicion_)[:10]].mean() >= 0.8
    np.testing.assert_allclose(-detector.score_samples(X, y), detector.suspicion_)
    assert len(detector.rounds_) == 4


def test_sever_leaves_its_share_out_of_the_next_round():
    X, y, _ = flipped(0.03)
    idle, busy, busier = (SEVER(share=share).fit(X, y).rounds_ for share in (0.0, 0.01, 0.05))
    np.testing.assert_array_equal(idle[0][0].coef_, idle[-1][0].coef_)
    np.testing.assert_array_equal(idle[0][0].coef_, busy[0][0].coef_)
    first, second, third = (np.linalg.norm(rounds[-1][0].coef_) for rounds in (idle, busy, busier))
    assert first < second < third


@pytest.mark.parametrize("share", [0.0, 0.03, 0.1, 0.3])
def test_the_share_of_wrong_labels_is_estimated(share):
    rng = np.random.default_rng(1)
    sureness = rng.exponential(3.0, 4000)
    mistaken = rng.random(4000) < expit(-sureness / 2)
    wrong = rng.random(4000) < share
    log_odds = np.where(mistaken ^ wrong, sureness, -sureness)
    noise = label_noise(log_odds)
    assert noise.share == pytest.approx(share, abs=0.03)
    assert noise.at_least <= share
    assert 1.6 < noise.temperature < 6
    beyond = log_odds > contradiction_threshold(log_odds, 0.02)
    assert np.mean(beyond[~wrong]) <= 0.02
    if share:
        assert np.mean(beyond[wrong]) > 0.05


@pytest.mark.parametrize("detector", [*ODDS, SEVER, TrustedBootstrap], ids=lambda detector: detector.__name__)
def test_a_single_class_is_refused(detector):
    with pytest.raises(InvalidData, match="at least two classes, got 1 class"):
        detector().fit(np.arange(9.0)[:, None], np.zeros(9), trusted=np.arange(3))


def test_trusted_rows_grow_a_model_that_flags_the_flips():
    X, y, wrong = flipped(0.2)
    trusted = np.flatnonzero(~wrong)[:150]
    detector = TrustedBootstrap().fit(X, y, trusted=trusted)
    found = np.isin(np.arange(len(y)), detector.flagged_indices_)
    assert found[wrong].mean() > 0.9
    assert found[~wrong].mean() < 0.03
    assert not found[trusted].any()
    assert 0.5 < detector.admitted_share_ < 0.9
    assert len(detector.validation_errors_) > 2
    assert detector.validation_errors_[-1] <= detector.validation_errors_[0] + 0.05


def test_a_batch_that_spoils_the_held_out_rows_is_rejected():
    # Poison agrees with the model where trusted rows are scarce and turns it where they are held out.
    rng = np.random.default_rng(0)
    clean, labels = np.linspace(-1, 1, 100)[:, None] + 1e-3, (np.linspace(-1, 1, 100) > 0).astype(int)
    poison = rng.uniform(0.2, 0.5, (3000, 1))
    X, y = np.vstack([clean, -poison]), np.append(labels, np.zeros(3000, dtype=int))
    detector = TrustedBootstrap(batch=1.0).fit(X, y, trusted=np.arange(100))
    assert detector.admitted_share_ == 0.0
    assert len(detector.validation_errors_) == 1


def test_bootstrapping_without_trusted_rows_is_refused():
    X, y, _ = flipped(0.0)
    with pytest.raises(InvalidArgument, match="`trusted`: expected positions of rows known to be clean, got none"):
        TrustedBootstrap().fit(X, y)


def test_trusted_rows_among_the_untrusted_are_refused():
    X, y, _ = flipped(0.0)
    X[100] = X[0]
    with pytest.raises(InvalidData, match="got 1 untrusted rows with the features of a trusted one"):
        TrustedBootstrap().fit(X, y, trusted=np.arange(50))


def test_a_class_without_trusted_rows_is_refused():
    X, y, _ = flipped(0.0)
    with pytest.raises(InvalidData, match="trusted rows: expected at least two of class 1, got 0"):
        TrustedBootstrap().fit(X, y, trusted=np.flatnonzero(y == 0))
