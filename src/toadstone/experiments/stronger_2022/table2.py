"""Enron: three attacks compared by test error behind the best defence and by running time."""

from __future__ import annotations

from toadstone.datasets import load, sha256
from toadstone.datasets.split import Split
from toadstone.experiments.conditions import Conditions, Measured
from toadstone.experiments.stronger_2022.fig3_enron import ERRORS, REASONS
from toadstone.experiments.stronger_2022.fig4 import TIMES, time_rows
from toadstone.experiments.stronger_2022.protocols.attack_errors import (
    DEFENCES,
    AttackProtocol,
    attack_all,
    best_defence_rows,
    record_panel,
)
from toadstone.experiments.stronger_2022.protocols.attack_traces import TraceProtocol, trace_attacks

ATTACKS = AttackProtocol(methods=("influence", "kkt", "min-max"))
SPEED = TraceProtocol(ridge=0.09)


def run(conditions: Conditions) -> Measured:
    """Run the experiment on the real data with the paper's settings."""
    return measure(load("enron"), ATTACKS, SPEED, conditions)


def measure(split: Split, attacks: AttackProtocol, speed: TraceProtocol, conditions: Conditions) -> Measured:
    """Make the strongest attack of each method, and measure the time to 17 % test error."""
    records = attack_all(split, attacks, conditions)
    traces = trace_attacks(split, speed, conditions)
    return Measured(
        setting=attacks.in_words(split, records)
        | {"Clock": f"processor time of one process, until an error behind the {DEFENCES[speed.defence]} defence"},
        comparisons=(*best_defence_rows(records, ERRORS, REASONS), *time_rows(traces, TIMES)),
        panels=(record_panel(f"Test error under attack, {split.name}", records, ERRORS),),
        data={split.name: sha256(split.train)},
    )
