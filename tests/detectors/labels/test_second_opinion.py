"""Abstention: a model that does not fit judges no label, with trusted rows or for another estimator it does."""

import numpy as np
import pytest
from clean_generators import CLEAN
from sklearn.ensemble import RandomForestClassifier

from toadstone.catalogue import resolve
from toadstone.detectors.labels import second_opinion as room
from toadstone.detectors.labels.cross_validation import CrossValidationCleaning
from toadstone.detectors.labels.second_opinion import MISFIT, held_out, sampled, second_opinion

JUDGES = ("trimmed-loss", "cross-validation", "ensemble", "label-errors", "influence")


@pytest.mark.parametrize("name", JUDGES)
def test_on_xor_a_linear_model_abstains_and_flags_nothing(name):
    X, y = CLEAN["xor"](500, 0)
    detector = resolve("detector", name)()
    kept, _ = detector.fit_resample(X, y)
    assert detector.abstains_ == MISFIT
    assert len(kept) == 500
    assert detector.flagged_indices_.size == detector.false_alarm_rate_ == len(detector.reasons_) == 0
    assert np.isinf(detector.thresholds_).all()
    assert len(detector.suspicion_) == 500


@pytest.mark.parametrize("name", JUDGES)
def test_where_it_fits_it_judges(name):
    X, y = CLEAN["gaussian-3"](500, 0)
    wrong = np.random.default_rng(0).random(500) < 0.08
    detector = resolve("detector", name)().fit(X, np.where(wrong, 1 - y, y))
    assert detector.abstains_ == ""
    assert wrong[detector.flagged_indices_].mean() > 0.8


def test_trusted_rows_set_thresholds_whatever_fits():
    X, y = CLEAN["xor"](1000, 0)
    detector = CrossValidationCleaning().fit(X, y, trusted=np.arange(300))
    assert detector.abstains_ == ""
    assert 0 < len(detector.flagged_indices_) <= 0.04 * 700
    assert detector.calibrate(None).abstains_ == MISFIT
    assert detector.flagged_indices_.size == 0


def test_a_classifier_that_fits_does_not_abstain():
    X, y = CLEAN["xor"](500, 0)
    wrong = np.random.default_rng(0).random(500) < 0.1
    forest = RandomForestClassifier(50, min_samples_leaf=3, random_state=0)
    detector = CrossValidationCleaning(estimator=forest).fit(X, np.where(wrong, 1 - y, y))
    assert detector.abstains_ == ""
    assert wrong[detector.flagged_indices_].mean() > 0.9


def test_of_many_rows_a_sample_is_compared_and_of_many_classes_none(monkeypatch):
    monkeypatch.setattr(room, "_MOST_ROWS", 200)
    X, codes = CLEAN["xor"](600, 0)
    rows = sampled(codes)
    assert len(set(rows)) == 200
    assert (np.diff(rows) > 0).all()
    table = held_out(None, X, codes, rows, 2)
    assert second_opinion(X, codes, table, rows).misfit == MISFIT
    monkeypatch.setattr(room, "_MOST_CLASSES", 1)
    assert second_opinion(X, codes, table, rows).misfit == ""
