"""Dogfish, on a stand-in for the data: certified bound and attack over the fraction of poison, up to 30 %."""

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
)
from toadstone.experiments.conditions import Conditions, Measured
from toadstone.records.reproduction import Published

PROTOCOL = CurveProtocol(squared_radius=0.5, fractions=(0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.1, 0.2, 0.3))

# Read by eye from the plot.
BOUND = {0.3: Published(0.098, "read off the plot", 0.003)}
TEST = {
    fraction: Published(value, "read off the plot", 0.003)
    for fraction, value in ((0.0, 0.052), (0.01, 0.087), (0.3, 0.083))
}

_STAND_IN = (
    "Other data: dogs and fish of Imagenette with the features of another network, 1,280 instead of 2,048. The paper's "
    "files are not available. Only the shape of the curves can be compared."
)


def run(conditions: Conditions) -> Measured:
    """Run the experiment on the stand-in with the paper's settings."""
    return measure(load("fishdog"), PROTOCOL, conditions)


def measure(split: Split, protocol: CurveProtocol, conditions: Conditions) -> Measured:
    """Certify, attack and train at every fraction."""
    certified, models = certify_and_attack(split, protocol, conditions)
    return Measured(
        setting=protocol.in_words(split) | {"Stand-in": _STAND_IN},
        comparisons=(
            *bound_rows(certified, BOUND, _STAND_IN),
            *loss_rows(models, "test", TEST, _STAND_IN),
            *error_rows(models, {}, ""),
        ),
        panels=(
            loss_panel(
                "Bound and attack on the stand-in for Dogfish",
                *curves("certified bound", bounds(certified), BOUND),
                *curves("attack, all rows", losses(models, "total")),
                *curves("attack, test rows", losses(models, "test"), TEST),
            ),
        ),
        data={split.name: sha256(split.train)},
    )
