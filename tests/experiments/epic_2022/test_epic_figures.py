"""Experiments on networks at the scale of two cores, on the real images: floors and ceilings of what they reach."""

from __future__ import annotations

from dataclasses import replace

import pytest

from toadstone.experiments.catalogue import find
from toadstone.experiments.conditions import Conditions
from toadstone.experiments.epic_2022.transfer import CONTRAST, PLANS, run_plan
from toadstone.experiments.epic_2022.transfer_parts import BULLSEYE, COLLISION

pytestmark = [pytest.mark.deep, pytest.mark.slow, pytest.mark.data]


@pytest.fixture
def measured(data_dir, tmp_path):
    """Figures by row, of an experiment run as its command runs it."""

    def run(name):
        rows = find(name).load()(Conditions(work=tmp_path / "work")).comparisons
        return {row.what: row.ours for row in rows}

    return run


SHORT = replace(
    PLANS["cpu"],
    contrast_targets=4,
    attacks=(BULLSEYE, COLLISION),
    defences=("none", "EPIC-0.2", "random drop as EPIC-0.2", "deep k-NN 251", "feature vote"),
)
"""Bullseye polytope and feature collision, 20 targets on the published body and 4 on one of 70 % accuracy."""


def test_transfer_on_the_published_body_and_on_one_of_low_accuracy(data_dir, tmp_path):
    # One test: each process that runs one of several would run the experiment.
    measured = run_plan("epic-transfer", SHORT, Conditions(work=tmp_path / "work"))
    found = {row.what: row for row in measured.comparisons}
    check_epic(found)
    check_votes(found)
    check_random_drop(found)
    check_contrast(found)


def reached(found, attack, defence):
    """Number of targets that got the intended label, of 20."""
    return round(20 * found[f"{attack}, {defence}: success"].ours)


def check_epic(transferred):
    """EPIC stops bullseye polytope, and not feature collision."""
    # 20 and 18 of 20 undefended, 1 and 14 behind EPIC; by other last digits on another processor, two more or less.
    assert reached(transferred, BULLSEYE, "none") >= 18
    assert reached(transferred, COLLISION, "none") >= 16
    assert reached(transferred, BULLSEYE, "EPIC-0.2") <= 3
    assert reached(transferred, COLLISION, "EPIC-0.2") >= 10
    assert transferred["no attack, none: accuracy"].ours == pytest.approx(0.9183, abs=0.003)


def check_votes(transferred):
    """The votes stop both, and keep the clean rows and the accuracy."""
    for attack in (BULLSEYE, COLLISION):
        for defence, most in (("deep k-NN 251", 0.01), ("feature vote", 0.001)):
            assert reached(transferred, attack, defence) <= 1
            assert transferred[f"{attack}, {defence}: clean rows dropped"].ours <= most
            accuracy = transferred[f"{attack}, {defence}: accuracy"].ours
            assert accuracy >= transferred["no attack, none: accuracy"].ours - 0.003


def check_random_drop(transferred):
    """A random drop of as many rows stops less than EPIC, at no less accuracy."""
    control = "random drop as EPIC-0.2"
    assert reached(transferred, BULLSEYE, control) >= reached(transferred, BULLSEYE, "EPIC-0.2") + 5
    assert transferred[f"no attack, {control}: accuracy"].ours >= transferred["no attack, EPIC-0.2: accuracy"].ours


def check_contrast(transferred):
    """On a body of low accuracy EPIC costs points, and targets are fewer."""
    bare, epic, vote = (
        transferred[f"no attack{CONTRAST}, {defence}: accuracy"].ours
        for defence in ("none", "EPIC-0.2", "feature vote")
    )
    assert 0.66 <= bare <= 0.74
    assert epic <= bare - 0.01
    assert vote >= bare - 0.02
    assert transferred[f"{COLLISION}{CONTRAST}, none: success"].ours >= 0.25
    assert transferred[f"{COLLISION}{CONTRAST}, feature vote: success"].ours <= 0.25


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
