"""Cells are means over seeds of what could be run."""

from __future__ import annotations

import pytest

from toadstone.pipeline.evaluation.cells import cells_of
from toadstone.records.trials import Trial


def trial(attack, defence, seed, wrong, *, thresholds="", flagged=None, alarms=None, poison=0, **others):
    return Trial(
        attack,
        defence,
        thresholds,
        seed,
        poison_rows=poison,
        clean_rows=100,
        flagged_poison=flagged,
        flagged_clean=alarms,
        test_rows=100,
        wrong_rows=wrong,
        **others,
    )


def cells(*trials):
    return {(cell.attack, cell.defence, cell.thresholds): cell for cell in cells_of(trials)}


CLEAN = [trial("none", "none", 0, 4), trial("none", "none", 1, 8)]


def test_accuracy_cost_is_paired_by_seed():
    found = cells(*CLEAN, trial("none", "spectral", 0, 5, thresholds="own", flagged=0, alarms=2),
                  trial("none", "spectral", 1, 9, thresholds="own", flagged=0, alarms=4))  # fmt: skip
    cell = found["none", "spectral", "own"]
    assert cell.accuracy_cost.mean == pytest.approx(0.01)
    # Unpaired, the seeds' own spread would make the interval wide.
    assert cell.accuracy_cost.high == pytest.approx(0.01)
    assert (cell.caught, cell.verdict) == (None, "")
    assert (cell.false_alarms.mean, cell.retained.mean) == (pytest.approx(0.03), pytest.approx(0.97))


def test_harm_is_measured_against_the_undefended_clean_model():
    found = cells(*CLEAN, trial("flip", "none", 0, 14, poison=10), trial("flip", "none", 1, 18, poison=10))
    cell = found["flip", "none", ""]
    assert cell.error_rise.mean == pytest.approx(0.1)
    assert cell.accuracy_cost is None
    assert cell.caught is cell.false_alarms is cell.auroc is None


@pytest.mark.parametrize(("flagged", "verdict"), [(5, "caught"), (4, "partly"), (1, "partly"), (0, "missed")])
def test_verdicts(flagged, verdict):
    found = cells(*CLEAN, trial("flip", "sever", 0, 4, thresholds="own", flagged=flagged, alarms=0, poison=10))
    assert found["flip", "sever", "own"].verdict == verdict


def test_a_goal_is_averaged_over_the_seeds_that_could_show_it():
    found = cells(
        *CLEAN,
        trial("patch", "none", 0, 4, poison=10, goal_rows=40, goal_reached=30, goal_clean=0.1),
        trial("patch", "none", 1, 4, poison=10, goal_rows=0, goal_reached=0, goal_clean=0.2),
    )
    cell = found["patch", "none", ""]
    assert (cell.success.mean, cell.success.n, cell.clean_success.mean) == (0.75, 1, pytest.approx(0.15))


def test_skipped_trials_are_shown_and_not_counted():
    skip = Trial("flip", "sever", "own", 1, skipped="too few rows")
    found = cells(*CLEAN, trial("flip", "sever", 0, 4, thresholds="own", flagged=9, alarms=0, poison=10), skip)
    cell = found["flip", "sever", "own"]
    assert (cell.caught.mean, cell.caught.n, cell.skipped) == (0.9, 1, "seed 1: too few rows")
    never = cells(*CLEAN, skip)["flip", "sever", "own"]
    assert (never.skipped, never.test_error, never.verdict) == ("too few rows", None, "")
