"""Figure 6: the influence attack without its parts."""

import numpy as np

from toadstone.core.budget import Budget
from toadstone.core.dataset import Poison
from toadstone.experiments.conditions import Conditions
from toadstone.experiments.stronger_2022 import fig6
from toadstone.experiments.stronger_2022.protocols.attack_errors import (
    BEST_DEFENCE,
    best_defence,
)


def test_ablations_leave_out_what_they_say(small, figures, words, comparison, three):
    measured = fig6.measure(words, small, Conditions())
    found = figures(measured)
    full, plain = (
        found[f"{label}: test error behind {BEST_DEFENCE}"] for label in ("influence", "without the relaxation")
    )
    assert full == best_defence(three["influence"].cells).test_error
    assert found["gain from the relaxation behind the best of the five"] == full - plain
    assert len({series.label for series in measured.panels[0].series}) == 3


def test_rounding_each_row_by_itself_keeps_the_mean(words):
    point = np.full(60, 0.5)

    class _Same:
        def poison(self, data, budget, rng):
            return Poison(np.tile(point, (400, 1)), np.ones(400, dtype=int))

    made = fig6.RoundedAttack(_Same()).poison(words.train, Budget(0.03), np.random.default_rng(0))
    assert set(np.unique(made.X)) == {0.0, 1.0}
    assert len(np.unique(made.X, axis=0)) > 390
    assert abs(made.X.mean() - 0.5) < 0.02
    copied = fig6.RoundedAttack(_Same(), 3).poison(words.train, Budget(0.03), np.random.default_rng(0))
    assert np.array_equal(copied.X[0:399:3], copied.X[2:399:3])
    assert 125 < len(np.unique(copied.X, axis=0)) <= 134
