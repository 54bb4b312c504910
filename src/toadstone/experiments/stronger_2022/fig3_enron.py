"""Enron: three attacks of the paper and our strongest attack, against five defences."""

from __future__ import annotations

from toadstone.datasets import load, sha256
from toadstone.datasets.split import Split
from toadstone.experiments.conditions import Conditions, Measured
from toadstone.experiments.stronger_2022.protocols.attack_errors import (
    TITLES,
    AttackProtocol,
    attack_all,
    best_defence_rows,
    record_panel,
    record_rows,
)
from toadstone.records.attack import AttackRecord
from toadstone.records.reproduction import Comparison, Published

PROTOCOL = AttackProtocol(methods=("influence", "kkt", "min-max", "kkt-influence"))

CLEAN = Published(0.030, "text", 0.0005)
ERRORS = {
    "influence": Published(0.183, "text", 0.0005),
    "kkt": Published(0.226, "text", 0.0005),
    "min-max": Published(0.237, "text", 0.0005),
    "kkt-influence": Published(0.24, "text", 0.005),
}

REASONS = {
    "influence": "Five class balances are tried instead of one, from the best of six starts, and the points are "
    "rounded to rows inside the filters.",
    "kkt": "Decoys between the best ones of the paper's grid are tried too, the class balance is refined around the "
    "one of smallest residual, and rounding keeps each row's loss at the decoy and its distances.",
    "min-max": "The same decoys, limits of 0.25 (as in the paper's program) and 0.1 on the loss at the decoy, and "
    "systematic rounding.",
    "kkt-influence": "The paper's attack is the strongest of its three. Ours starts from the KKT attack and moves its "
    "rows along their influence on the models of all defences.",
}
_BIAS = "One or two test rows: the bias is penalized as in the paper's program, and the solver stops at a gap of 1e-6."


def run(conditions: Conditions) -> Measured:
    """Run the experiment on the real data with the paper's settings."""
    return measure(load("enron"), PROTOCOL, conditions)


def measure(split: Split, protocol: AttackProtocol, conditions: Conditions) -> Measured:
    """Make the strongest attack of each method, and evaluate it."""
    records = attack_all(split, protocol, conditions)
    clean = next(iter(records.values())).clean_test_error
    return Measured(
        setting=protocol.in_words(split, records),
        comparisons=(
            Comparison("clean test error", "share", "equal", CLEAN, clean, reason=_BIAS),
            *best_defence_rows(records, ERRORS, REASONS),
            *_split_rows(records),
            *record_rows(records),
        ),
        panels=(record_panel(f"Test error under attack, {split.name}", records, ERRORS),),
        data={split.name: sha256(split.train)},
        notes=(
            "Attacks are selected on the test rows on which they are reported, as in the paper. The strongest attack "
            "uses their errors at every step. Its effect on rows that it has not seen is the figure selected on one "
            "half of the test rows and measured on the other.",
        ),
    )


def _split_rows(records: dict[str, AttackRecord]) -> list[Comparison]:
    """Return the errors on the half of the test rows that the attacks were not selected on."""
    return [
        Comparison(
            f"{TITLES.get(name, name)}: selected on half of the test rows, measured on the other half",
            "share",
            "higher",
            None,
            record.split_test.reported,
        )
        for name, record in records.items()
        if record.split_test is not None
    ]
