"""CIFAR-10 in transfer, with heads on images that the body has not seen."""

from __future__ import annotations

from toadstone.experiments.conditions import Conditions, Measured
from toadstone.experiments.epic_2022.transfer import FULL, TransferPlan, run_plan

PLANS = {"cpu": TransferPlan(images="unseen", steps=40), "full": FULL}


def run(conditions: Conditions) -> Measured:
    """Run the experiment on CIFAR-10."""
    return run_plan("epic-transfer-unseen", PLANS[conditions.scale], conditions)
