"""Figure 9: attacks that know only the training rows."""

from toadstone.experiments.conditions import Conditions
from toadstone.experiments.stronger_2022 import fig9
from toadstone.experiments.stronger_2022.protocols.attack_errors import (
    BEST_DEFENCE,
    AttackProtocol,
)
from toadstone.pipeline.attack import AttackPlan, attack


def test_errors_are_those_of_attacks_selected_on_the_training_rows(figures, cells):
    protocol = AttackProtocol(methods=("label-flip",), fraction=0.05, ridge=0.01, select_on="train")
    found = figures(fig9.measure(cells, protocol, Conditions()))
    record = attack(cells, AttackPlan(method="label-flip", fraction=0.05, ridge=0.01, select_on="train")).record
    assert found[f"label flips: test error behind {BEST_DEFENCE}"] == record.worst_case
    assert fig9.PROTOCOL.select_on == "train"
