"""Enron with whole counts: the attack that the paper reports, and what it could be at most."""

from __future__ import annotations

from toadstone.datasets import load, sha256
from toadstone.datasets.split import Split
from toadstone.experiments.certified_2017.certified_curve import CurveProtocol, attack_curve, certify_curve
from toadstone.experiments.certified_2017.curve_rows import (
    bound_rows,
    drawn,
    drawn_paper,
    error_rows,
    loss_panel,
    loss_rows,
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
    "the filters; the paper solves an integer program at each step to within half of its optimum, among counts "
    "up to the 99.5th percentile. Both aim at the loss of all rows, not at that of the clean or test rows."
)


def run(conditions: Conditions) -> Measured:
    """On the real data, with the paper's settings."""
    return measure(load("enron"), PROTOCOL, conditions)


def measure(split: Split, protocol: CurveProtocol, conditions: Conditions) -> Measured:
    """Certify over whole counts, round, and train at every fraction."""
    certified = certify_curve(split, protocol, conditions)
    points = attack_curve(split, certified, protocol, conditions)
    at = {made.budget.fraction: made for made in certified.certificates}
    return Measured(
        setting=protocol.in_words(split),
        comparisons=(
            *loss_rows(points, "loss of all rows, attacked,", lambda point: point.total, TOTAL, _STRONGER),
            *loss_rows(points, "clean training loss, attacked,", lambda point: point.clean, CLEAN, _STRONGER),
            *loss_rows(points, "test loss, attacked,", lambda point: point.test, TEST, _STRONGER),
            *error_rows(points, {}, ""),
            *bound_rows(certified, {}, ""),
        ),
        panels=(
            loss_panel(
                "Attacks of whole counts on Enron",
                (
                    drawn("certified bound, whole counts", {key: made.bound for key, made in at.items()}),
                    drawn("all rows", {point.fraction: point.total for point in points}),
                    drawn_paper("all rows", TOTAL),
                    drawn("clean rows", {point.fraction: point.clean for point in points}),
                    drawn_paper("clean rows", CLEAN),
                    drawn("test rows", {point.fraction: point.test for point in points}),
                    drawn_paper("test rows", TEST),
                ),
            ),
        ),
        data={split.name: sha256(split.train)},
        notes=(
            "All poison rows are whole counts that pass the filters; each is judged after rounding.",
            "Of 16, 64 and 250 roundings of each point those are used that cost the clean training rows most; no test "
            "label was used. With more roundings the loss of all rows is larger, as a rule.",
        ),
    )
