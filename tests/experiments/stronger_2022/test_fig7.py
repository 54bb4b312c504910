"""Figure 7: the min-max attack with and without a decoy."""

import pytest

from toadstone.experiments.conditions import Conditions
from toadstone.experiments.stronger_2022 import fig7
from toadstone.experiments.stronger_2022.protocols.attack_errors import (
    BEST_DEFENCE,
    DEFENCES,
    best_defence,
)
from toadstone.pipeline.attack import AttackPlan, attack


def test_without_decoys_no_loss_is_limited(small, figures, words, three):
    found = figures(fig7.measure(words, small, Conditions()))
    record = attack(words, AttackPlan(method="min-max-basic", fraction=0.05, select_on="test", ridge=0.05)).record
    for sanitizer, title in DEFENCES.items():
        assert found[f"min-max, basic: test error behind {title}"] == record.test_error[sanitizer]
    assert found[f"min-max: test error behind {BEST_DEFENCE}"] == best_defence(three["min-max"].cells).test_error


@pytest.mark.data
@pytest.mark.slow
def test_decoys_matter_behind_the_loss_defence(figures, data_dir):
    found = figures(fig7.run(Conditions()))
    assert found[f"min-max: test error behind {BEST_DEFENCE}"] >= 0.23
    assert found["min-max, basic: test error behind loss"] <= 0.12
