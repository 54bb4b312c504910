"""Enron: three attacks, and our strongest, against five defences."""

from __future__ import annotations

from toadstone.datasets import load, sha256
from toadstone.datasets.split import Split
from toadstone.experiments.conditions import Conditions, Measured
from toadstone.experiments.stronger_2022.protocols.attack_errors import (
    TITLES,
    AttackProtocol,
    attack_all,
    defence_panel,
    defence_rows,
    least_rows,
)
from toadstone.records.attack import AttackRecord
from toadstone.records.reproduction import Comparison, Published

PROTOCOL = AttackProtocol(methods=("influence", "kkt", "minmax", "best"))

CLEAN = Published(0.030, "text", 0.0005)
LEAST = {
    "influence": Published(0.183, "text", 0.0005),
    "kkt": Published(0.226, "text", 0.0005),
    "minmax": Published(0.237, "text", 0.0005),
    "best": Published(0.24, "text", 0.005),
}

REASONS = {
    "influence": "Five class balances are tried where the paper's program has one, from the best of six starts, and "
    "the points are rounded to rows inside the filters.",
    "kkt": "Decoys between the best of the paper's grid are tried too, the balance of the classes is refined around "
    "the one of least residual, and rounding keeps each row's loss at the decoy and its distances.",
    "minmax": "The same decoys, a limit of the loss there of 0.25 as in the paper's program and of 0.1 besides, "
    "systematic rounding.",
    "best": "The paper's is the strongest of its three attacks; ours goes on from the KKT attack and moves its rows "
    "along their influence on what every defence trains.",
}
_BIAS = "A test row or two: the bias is penalized as in the paper's own program, the solver goes to a gap of 1e-6."


def run(conditions: Conditions) -> Measured:
    """On the real data, with the paper's settings."""
    return measure(load("enron"), PROTOCOL, conditions)


def measure(split: Split, protocol: AttackProtocol, conditions: Conditions) -> Measured:
    """Make the strongest attack of each method, and judge it."""
    records = attack_all(split, protocol, conditions)
    some = next(iter(records.values()))
    return Measured(
        setting=protocol.in_words(split, some.ridge),
        comparisons=(
            Comparison("clean test error", "share", "equal", CLEAN, some.clean_test_error, reason=_BIAS),
            *least_rows(records, LEAST, REASONS),
            *_split_rows(records),
            *defence_rows(records, {}, ""),
        ),
        panels=(defence_panel(f"Test error under attack, {split.name}", records, LEAST),),
        data={split.name: sha256(split.train)},
        notes=(
            "Attacks are selected on the test rows on which they are reported, as in the paper. The strongest follows "
            "their errors step by step: what it is worth on rows that it has not seen is the figure selected on one "
            "half of the test rows and counted on the other.",
        ),
    )


def _split_rows(records: dict[str, AttackRecord]) -> list[Comparison]:
    """What is left of an attack on rows it was not selected on."""
    return [
        Comparison(
            f"{TITLES.get(name, name)}: selected on half of the test rows, on the other half",
            "share",
            "higher",
            None,
            record.split_test.reported,
        )
        for name, record in records.items()
        if record.split_test is not None
    ]
