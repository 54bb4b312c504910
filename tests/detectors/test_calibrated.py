"""Calibration, on a detector of one line."""

from typing import ClassVar

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator

from toadstone.core.errors import InvalidInput
from toadstone.detectors.calibrated import Calibrated
from toadstone.kernels.rows import value_order
from toadstone.kernels.statistics.thresholds import smallest_detectable_share, tail_threshold
from toadstone.sanitizers.scored import ClassScorer


class Largeness(Calibrated, ClassScorer, BaseEstimator):
    """Suspects large first columns."""

    _measure: ClassVar[str] = "first column"

    def __init__(self, *, false_alarm_rate=0.02):
        self.false_alarm_rate = false_alarm_rate

    def _learn(self, X, codes):
        self.seen_ = X

    def _suspicion(self, X, code):
        return np.asarray(X[:, [0]].todense() if isinstance(X, csr_array) else X[:, [0]]).ravel()


@pytest.fixture
def planted():
    """Two classes of exponential scores; ten of the second class's 500 rows lie far out."""
    rng = np.random.default_rng(0)
    X, y = rng.exponential(size=(1000, 2)), np.repeat(["ham", "spam"], 500)
    X[500:510, 0] = 40 + rng.random(10)
    return X, y


def test_flags_the_planted_rows_of_their_class(planted):
    X, y = planted
    detector = Largeness().fit(X, y)
    assert set(range(500, 510)) <= set(detector.flagged_indices_)
    assert len(detector.flagged_indices_) <= 10 + 0.02 * 1000
    for code, label in enumerate(detector.classes_):
        expected = tail_threshold(X[y == label, 0], 0.02)
        assert detector.thresholds_[code] == pytest.approx(expected, rel=1e-6)
    assert detector.false_alarm_rate_ == 0.02
    assert detector.smallest_detectable_share_ == smallest_detectable_share(1000, 0.02)


def test_removed_and_kept_partition_the_rows(planted):
    X, y = planted
    detector = Largeness()
    rows, labels = detector.fit_resample(X, y)
    np.testing.assert_array_equal(detector.removed_indices_, detector.flagged_indices_)
    both = np.concatenate([detector.sample_indices_, detector.removed_indices_])
    np.testing.assert_array_equal(np.sort(both), np.arange(1000))
    np.testing.assert_array_equal(rows, X[detector.sample_indices_])
    np.testing.assert_array_equal(labels, y[detector.sample_indices_])
    assert detector.reasons_[-1].startswith("first column is ")
    assert "for class spam" in detector.reasons_[-1]
    assert len(detector.reasons_) == len(detector.removed_indices_)


def test_one_sign(planted):
    X, y = planted
    detector = Largeness().fit(X, y)
    np.testing.assert_array_equal(detector.score_samples(X, y), -detector.suspicion_)
    np.testing.assert_array_equal(np.flatnonzero(detector.predict(X, y) == -1), detector.flagged_indices_)
    alone = Largeness().fit(X)
    np.testing.assert_allclose(alone.decision_function(X), alone.score_samples(X) - alone.offset_)


def test_trusted_rows_set_the_threshold_and_stay(planted):
    X, y = planted
    trusted = np.r_[0:100, 400:600]
    detector = Largeness().fit(X, y, trusted=trusted)
    # Of 201 exchangeable rows four may lie beyond: the fourth largest of 200 trusted ones.
    assert detector.thresholds_[0] == pytest.approx(np.sort(X[np.r_[0:100, 400:500], 0])[-4])
    assert not set(detector.flagged_indices_) & set(trusted)
    mask = np.isin(np.arange(1000), trusted)
    np.testing.assert_array_equal(Largeness().fit(X, y, trusted=mask).flagged_indices_, detector.flagged_indices_)


def test_too_few_trusted_rows_of_a_class_leave_it_to_its_own_scores(planted):
    X, y = planted
    alone, detector = Largeness().fit(X, y), Largeness().fit(X, y, trusted=np.r_[0:100, 510:530])
    assert detector.calibrated_classes_.tolist() == [True, False]
    assert detector.thresholds_[0] == pytest.approx(np.sort(X[:100, 0])[-2])
    assert detector.thresholds_[1] == alone.thresholds_[1]
    assert not alone.calibrated_classes_.any()
    assert detector.false_alarm_rate_ == 0.02


