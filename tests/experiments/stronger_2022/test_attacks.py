"""The experiments of the paper of 2022: on a miniature their structure, on the real data their figures."""

import dataclasses

import pytest

from toadstone.attacks.decoys.decoys import DecoyGrid
from toadstone.datasets import load, sha256
from toadstone.experiments.conditions import Conditions
from toadstone.experiments.stronger_2022 import fig3_enron, fig4, table1, table2
from toadstone.experiments.stronger_2022.protocols.attack_errors import (
    BEST_DEFENCE,
    DEFENCES,
    AttackProtocol,
    attack_all,
)
from toadstone.experiments.stronger_2022.protocols.attack_traces import Trace, TraceProtocol, trace_attacks
from toadstone.pipeline.attack import AttackPlan, attack

QUICK = AttackProtocol(methods=("label-flip", "alfa"), fraction=0.05, ridge=0.01)
SPEED = TraceProtocol(ridge=0.01, fraction=0.05, influence_steps=(10,), grid=DecoyGrid((0.2,), (2, 12)))


def figures(measured):
    return {row.what: row.ours for row in measured.comparisons if row.ours is not None}


@pytest.fixture(scope="module")
def figure3(cells):
    """The figure's code on small data and quick attacks."""
    return fig3_enron.measure(cells, QUICK, Conditions())


def test_errors_are_those_of_the_attack_itself(cells, figure3):
    plan = AttackPlan(method="alfa", fraction=0.05, select_on="test", ridge=0.01)
    record = attack(cells, plan).record
    found = figures(figure3)
    assert found["clean test error"] == record.clean_test_error
    assert found[f"ALFA: test error behind {BEST_DEFENCE}"] == record.worst_case
    for sanitizer, title in DEFENCES.items():
        assert found[f"ALFA: test error behind {title}"] == record.test_error[sanitizer]


def test_errors_change_with_the_data(cells, figure3):
    fewer = dataclasses.replace(cells, train=cells.train.take(list(range(0, len(cells.train), 3))))
    assert figures(fig3_enron.measure(fewer, QUICK, Conditions())) != figures(figure3)


def test_bars_are_the_rows(figure3):
    (panel,) = figure3.panels
    found = figures(figure3)
    for one in panel.series:
        assert one.source == "ours"
        for place, value in zip(one.x, one.y, strict=True):
            assert found[f"{one.label}: test error behind {place}"] == value


def test_intervals_hold_their_errors(figure3):
    for row in figure3.comparisons:
        if row.interval is not None:
            assert row.interval.low <= row.ours <= row.interval.high


def test_what_is_asked_of_the_attack_is_passed_on(cells):
    protocol = dataclasses.replace(QUICK, methods=("label-flip",), select_on="train")
    record = attack_all(cells, protocol, Conditions(seed=5))["label-flip"]
    assert (record.selected_on, record.header.seed, record.threat.fraction) == ("train", 5, 0.05)


@pytest.fixture(scope="module")
def traces(cells):
    return trace_attacks(cells, SPEED, Conditions())


def test_traces_run_forward(traces):
    assert set(traces) == {"influence", "kkt", "minmax"}
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


@pytest.fixture
def known_traces(monkeypatch):
    """Traces of known progress, in place of measured ones."""
    last = {"influence": 0.1, "kkt": 0.18, "minmax": 0.2}
    known = {name: Trace((1.5, 2.0), (0.1, error)) for name, error in last.items()}
    for module in (fig4, table2):
        monkeypatch.setattr(module, "trace_attacks", lambda *_: known)


def test_times_say_where_a_goal_is_never_reached(cells, known_traces):
    rows = {row.what: row for row in fig4.measure(cells, SPEED, Conditions()).comparisons}
    goal = "time to 17\N{NO-BREAK SPACE}% test error"
    assert rows[f"influence: {goal}"].ours is None
    assert rows[f"influence: {goal}"].note
    assert (rows[f"KKT: {goal}"].ours, rows[f"KKT: {goal}"].standing) == (2.0, "exceeded")
    assert rows["min-max: test error at its first decoy"].ours == 0.1
    assert rows["min-max: time for each further decoy"].ours == 0.5


def test_the_table_of_attacks_has_errors_and_times(cells, known_traces):
    protocol = dataclasses.replace(QUICK, methods=("label-flip",))
    measured = table2.measure(cells, protocol, SPEED, Conditions())
    assert [row.unit for row in measured.comparisons] == ["share"] + ["seconds"] * 3
    assert measured.data == {"breast-cancer": sha256(cells.train)}


def test_the_table_of_data_counts_them(cells, digits):
    found = figures(table1.measure((cells, digits), Conditions()))
    assert found["breast-cancer: training rows"] == len(cells.train)
    assert found["digits-1-7: features"] == 64
    assert found["breast-cancer: rows of the rarer class"] == min(
        (cells.train.y == label).sum() for label in cells.train.classes
    )
    assert 0 < found["breast-cancer: clean test error"] < 0.15


@pytest.mark.data
@pytest.mark.slow
def test_table_of_data(data_dir):
    rows = {row.what: row for row in table1.run(Conditions()).comparisons}
    assert rows["enron: clean test error"].standing in ("reached", "differs")
    assert rows["enron: clean test error"].ours == pytest.approx(0.030, abs=0.0015)
    assert rows["imdb: clean test error"].ours == pytest.approx(0.119, abs=0.003)


@pytest.mark.data
@pytest.mark.slow
def test_figure_3_by_the_quickest_of_its_attacks(data_dir):
    protocol = dataclasses.replace(fig3_enron.PROTOCOL, methods=("kkt",))
    rows = {row.what: row for row in fig3_enron.measure(load("enron"), protocol, Conditions()).comparisons}
    assert rows[f"KKT: test error behind {BEST_DEFENCE}"].ours >= 0.226
    assert rows["clean test error"].ours == pytest.approx(0.030, abs=0.0015)
