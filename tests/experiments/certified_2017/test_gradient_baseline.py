"""The gradient baseline: figures come from the run, and on the real data."""

import pytest

from toadstone.experiments.certified_2017 import gradient_baseline
from toadstone.experiments.certified_2017.certified_curve import CurveProtocol
from toadstone.experiments.certified_2017.gradient_baseline import GradientProtocol
from toadstone.experiments.conditions import Conditions

MOST = "30\N{NO-BREAK SPACE}%"


def test_figures_come_from_the_run(cells, figures):
    curve = CurveProtocol(squared_radius=0.5, fractions=(0.3,))
    still, moved = (
        gradient_baseline.measure(cells, GradientProtocol(curve, (0.1,), step, 80), Conditions())
        for step in (1e-12, 0.05)
    )
    assert all(figures(moved)[what] != value for what, value in figures(still).items() if "loss" in what)
    again = gradient_baseline.measure(cells, GradientProtocol(curve, (0.1,), 0.05, 80), Conditions())
    assert figures(again) == figures(moved)
    other, both = (
        gradient_baseline.measure(cells, GradientProtocol(curve, ridges, 0.05, 80), Conditions())
        for ridges in ((0.3,), (0.1, 0.3))
    )
    clean = f"clean training loss under the gradient attack at {MOST}"
    assert figures(both) == max(figures(moved), figures(other), key=lambda found: found[clean])
    (row,) = [row for row in moved.comparisons if row.paper is not None]
    assert row.reason
    assert "80 steps of 0.05" in moved.setting["Attack"]


@pytest.mark.data
@pytest.mark.slow
def test_mnist(figures, data_dir):
    found = figures(gradient_baseline.run(Conditions()))
    # Flips that stay where they are have 0.0429.
    assert 0.048 <= found[f"test loss under the gradient attack at {MOST}"] <= 0.056
