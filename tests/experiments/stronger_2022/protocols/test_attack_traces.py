"""Traces of attacks over processor time."""

import pytest

from toadstone.attacks.decoys.decoys import DecoyGrid
from toadstone.experiments.conditions import Conditions
from toadstone.experiments.stronger_2022.protocols.attack_traces import Trace, TraceProtocol, trace_attacks

SPEED = TraceProtocol(ridge=0.01, fraction=0.05, influence_steps=(10,), grid=DecoyGrid((0.2,), (2, 12)))


@pytest.fixture(scope="module")
def traces(cells):
    return trace_attacks(cells, SPEED, Conditions())


def test_traces_run_forward(traces):
    assert set(traces) == {"influence", "kkt", "min-max"}
    assert [len(trace.errors) for trace in traces.values()] == [1, 2, 2]
    for trace in traces.values():
        assert trace.seconds[0] > 0
        assert list(trace.seconds) == sorted(trace.seconds)
        assert list(trace.best()) == sorted(trace.best())
        assert all(0 <= error <= 1 for error in trace.errors)


def test_a_goal_is_reached_at_the_first_step_that_leaves_as_much():
    trace = Trace((1.0, 2.0, 3.0, 4.0), (0.1, 0.2, 0.15, 0.3))
    assert trace.best() == (0.1, 0.2, 0.2, 0.3)
    assert [trace.reaches(goal) for goal in (0.05, 0.2, 0.25, 0.31)] == [1.0, 2.0, 4.0, None]
