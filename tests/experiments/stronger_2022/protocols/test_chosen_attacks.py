"""Attacks at chosen settings: evaluated against all defences, within the budget."""

import dataclasses

import numpy as np
from scipy.sparse import issparse

from toadstone.core.budget import Budget
from toadstone.experiments.conditions import Conditions
from toadstone.experiments.stronger_2022.protocols.attack_errors import (
    FIVE,
)
from toadstone.experiments.stronger_2022.protocols.chosen_attacks import (
    prepare_comparison,
)


def test_findings_are_judged_by_all_five_within_the_budget(comparison, three):
    for finding in three.values():
        assert sorted(cell.sanitizer for cell in finding.cells) == sorted(FIVE)
        assert len(finding.poison) == Budget(0.05).count(len(comparison.split.train))
        assert finding.cells == evaluated_again(comparison, finding)
        rows = finding.poison.X.toarray() if issparse(finding.poison.X) else finding.poison.X
        assert np.array_equal(rows, np.round(rows))


def evaluated_again(comparison, finding):
    again = comparison.evaluate(
        finding.poison, comparison.problem.quick + comparison.problem.slow, finding.candidate.name
    )
    return tuple(dataclasses.replace(b, seconds=a.seconds) for a, b in zip(finding.cells, again, strict=True))


def test_settings_reach_the_attacks(small, words, comparison):
    several = dataclasses.replace(small, kkt_shares=(None, 0.3), kkt_repeats=3, influence_shares=(None, 0.2))
    prepared = prepare_comparison(words, several, Conditions())
    assert [candidate.attack.positive_share for candidate in prepared.kkt()] == [None, 0.3]
    assert {candidate.attack.repeats for candidate in prepared.kkt()} == {3}
    assert [(one.name, one.attack.max_steps) for one in prepared.influence()] == [
        ("inverse class balance", 10),
        ("0.2 positive", 10),
    ]
    assert all(candidate.attack.integer for candidate in prepared.kkt() + prepared.minmax() + prepared.influence())
