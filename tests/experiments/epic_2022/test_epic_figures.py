"""Experiments on networks at the scale of two cores, on the real images: floors and ceilings of what they reach."""

from __future__ import annotations

import pytest

from toadstone.experiments.catalogue import find
from toadstone.experiments.conditions import Conditions

pytestmark = [pytest.mark.deep, pytest.mark.slow, pytest.mark.data]


@pytest.fixture
def measured(data_dir, tmp_path):
    """Figures by row, of an experiment run as its command runs it."""

    def run(name):
        rows = find(name).load()(Conditions(work=tmp_path / "work")).comparisons
        return {row.what: row.ours for row in rows}

    return run


def test_transfer_succeeds_undefended_and_fails_behind_the_vote_of_medoids(measured):
    found = measured("epic-transfer")
    clean = found["no attack, none: accuracy"]
    assert clean >= 0.6
    for attack in ("bullseye polytope", "feature collision"):
        assert found[f"{attack}, none: success"] >= 0.7
        # Two of twenty in the record; by other last digits on another processor, one more may be hit.
        assert found[f"{attack}, medoid vote: success"] <= 0.15
        assert found[f"{attack}, medoid vote: accuracy"] >= found[f"{attack}, none: accuracy"] - 0.02


def test_a_visible_backdoor_is_learned_and_activation_clustering_leaves_nothing_of_it(measured):
    found = measured("epic-backdoor")
    for rate in (1, 3):
        attack = f"{rate}\N{NO-BREAK SPACE}% with a square"
        assert found[f"{attack}, none: success"] >= 0.9
        assert found[f"{attack}, activation clustering: success"] <= 0.01
        assert found[f"{attack}, activation clustering: accuracy"] >= found[f"{attack}, none: accuracy"] - 0.005
    assert found["no attack, none: accuracy"] >= 0.94
    assert found["no attack, activation clustering: clean rows dropped"] <= 0.02


def test_published_poisons_are_among_those_dropped(measured):
    found = measured("epic-published")
    vote = "htbd in transfer, medoid vote"
    assert found[f"{vote}: poison dropped"] >= 10 * found[f"{vote}: clean rows dropped"] > 0
    assert found["htbd in transfer, none: accuracy"] >= 0.85


def test_scratch_runs_at_its_smallest_scale(measured):
    found = measured("epic-scratch")
    assert 0 <= found["gradient matching, EPIC-0.1: poison dropped"] <= 1
