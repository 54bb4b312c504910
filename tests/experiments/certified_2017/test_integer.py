"""Enron with integer counts: attacks close to their bound, and the figures on the real data."""

import numpy as np
import pytest

from toadstone.experiments.certified_2017 import integer as p17_integer
from toadstone.experiments.conditions import Conditions


def test_attacks_of_whole_counts_come_close_to_their_bound(counts, figures, words):
    measured = p17_integer.measure(words, counts, Conditions())
    found = figures(measured)
    total, bound = (
        found[f"{what} at 5\N{NO-BREAK SPACE}%"] for what in ("loss of all rows under attack", "certified bound")
    )
    assert 0.9 * bound <= total <= bound
    assert total > found["loss of all rows under attack at 0\N{NO-BREAK SPACE}%"] + 0.1


@pytest.mark.data
@pytest.mark.slow
def test_integer(figures, data_dir):
    measured = p17_integer.run(Conditions())
    found = figures(measured)
    totals = [found[f"loss of all rows under attack at {most}\N{NO-BREAK SPACE}%"] for most in (1, 2, 3, 4, 5)]
    assert np.all(np.array(totals) >= [0.175, 0.225, 0.259, 0.283, 0.294])
    bounds = [found[f"certified bound at {most}\N{NO-BREAK SPACE}%"] for most in (1, 2, 3, 4, 5)]
    assert np.all(np.array(totals) <= bounds)
    standings = [row.standing for row in measured.comparisons if row.paper is not None]
    assert set(standings) <= {"reached", "exceeded"}
