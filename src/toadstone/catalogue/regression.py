"""Attacks on regression, and its defences, by name."""

from __future__ import annotations

from toadstone.catalogue.entry import Entry

REGRESSION_ATTACKS = {
    "ridge-poisoning": Entry(
        "toadstone.attacks.regression.ridge_poisoning:RidgePoisoning",
        "Added rows that climb the gradient of the clean error through the training of ridge regression.",
        ("add",),
        "errors",
    ),
    "target-ends": Entry(
        "toadstone.attacks.regression.target_ends:TargetEnds",
        "Targets of rows drawn at random, moved to the far end of their range.",
        ("flip", "add"),
        "errors",
    ),
    "harmful-target-ends": Entry(
        "toadstone.attacks.regression.target_ends:TargetEnds",
        "Targets moved to an end of their range, of the rows where that harms ridge regression most.",
        ("flip", "add"),
        "errors",
    ),
}

REGRESSION_DEFENCES = {
    "verdict": Entry(
        "toadstone.detectors.targets.target_verdict:TargetVerdict",
        "The probability that a target is wrong, given the other rows.",
    ),
    "trim": Entry(
        "toadstone.learners.trimmed_ridge:TrimmedRidge", "TRIM: ridge regression of the rows that it fits best."
    ),
    "sever": Entry(
        "toadstone.learners.severed_ridge:SeveredRidge",
        "SEVER: ridge regression trained again and again without the rows of extreme gradients.",
    ),
}
