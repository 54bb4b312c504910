"""Enron with integer counts: the attack of the paper, and the bound on any such attack."""

from __future__ import annotations

from toadstone.datasets import load, sha256
from toadstone.datasets.split import Split
from toadstone.experiments.certified_2017.certified_curve import CurveProtocol, certify_and_attack
from toadstone.experiments.certified_2017.curve_rows import (
    bound_rows,
    bounds,
    curves,
    error_rows,
    loss_panel,
    loss_rows,
    losses,
    plotted,
)
from toadstone.experiments.conditions import Conditions, Measured

FRACTIONS = (0.0, 0.01, 0.02, 0.03, 0.04, 0.05)
PROTOCOL = CurveProtocol(squared_radius=6.0, fractions=FRACTIONS, domain="integer")

TOTAL = plotted(FRACTIONS, 0.09, 0.143, 0.175, 0.196, 0.210, 0.221)
CLEAN = plotted(FRACTIONS, 0.09, 0.115, 0.142, 0.156, 0.166, 0.174)
TEST = plotted(FRACTIONS, 0.155, 0.171, 0.191, 0.205, 0.215, 0.222)

_STRONGER = (
    "The points of a certificate over a convex set that contains all allowed counts, rounded to some rows each within "
    "the filters. The paper solves an integer program at each step to within half of its optimum, among counts up to "
    "the 99.5th percentile. Both maximise the loss of all rows, not that of the clean or test rows."
)


def run(conditions: Conditions) -> Measured:
    """Run the experiment on the real data with the paper's settings."""
    return measure(load("enron"), PROTOCOL, conditions)


def measure(split: Split, protocol: CurveProtocol, conditions: Conditions) -> Measured:
    """Certify over integer counts, round, and train at every fraction."""
    certified, models = certify_and_attack(split, protocol, conditions)
    return Measured(
        setting=protocol.in_words(split),
        comparisons=(
            *loss_rows(models, "total", TOTAL, _STRONGER),
            *loss_rows(models, "clean", CLEAN, _STRONGER),
            *loss_rows(models, "test", TEST, _STRONGER),
            *error_rows(models, {}, ""),
            *bound_rows(certified, {}, ""),
        ),
        panels=(
            loss_panel(
                "Attacks with integer counts on Enron",
                *curves("certified bound, integer counts", bounds(certified)),
                *curves("all rows", losses(models, "total"), TOTAL),
                *curves("clean rows", losses(models, "clean"), CLEAN),
                *curves("test rows", losses(models, "test"), TEST),
            ),
        ),
        data={split.name: sha256(split.train)},
        notes=(
            "All poison rows are integer counts that pass the filters; attacks are evaluated after rounding.",
            "Each point is rounded to 16, 64 or 250 rows; the number with the largest loss on the clean training rows "
            "is used, without test labels. With more rows the loss of all rows is usually larger.",
        ),
    )
