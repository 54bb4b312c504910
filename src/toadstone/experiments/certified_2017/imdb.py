"""IMDB: certified bound, an attack with integer counts, and the test error under it."""

from __future__ import annotations

from dataclasses import replace

from toadstone.datasets import load, sha256
from toadstone.datasets.split import Split
from toadstone.experiments.certified_2017.certified_curve import (
    CurveProtocol,
    PoisonedModel,
    attack_curve,
    certify_curve,
    flip_labels,
)
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
from toadstone.experiments.figures import percent, wilson
from toadstone.pipeline.certify import Certified
from toadstone.records.reproduction import Comparison, Panel, Published

FRACTIONS = (0.0, 0.01, 0.02, 0.03, 0.04, 0.05)
PROTOCOL = CurveProtocol(squared_radius=16.0, fractions=FRACTIONS)
"""Protocol of the bound, over real values as in the paper; the attack uses integer counts."""

BOUND = plotted(FRACTIONS[1:], 0.649, 0.785, 0.871, 0.925, 0.962)
TOTAL = plotted(FRACTIONS, 0.225, 0.396, 0.469, 0.499, 0.535, 0.567)
CLEAN = plotted(FRACTIONS, 0.225, 0.293, 0.395, 0.475, 0.509, 0.536)
TEST = plotted(FRACTIONS, 0.34, 0.417, 0.507, 0.575, 0.610, 0.638)
ERROR = plotted(FRACTIONS, 0.119, 0.143, 0.191, 0.228, 0.245, 0.260)
FLIPPED = Published(0.119, "read off the plot", 0.003)

_SPLIT = (
    "The same minimax problem. Our attack proves that the worst case on our rows is nearly as large as the bound, so "
    "the difference comes from the rows or the filters. The paper's file was not available; ours is built from the "
    "published reviews."
)
_STRONGER = (
    "The points of a certificate over a convex set that contains all allowed counts, rounded to some rows each within "
    "the filters. The paper rounds a continuous attack at random, and leaves room for this with filters at other "
    "quantiles than the defender's."
)
_FLIPS = "Random clean rows that pass both filters with the other label."


def run(conditions: Conditions) -> Measured:
    """Run the experiment on the real data with the paper's settings."""
    return measure(load("imdb"), PROTOCOL, conditions)


def measure(split: Split, protocol: CurveProtocol, conditions: Conditions) -> Measured:
    """Certify over real values; certify over integer counts, round, and train at every fraction."""
    real = certify_curve(split, protocol, conditions)
    counts = replace(protocol, domain="integer")
    certified = certify_curve(split, counts, conditions)
    models = attack_curve(split, certified, counts, conditions)
    flipped = flip_labels(split, certified, counts, conditions)
    return Measured(
        setting=protocol.in_words(split)
        | {"Poison": "added rows; the bound allows any values, the attack uses counts"},
        comparisons=(
            *bound_rows(real, BOUND, _SPLIT),
            *error_rows(models, ERROR, _STRONGER),
            _flip_row(flipped, percent(counts.fractions[-1])),
            *loss_rows(models, "total", TOTAL, _STRONGER),
            *loss_rows(models, "clean", CLEAN, _STRONGER),
            *loss_rows(models, "test", TEST, _STRONGER),
        ),
        panels=(_loss_panel(real, models), _error_panel(models)),
        data={split.name: sha256(split.train)},
        notes=(
            "All poison rows are integer counts that pass the filters; attacks are evaluated after rounding.",
            "The attack maximises the loss of all rows, where it exceeds the paper's. An attack on the test error of "
            "the same data is in figure 3 of the paper of 2022: see fig3-imdb.",
        ),
    )


def _flip_row(flipped: PoisonedModel | None, most: str) -> Comparison:
    what = f"test error under flipped labels at {most}"
    if flipped is None:
        none = "No row passes the filters with the other label."
        return Comparison(what, "share", "equal", FLIPPED, None, note=none)
    interval = wilson(flipped.wrong, flipped.tested)
    return Comparison(what, "share", "equal", FLIPPED, flipped.wrong / flipped.tested, interval, reason=_FLIPS)


def _loss_panel(real: Certified, models: tuple[PoisonedModel, ...]) -> Panel:
    return loss_panel(
        "Bound and attack on IMDB",
        *curves("certified bound", bounds(real), BOUND),
        *curves("attack, all rows", losses(models, "total"), TOTAL),
        *curves("attack, test rows", losses(models, "test"), TEST),
    )


def _error_panel(models: tuple[PoisonedModel, ...]) -> Panel:
    errors = {model.fraction: model.wrong / model.tested for model in models}
    return replace(
        loss_panel("Test error on IMDB", *curves("attack", errors, ERROR)),
        y_label="test error",
        unit="share",
    )
