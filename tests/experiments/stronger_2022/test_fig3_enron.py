"""Figure 3, Enron: errors are those of the attacks."""

import dataclasses

import pytest

from toadstone.datasets import load
from toadstone.experiments.conditions import Conditions
from toadstone.experiments.stronger_2022 import (
    fig3_enron,
)
from toadstone.experiments.stronger_2022.protocols.attack_errors import (
    BEST_DEFENCE,
    DEFENCES,
    AttackProtocol,
)
from toadstone.pipeline.attack import AttackPlan, attack

QUICK = AttackProtocol(methods=("label-flip", "alfa"), fraction=0.05, ridge=0.01)


@pytest.fixture(scope="module")
def figure3(cells):
    """The figure's code on small data and quick attacks."""
    return fig3_enron.measure(cells, QUICK, Conditions())


def test_errors_are_those_of_the_attack_itself(figures, cells, figure3):
    plan = AttackPlan(method="alfa", fraction=0.05, select_on="test", ridge=0.01)
    record = attack(cells, plan).record
    found = figures(figure3)
    assert found["clean test error"] == record.clean_test_error
    assert found[f"ALFA: test error behind {BEST_DEFENCE}"] == record.worst_case
    for sanitizer, title in DEFENCES.items():
        assert found[f"ALFA: test error behind {title}"] == record.test_error[sanitizer]


def test_errors_change_with_the_data(figures, cells, figure3):
    fewer = dataclasses.replace(cells, train=cells.train.take(list(range(0, len(cells.train), 3))))
    assert figures(fig3_enron.measure(fewer, QUICK, Conditions())) != figures(figure3)


def test_bars_are_the_rows(figures, figure3):
    (panel,) = figure3.panels
    found = figures(figure3)
    for one in panel.series:
        assert one.source == "ours"
        for place, value in zip(one.x, one.y, strict=True):
            assert found[f"{one.label}: test error behind {place}"] == value


def test_intervals_hold_their_errors(figure3):
    rows = [row for row in figure3.comparisons if row.interval is not None]
    assert len(rows) == 2 + 2 * 6
    for row in rows:
        assert row.interval.low <= row.ours <= row.interval.high


@pytest.mark.data
@pytest.mark.slow
def test_figure_3_by_the_quickest_of_its_attacks(data_dir):
    protocol = dataclasses.replace(fig3_enron.PROTOCOL, methods=("kkt",))
    rows = {row.what: row for row in fig3_enron.measure(load("enron"), protocol, Conditions()).comparisons}
    assert rows[f"KKT: test error behind {BEST_DEFENCE}"].ours >= 0.226
    assert rows["clean test error"].ours == pytest.approx(0.030, abs=0.0015)
