"""Detectors that train a classifier, on planted flips."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.detectors.features.sever import SEVER
from toadstone.detectors.labels.classifiers import bag, copies, stratified_folds
from toadstone.detectors.labels.confident_learning import ConfidentLearning
from toadstone.detectors.labels.cross_validation import CrossValidationCleaning
from toadstone.detectors.labels.ensemble import EnsembleFilter
from toadstone.detectors.labels.trimmed_loss import IterativeTrimmedLoss
from toadstone.detectors.labels.trusted_bootstrap import TrustedBootstrap

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
    expected = detector.joint_.sum() - np.trace(detector.joint_)
    assert expected > 0.05 * len(y)
    # More rows are contradicted than wrong labels are expected; only as many are suspicious.
    assert np.count_nonzero(detector.suspicion_ > 0) < 1.1 * expected < np.count_nonzero(detector._odds > 0)
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


class Alternating(ClassifierMixin, BaseEstimator):
    """Favours the second class with every second fit, by more than it favours the first with the others."""

    fits: ClassVar[int] = 0

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        Alternating.fits += 1
        self.table_ = [[0.6, 0.4], [0.1, 0.9]][Alternating.fits % 2]
        return self

    def predict(self, X):
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]

    def predict_proba(self, X):
        return np.tile(self.table_, (len(X), 1))


def test_half_of_the_votes_do_not_outvote_a_label():
    X, y, _ = flipped(0.0, n=200)
    fitted = EnsembleFilter(estimator=Alternating(), n_estimators=2).fit(X, y)
    first = fitted.suspicion_[y == 0]
    # A single vote against is a majority, one of two is not, though its probability outweighs the other's.
    np.testing.assert_allclose(first.max(), np.log(9))
    assert np.count_nonzero(first == 0) > 5
    assert not np.isclose(first, np.log(1.3 / 0.7)).any()


@pytest.mark.parametrize("detector", ODDS, ids=lambda detector: detector.__name__)
class TestTrustedRowsSetOneThreshold:
    def test_at_a_careful_quantile_of_all_classes(self, detector):
        rng = np.random.default_rng(0)
        y = rng.integers(0, 2, 1200)
        X, trusted = rng.normal(size=(1200, 3)) + 0.8 * y[:, None], rng.permutation(1200)[:400]
        fitted = detector().fit(X, y, trusted=trusted)
        # A share of 0.0118 keeps 0.02 with confidence: four of 401, where eight would keep it on average.
        expected = np.sort(fitted.suspicion_[trusted])[-4]
        assert expected > 0
        np.testing.assert_allclose(fitted.thresholds_, expected)
        # Ten rows keep no rate with confidence: the largest of them is the threshold.
        few = trusted[:60]
        np.testing.assert_allclose(fitted.calibrate(few).thresholds_, max(0.0, fitted.suspicion_[few].max()), atol=1e-8)

    def test_never_below_zero(self, detector):
        y = np.arange(300) % 2
        X = np.random.default_rng(0).normal(size=(300, 2)) + 20 * y[:, None]
        fitted = detector().fit(X, y, trusted=np.arange(200))
        assert fitted.suspicion_.max() < 0
        np.testing.assert_allclose(fitted.thresholds_, 0, atol=1e-6)

    def test_but_none_for_the_only_row_of_a_label(self, detector):
        X, y, _ = flipped(0.0)
        y[5] = 2
        fitted = detector().fit(X, y, trusted=np.arange(100, 500))
        assert np.isinf(fitted.thresholds_).tolist() == [False, False, True]


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


def test_sever_scores_a_row_by_its_worst_round():
    X, y, _ = flipped(0.03)
    one, four = SEVER(rounds=1, share=0.1).fit(X, y), SEVER(rounds=4, share=0.1).fit(X, y)
    assert (four.suspicion_ >= one.suspicion_).all()
    assert (four.suspicion_ > one.suspicion_).any()
    assert (four.suspicion_ == one.suspicion_).any()


def test_sever_leaves_its_share_out_of_the_next_round():
    X, y, _ = flipped(0.03)
    idle, busy, busier = (SEVER(share=share).fit(X, y).rounds_ for share in (0.0, 0.01, 0.05))
    np.testing.assert_array_equal(idle[0][0].coef_, idle[-1][0].coef_)
    np.testing.assert_array_equal(idle[0][0].coef_, busy[0][0].coef_)
    first, second, third = (np.linalg.norm(rounds[-1][0].coef_) for rounds in (idle, busy, busier))
    assert first < second < third


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


class Recording(GaussianNB):
    """Keeps the first columns of all rows that it was ever fitted to."""

    seen: ClassVar[list[set[float]]] = []

    def fit(self, X, y):
        Recording.seen.append(set(X[:, 0].tolist()))
        return super().fit(X, y)


def test_held_out_trusted_rows_are_never_trained_on():
    X, y, wrong = flipped(0.2)
    trusted = np.flatnonzero(~wrong)[:150]
    Recording.seen.clear()
    detector = TrustedBootstrap(estimator=Recording()).fit(X, y, trusted=trusted)
    held_out = set(X[trusted, 0].tolist()) - Recording.seen[0]
    assert len(held_out) == sum(round(0.3 * count) for count in np.bincount(y[trusted]))
    assert len(Recording.seen) > len(detector.validation_errors_) > 2
    assert not any(held_out & rows for rows in Recording.seen)


def test_rows_that_were_trained_on_are_judged_out_of_fold():
    X, y, _ = flipped(0.0)
    detector = TrustedBootstrap(estimator=Remembering()).fit(X, y, trusted=np.arange(150))
    # A model that had seen a row of the second class would agree with its label.
    assert detector._trained.any()
    assert detector.suspicion_[y == 1].min() > 0


def test_undecided_rows_are_not_admitted():
    class Undecided(Alternating):
        def predict_proba(self, X):
            return np.full((len(X), 2), 0.5)

    X, y, _ = flipped(0.0)
    detector = TrustedBootstrap(estimator=Undecided()).fit(X, y, trusted=np.arange(150))
    assert detector.admitted_share_ == 0
    assert len(detector.validation_errors_) == 1


def test_a_few_more_mistakes_than_before_do_not_reject_a_batch():
    y = np.arange(600) % 2
    X = np.random.default_rng(0).standard_normal((600, 4)) + 0.4 * (2 * y[:, None] - 1)
    errors = TrustedBootstrap(batch=0.1).fit(X, y, trusted=np.arange(200)).validation_errors_
    rise = np.diff(errors).max() * 60
    assert 0 < rise < 6
    assert len(errors) > 5


def test_bootstrapping_without_trusted_rows_is_refused():
    X, y, _ = flipped(0.0)
    with pytest.raises(InvalidArgument, match="`trusted`: expected positions of rows known to be clean, got none"):
        TrustedBootstrap().fit(X, y)


def test_trusted_rows_among_the_untrusted_are_refused():
    X, y, _ = flipped(0.0)
    X[100] = X[0]
    with pytest.raises(InvalidData, match="got 1 untrusted rows with the features of a trusted one"):
        TrustedBootstrap().fit(X, y, trusted=np.arange(50))


@pytest.mark.parametrize("known", [0, 1])
def test_a_class_of_fewer_than_two_trusted_rows_is_refused(known):
    X, y, _ = flipped(0.0)
    trusted = np.append(np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:known])
    with pytest.raises(InvalidData, match=f"trusted rows: expected at least two of class 1, got {known}"):
        TrustedBootstrap().fit(X, y, trusted=trusted)


def many_classes(seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(1200) % 40
    X = 4 * rng.normal(size=(40, 8))[y] + rng.normal(size=(1200, 8))
    # Columns of unequal scale, which the default classifier does not mind.
    X = X * 10.0 ** np.arange(-2, 6) + 50
    wrong = rng.choice(1200, 24, replace=False)
    y[wrong] = (y[wrong] + 7) % 40
    return X, y, wrong


@every_detector
def test_wrong_labels_of_many_classes_are_found_in_few_rounds(detector):
    X, y, wrong = many_classes()
    fitted = detector().fit(X, y)
    to_the_end = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    thorough = detector(estimator=to_the_end).fit(X, y)
    found, expected = (np.isin(wrong, some.flagged_indices_).sum() for some in (fitted, thorough))
    assert expected > 12
    assert found >= expected - 1
    assert len(np.setdiff1d(fitted.flagged_indices_, wrong)) <= 0.02 * len(y)


def test_an_ensemble_for_many_classes_has_fewer_models(monkeypatch):
    X, y, _ = many_classes()
    assert len(EnsembleFilter().fit(X, y).models_) == 25
    monkeypatch.setattr("toadstone.detectors.labels.ensemble._MOST_HEADS", 480)
    assert len(EnsembleFilter().fit(X, y).models_) == 12
    monkeypatch.setattr("toadstone.detectors.labels.ensemble._MOST_HEADS", 40)
    assert len(EnsembleFilter().fit(X, y).models_) == 10
    assert len(EnsembleFilter(n_estimators=4).fit(X, y).models_) == 4
