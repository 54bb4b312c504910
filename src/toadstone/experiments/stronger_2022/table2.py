"""Three attacks compared: what each leaves behind the best defence on Enron, and how long it takes."""

from __future__ import annotations

from toadstone.datasets import load, sha256
from toadstone.datasets.split import Split
from toadstone.experiments.conditions import Conditions, Measured
from toadstone.experiments.stronger_2022.fig3_enron import LEAST, REASONS
from toadstone.experiments.stronger_2022.fig4 import REACHED, reached_rows
from toadstone.experiments.stronger_2022.protocols.attack_errors import (
    DEFENCES,
    AttackProtocol,
    attack_all,
    defence_panel,
    least_rows,
)
from toadstone.experiments.stronger_2022.protocols.attack_traces import TraceProtocol, trace_attacks

ERRORS = AttackProtocol(methods=("influence", "kkt", "minmax"))
SPEED = TraceProtocol(ridge=0.09)


def run(conditions: Conditions) -> Measured:
    """On the real data, with the paper's settings."""
    return measure(load("enron"), ERRORS, SPEED, conditions)


def measure(split: Split, errors: AttackProtocol, speed: TraceProtocol, conditions: Conditions) -> Measured:
    """The strongest attack of each method, and the time to 17 % test error."""
    records = attack_all(split, errors, conditions)
    traces = trace_attacks(split, speed, conditions)
    some = next(iter(records.values()))
    return Measured(
        setting=errors.in_words(split, some.ridge)
        | {"Clock": f"processor time of one process, by the error behind the {DEFENCES[speed.defence]} defence"},
        comparisons=(*least_rows(records, LEAST, REASONS), *reached_rows(traces, REACHED)),
        panels=(defence_panel(f"Test error under attack, {split.name}", records, LEAST),),
        data={split.name: sha256(split.train)},
    )
