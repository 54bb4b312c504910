"""MNIST-1-7: flipped labels, and the figures on the real data."""

import pytest

from toadstone.experiments.certified_2017 import mnist_1_7 as p17_mnist_1_7
from toadstone.experiments.certified_2017.certified_curve import CurveProtocol
from toadstone.experiments.conditions import Conditions


def test_flips_that_no_filter_passes_are_said_to_be_none(digits):
    measured = p17_mnist_1_7.measure(digits, CurveProtocol(0.05, (0.0, 0.03)), Conditions())
    (row,) = [row for row in measured.comparisons if "flipped labels" in row.what]
    assert row.ours is None
    assert row.note == "No row passes the filters with the other label."


@pytest.mark.data
@pytest.mark.slow
def test_mnist(figures, data_dir):
    measured = p17_mnist_1_7.run(Conditions())
    standings = {row.what: row.standing for row in measured.comparisons if row.paper is not None}
    assert sorted(standings.values()) == ["exceeded", *["reached"] * 10]
    assert figures(measured)["test loss under attack at 30\N{NO-BREAK SPACE}%"] >= 0.068
