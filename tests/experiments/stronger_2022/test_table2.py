"""Table 2: errors beside times."""

import dataclasses

import pytest

from toadstone.attacks.decoys.decoys import DecoyGrid
from toadstone.datasets import sha256
from toadstone.experiments.conditions import Conditions
from toadstone.experiments.stronger_2022 import (
    table2,
)
from toadstone.experiments.stronger_2022.protocols.attack_errors import (
    AttackProtocol,
)
from toadstone.experiments.stronger_2022.protocols.attack_traces import Trace, TraceProtocol

QUICK = AttackProtocol(methods=("label-flip", "alfa"), fraction=0.05, ridge=0.01)


SPEED = TraceProtocol(ridge=0.01, fraction=0.05, influence_steps=(10,), grid=DecoyGrid((0.2,), (2, 12)))


@pytest.fixture
def known_traces(monkeypatch):
    """Traces of known progress, in place of measured ones."""
    last = {"influence": 0.1, "kkt": 0.18, "min-max": 0.2}
    known = {name: Trace((1.5, 2.0), (0.1, error)) for name, error in last.items()}
    monkeypatch.setattr(table2, "trace_attacks", lambda *_: known)


def test_the_table_of_attacks_has_errors_and_times(cells, known_traces):
    protocol = dataclasses.replace(QUICK, methods=("label-flip",))
    measured = table2.measure(cells, protocol, SPEED, Conditions())
    assert [row.unit for row in measured.comparisons] == ["share"] + ["seconds"] * 3
    assert measured.data == {"breast-cancer": sha256(cells.train)}