def test_calibrated_again_as_if_fitted_so(planted):
    X, y = planted
    trusted, learned = np.r_[0:100, 400:600], []

    class Learning(Largeness):
        def _learn(self, X, codes):
            learned.append(len(codes))

    fitted, later = Largeness().fit(X, y, trusted=trusted), Learning().fit(X, y)
    before = later.flagged_indices_
    assert later.calibrate(np.isin(np.arange(1000), trusted)) is later
    assert learned == [1000]
    np.testing.assert_array_equal(later.flagged_indices_, fitted.flagged_indices_)
    np.testing.assert_array_equal(later.thresholds_, fitted.thresholds_)
    assert later.reasons_ == fitted.reasons_
    np.testing.assert_array_equal(later.calibrate(None).flagged_indices_, before)


def test_a_detector_that_needs_trusted_rows_does_not_go_without(planted):
    class Needy(Largeness):
        needs_trusted = True

    message = "`trusted`: expected positions of rows known to be clean, got none"
    with pytest.raises(InvalidInput, match=message):
        Needy().fit(*planted)
    with pytest.raises(InvalidInput, match=message):
        Needy().fit(*planted, trusted=np.arange(100)).calibrate(np.zeros(1000, dtype=bool))


@pytest.mark.parametrize(
    ("trusted", "message"),
    [
        (np.array([5, 1000]), r"`trusted`: expected positions of rows from 0 to 999, got \[5, 1000\]"),
        (np.array([-1]), "`trusted`: expected positions"),
        (np.array([0.5]), "`trusted`: expected positions"),
        (np.ones(3, dtype=bool), r"`trusted`: expected a mask of 1000 rows, got shape \(3,\)"),
    ],
)
def test_trusted_rows_must_exist(planted, trusted, message):
    with pytest.raises(InvalidInput, match=message):
        Largeness().fit(*planted, trusted=trusted)
    with pytest.raises(InvalidInput, match=message):
        Largeness().fit(*planted).calibrate(trusted)


@pytest.mark.parametrize("false_alarm_rate", [0, 0.2, "much"])
def test_a_false_alarm_rate_out_of_range(planted, false_alarm_rate):
    with pytest.raises(ValueError, match="false_alarm_rate"):
        Largeness(false_alarm_rate=false_alarm_rate).fit(*planted)


def test_the_rate_is_that_of_the_untrusted_rows_of_classes_with_a_threshold(planted):
    X, y = planted[0], np.repeat(["flat", "ham", "spam"], [200, 300, 500])
    X[:200] = 1.0
    detector = Largeness().fit(X, y, trusted=np.r_[0:10, 200:290])
    assert np.isfinite(detector.thresholds_).tolist() == [False, True, True]
    assert detector.false_alarm_rate_ == pytest.approx(0.02 * 710 / 900)
    assert detector.smallest_detectable_share_ == smallest_detectable_share(900, 0.02)


def test_each_reason_has_the_threshold_of_its_class(planted):
    X, y = planted
    X[:3, 0] = 70.0
    detector = Largeness().fit(X, y)
    assert {"ham", "spam"} == set(y[detector.flagged_indices_])
    for row, reason in zip(detector.flagged_indices_, detector.reasons_, strict=True):
        threshold = detector.thresholds_[detector.classes_.tolist().index(y[row])]
        expected = f"first column is {X[row, 0]:.6g}, against a threshold of {threshold:.6g} for class {y[row]}"
        assert reason == expected


@pytest.mark.parametrize("X", [np.ones((40, 2)), np.zeros((2, 2))])
def test_constant_rows_are_never_flagged(X):
    detector = Largeness().fit(X, np.arange(len(X)) % 2)
    assert detector.flagged_indices_.size == 0
    assert detector.false_alarm_rate_ == 0


def test_learns_in_an_order_of_values():
    rng = np.random.default_rng(0)
    X, codes = rng.integers(-2, 2, (60, 3)).astype(float), rng.integers(0, 2, 60)
    order = rng.permutation(60)
    for rows, shuffled in [(X, X[order]), (csr_array(X), csr_array(X[order]))]:
        one, other = value_order(rows, codes), value_order(shuffled, codes[order])
        np.testing.assert_array_equal(codes[one], codes[order][other])
        np.testing.assert_array_equal(X[one], X[order][other])
