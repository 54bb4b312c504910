"""The cells of a federated matrix: means over seeds, losses seed by seed, pooled successes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from federated_records import made_federation

from toadstone.pipeline.federation.cells import federated_cells
from toadstone.pipeline.layers.wilson import Rate
from toadstone.records.federated import FederatedTrial


def trial(attack, rule, seed, final, **others):
    return FederatedTrial(2, attack, rule, seed, accuracy=(0.1, final), worst=final, area=final / 2, **others)


def cell_of(trials, attack, rule):
    return next(cell for cell in federated_cells(trials) if (cell.attack, cell.rule) == (attack, rule))


TRIALS = (
    trial("none", "mean", 0, 0.90),
    trial("none", "mean", 1, 0.80),
    trial("none", "krum", 0, 0.85),
    trial("none", "krum", 1, 0.75),
    trial("ipm", "krum", 0, 0.70, malicious_filtered=1.0, honest_filtered=0.5, kappa=2.0, unchanged_rounds=3),
    trial("ipm", "krum", 1, 0.60, malicious_filtered=0.5, honest_filtered=0.3, kappa=9.0),
)


def test_losses_are_paired_by_seed():
    found = cell_of(TRIALS, "ipm", "krum")
    assert found.accuracy.mean == pytest.approx(0.65)
    assert found.lost.mean == pytest.approx(0.2)
    assert found.lost_to_attack.mean == pytest.approx(0.15)
    # The seeds differ by a tenth, the losses do not: their interval has no width.
    assert found.lost.high - found.lost.low == pytest.approx(0, abs=1e-12)
    assert found.accuracy.high - found.accuracy.low > 0.5
    assert cell_of(TRIALS, "none", "mean").lost.mean == 0.0


def test_shares_are_means_and_kappa_is_the_largest():
    found = cell_of(TRIALS, "ipm", "krum")
    assert (found.malicious_filtered, found.honest_filtered) == (0.75, pytest.approx(0.4))
    assert (found.kappa, found.unchanged_rounds) == (9.0, 1.5)
    assert found.curve == (pytest.approx(0.1), pytest.approx(0.65))
    assert cell_of(TRIALS, "none", "krum").malicious_filtered is None


def test_successes_of_a_trigger_are_pooled():
    trials = (
        trial("sleeper", "mean", 0, 0.9, success_hits=30, success_rows=100),
        trial("sleeper", "mean", 1, 0.9, success_hits=0, success_rows=20),
    )
    found, rate = cell_of(trials, "sleeper", "mean").success, Rate.of(30, 120)
    assert (found.count, found.total, found.low, found.high) == (30, 120, rate.low, rate.high)
    assert found.share == 0.25
    assert cell_of(TRIALS, "ipm", "krum").success is None
    nothing = trial("sleeper", "mean", 0, 0.9, success_hits=0, success_rows=0)
    assert cell_of((nothing,), "sleeper", "mean").success is None


def test_a_skipped_seed_is_named_and_a_skipped_cell_is_empty():
    torn = (*TRIALS[:5], FederatedTrial(2, "ipm", "krum", 1, skipped="no time"))
    found = cell_of(torn, "ipm", "krum")
    assert (found.skipped, found.accuracy.n, found.lost.mean) == ("seed 1: no time", 1, pytest.approx(0.2))
    empty = cell_of((FederatedTrial(2, "ipm", "krum", 0, skipped="few"),), "ipm", "krum")
    assert (empty.skipped, empty.accuracy, empty.curve) == ("few", None, ())


def test_without_the_mean_there_is_no_loss():
    found = cell_of(TRIALS[4:], "ipm", "krum")
    assert (found.lost, found.lost_to_attack) == (None, None)
    assert found.accuracy is not None


def test_what_is_not_above_the_largest_class_by_a_point_is_not_learned():
    record = made_federation()
    assert record.learned(4)
    assert record.above_majority(0.1)
    base = record.unattacked(4).accuracy.mean
    for majority, learned in ((base - 0.011, True), (base - 0.009, False), (base + 0.1, False)):
        assert replace(record, majority=majority).learned(4) is learned
    half = replace(record, majority=0.5)
    assert [half.above_majority(share) for share in (0.5, 0.5 + 1e-12, 0.51)] == [False, False, True]
