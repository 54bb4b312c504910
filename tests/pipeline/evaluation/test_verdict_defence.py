"""The verdict as a defence of an evaluation: no rate, two sources of thresholds, and attackers who know it."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.pipeline.evaluation.defences import (
    DefenderData,
    choose_defences,
    defence_suite,
    filterings,
    kept_rows,
    make_filter,
    planned_thresholds,
)
from toadstone.pipeline.evaluation.detector_aware import DetectorWithTrusted
from toadstone.pipeline.harness.judge import Defence

RNG = np.random.default_rng(0)
Y = np.tile([0, 1], 60)
X = RNG.normal(size=(120, 2)) + 6.0 * Y[:, None]
WRONG = np.array([4, 7, 50])


@pytest.fixture
def received():
    y = Y.copy()
    y[WRONG] = 1 - y[WRONG]
    return DefenderData(X, y, np.arange(100, 120))


@pytest.fixture
def info():
    suite = defence_suite(0.05, trusted=False)
    assert [one.name for one in suite].count("verdict") == 1
    return next(one for one in choose_defences(suite, ["verdict"]) if one.name == "verdict")


def test_it_states_no_rate_and_has_both_kinds_of_thresholds(info):
    assert (info.kind, info.false_alarm_rate, info.needs_trusted) == ("detector", None, False)
    assert planned_thresholds(info, trusted=True) == ("own", "trusted")


def test_it_flags_what_the_verdict_lists_and_trusted_rows_never(info, received):
    own, trusted = filterings(info, received, Defence(), trusted=True)
    assert (own.thresholds, trusted.thresholds) == ("own", "trusted")
    for found in (own, trusted):
        assert set(found.flagged) == set(WRONG)
        assert found.suspicion.shape == (120,)
    lying = DefenderData(received.X, received.y, np.array([4]))
    assert 4 not in filterings(info, lying, Defence(), trusted=True)[1].flagged


def test_the_model_is_trained_on_the_others(info, received):
    kept = kept_rows(info, received, Defence(), trusted=False)
    assert np.array_equal(kept, np.setdiff1d(np.arange(120), WRONG))


def test_an_attacker_who_knows_it_sees_its_scores(info, received):
    detector = DetectorWithTrusted(make_filter(info, Defence(seed=3)), None, needed=False)
    suspicion = detector.fit(received.X, received.y).suspicion_
    assert suspicion[WRONG].min() > np.delete(suspicion, WRONG).max()
