"""Figure 4: times until an error is reached."""

import pytest

from toadstone.attacks.decoys.decoys import DecoyGrid
from toadstone.experiments.conditions import Conditions
from toadstone.experiments.stronger_2022 import fig4
from toadstone.experiments.stronger_2022.protocols.attack_traces import Trace, TraceProtocol

SPEED = TraceProtocol(ridge=0.01, fraction=0.05, influence_steps=(10,), grid=DecoyGrid((0.2,), (2, 12)))


@pytest.fixture
def known_traces(monkeypatch):
    """Traces of known progress, in place of measured ones."""
    last = {"influence": 0.1, "kkt": 0.18, "min-max": 0.2}
    known = {name: Trace((1.5, 2.0), (0.1, error)) for name, error in last.items()}
    monkeypatch.setattr(fig4, "trace_attacks", lambda *_: known)


def test_times_say_where_a_goal_is_never_reached(cells, known_traces):
    rows = {row.what: row for row in fig4.measure(cells, SPEED, Conditions()).comparisons}
    goal = "time to 17\N{NO-BREAK SPACE}% test error"
    assert rows[f"influence: {goal}"].ours is None
    assert rows[f"influence: {goal}"].note
    assert (rows[f"KKT: {goal}"].ours, rows[f"KKT: {goal}"].standing) == (2.0, "exceeded")
    assert rows["min-max: test error at its first decoy"].ours == 0.1
    assert rows["min-max: time for each further decoy"].ours == 0.5
