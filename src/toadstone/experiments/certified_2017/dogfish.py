"""Dogfish, on a stand-in: certified bound and attack over the fraction of poison, up to three in ten."""

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
)
from toadstone.experiments.conditions import Conditions, Measured
from toadstone.records.reproduction import Published

PROTOCOL = CurveProtocol(squared_radius=0.5, fractions=(0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.1, 0.2, 0.3))

# By eye, from the plot.
BOUND = {0.3: Published(0.098, "read off the plot", 0.003)}
TEST = {
    fraction: Published(value, "read off the plot", 0.003)
    for fraction, value in ((0.0, 0.052), (0.01, 0.087), (0.3, 0.083))
}

_STAND_IN = (
    "Other data: dogs and fish of Imagenette through another network, 1,280 features where the paper's set has 2,048; "
    "its own files are not to be had. Only the shape of the curves can be compared."
)


def run(conditions: Conditions) -> Measured:
    """On the stand-in, with the paper's settings."""
    return measure(load("fishdog"), PROTOCOL, conditions)


def measure(split: Split, protocol: CurveProtocol, conditions: Conditions) -> Measured:
    """Certify, attack and train at every fraction."""
    certified = certify_curve(split, protocol, conditions)
    points = attack_curve(split, certified, protocol, conditions)
    at = {made.budget.fraction: made for made in certified.certificates}
    return Measured(
        setting=protocol.in_words(split) | {"Stand-in": _STAND_IN},
        comparisons=(
            *bound_rows(certified, BOUND, _STAND_IN),
            *loss_rows(points, "test loss, attacked,", lambda point: point.test, TEST, _STAND_IN),
            *error_rows(points, {}, ""),
        ),
        panels=(
            loss_panel(
                "Bound and attack on the stand-in for Dogfish",
                (
                    drawn("certified bound", {key: made.bound for key, made in at.items()}),
                    drawn_paper("certified bound", BOUND),
                    drawn("attack, all rows", {point.fraction: point.total for point in points}),
                    drawn("attack, test rows", {point.fraction: point.test for point in points}),
                    drawn_paper("attack, test rows", TEST),
                ),
            ),
        ),
        data={split.name: sha256(split.train)},
    )
