"""Enron: the stages of a run, and the figures on the real data."""

import pytest

from toadstone.experiments.certified_2017 import enron as p17_enron
from toadstone.experiments.conditions import Conditions


def test_steps_are_told(miniature, cells):
    stages, steps = [], []
    conditions = Conditions(on_stage=stages.append, on_step=lambda: steps.append(1))
    p17_enron.measure(cells, miniature, conditions)
    assert stages == ["certifying breast-cancer", "training on poisoned breast-cancer"]
    assert len(steps) == 2 * len(miniature.fractions)


@pytest.mark.data
@pytest.mark.slow
def test_enron(figures, data_dir):
    measured = p17_enron.run(Conditions())
    assert all(row.standing == "reached" for row in measured.comparisons if row.paper is not None)
    found = figures(measured)
    assert found["certified bound at 3\N{NO-BREAK SPACE}%"] == pytest.approx(0.32864, abs=5e-5)
    assert found["clean training loss under attack at 3\N{NO-BREAK SPACE}%"] >= 0.29
    assert found["test error at 3\N{NO-BREAK SPACE}%"] >= 0.05
