"""Figure 10: defenders with other penalties."""

import pytest

from toadstone.experiments.conditions import Conditions
from toadstone.experiments.stronger_2022 import fig10
from toadstone.pipeline.harness.judge import Defence, judge

RIDGES = (0.01, 0.5)


_MINMAX = ("min-max", "min-max for L2 alone")


@pytest.mark.usefixtures("made")
def test_penalties_are_the_defenders(small, figures, words, three):
    measured = fig10.measure(words, small, RIDGES, Conditions())
    found = figures(measured)
    for ridge in RIDGES:
        (cell,) = judge(words.train, words.test, three["kkt"].poison, ("l2",), Defence(ridge=ridge), name="x")
        assert found[f"KKT: test error behind L2, penalty {ridge:g}"] == cell.test_error
    assert len(found) == 4 * len(RIDGES) * 2
    assert {row.aim for row in measured.comparisons if row.what.startswith("min-max")} == {"higher"}
    both, alone = (found[f"{label}: test error behind L2, penalty 0.5"] for label in _MINMAX)
    assert both != alone
    l2, loss = measured.panels
    assert [series.x for series in loss.series] == [RIDGES] * 4
    ours = next(one for one in l2.series if (one.label, one.source) == ("KKT", "ours"))
    assert ours.y == tuple(found[f"KKT: test error behind L2, penalty {ridge:g}"] for ridge in RIDGES)
