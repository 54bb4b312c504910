"""Enron: the min-max attack with and without decoys."""

from __future__ import annotations

from toadstone.attacks.decoys.minmax import MinMaxAttack
from toadstone.datasets import load, sha256
from toadstone.datasets.split import Split
from toadstone.experiments.conditions import Conditions, Measured
from toadstone.experiments.stronger_2022.protocols.attack_errors import BEST_DEFENCE, TITLES, defence_panel
from toadstone.experiments.stronger_2022.protocols.chosen_attacks import (
    AttackComparison,
    ChosenAttackSettings,
    prepare_comparison,
    rows_by_defence,
)
from toadstone.pipeline.attack_search.search import Candidate
from toadstone.records.reproduction import Published

SETTINGS = ChosenAttackSettings(ridge=0.09)

_WITH, _WITHOUT = TITLES["min-max"], TITLES["min-max-basic"]
PAPER = {
    (_WITH, BEST_DEFENCE): Published(0.237, "text", 0.0005),
    (_WITHOUT, "loss"): Published(0.100, "text", 0.0005),
}

_REASON = (
    "Rounding is systematic, and the rows of the burn-in are dropped as in the paper's program. The decoy is the best "
    "one of a search over the paper's grid."
)


def run(conditions: Conditions) -> Measured:
    """Run the experiment on the real data with the paper's settings."""
    return measure(load("enron"), SETTINGS, conditions)


def measure(split: Split, settings: ChosenAttackSettings, conditions: Conditions) -> Measured:
    """Make both attacks, and evaluate them against all defences and against none."""
    comparison = prepare_comparison(split, settings, conditions)
    cells = {
        _WITH: comparison.evaluate_strongest("min-max", comparison.minmax),
        _WITHOUT: comparison.evaluate_strongest("min-max-basic", lambda: _basic(comparison)),
    }
    return Measured(
        setting=comparison.in_words(),
        comparisons=(
            *rows_by_defence(_WITH, cells[_WITH], PAPER, _REASON),
            *rows_by_defence(_WITHOUT, cells[_WITHOUT], PAPER, _REASON, aim="equal"),
        ),
        panels=(defence_panel(f"Test error under attack, {split.name}", cells, PAPER),),
        data={split.name: sha256(split.train)},
        notes=(
            "Both attacks use the linear-programming relaxation and two copies of each row, as in the paper's figure.",
        ),
    )


def _basic(comparison: AttackComparison) -> list[Candidate]:
    known = comparison.known
    attack = MinMaxAttack(
        feasible_set=known.feasible_set, ridge=known.ridge, burn_in=known.burn_in, integer=known.integer
    )
    return [Candidate("without a decoy", attack)]
