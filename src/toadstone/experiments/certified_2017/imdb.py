"""IMDB: certified bound, an attack with integer counts, and the test error under it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from toadstone.attacks.online import OnlineAttack
from toadstone.core.budget import Budget
from toadstone.core.certificate import NormBall
from toadstone.core.dataset import Dataset
from toadstone.core.feasible import ball
from toadstone.datasets import load, sha256
from toadstone.datasets.split import Split
from toadstone.experiments.certified_2017.certified_curve import (
    CurveProtocol,
    PoisonedModel,
    certify_curve,
    flip_labels,
    train_poisoned,
)
from toadstone.experiments.certified_2017.curve_rows import (
    PROVEN,
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
from toadstone.kernels.losses import HINGE
from toadstone.kernels.minimax.problem import Problem
from toadstone.kernels.minimax.saddle import solve_saddle
from toadstone.kernels.rows import mean, squared_distances
from toadstone.kernels.sets.sets import ConvexSet
from toadstone.pipeline.certify import FILTERS, Certified
from toadstone.pipeline.harness.filters import fit_filters
from toadstone.records.reproduction import Comparison, Interval, Panel, Published

FRACTIONS = (0.0, 0.01, 0.02, 0.03, 0.04, 0.05)
PROTOCOL = CurveProtocol(squared_radius=16.0, fractions=FRACTIONS)
"""Protocol of the bound, over real values as in the paper; the attack uses integer counts."""

BOUND = plotted(FRACTIONS[1:], 0.649, 0.785, 0.871, 0.925, 0.962)
TOTAL = plotted(FRACTIONS, 0.225, 0.396, 0.469, 0.499, 0.535, 0.567)
CLEAN = plotted(FRACTIONS, 0.225, 0.293, 0.395, 0.475, 0.509, 0.536)
TEST = plotted(FRACTIONS, 0.34, 0.417, 0.507, 0.575, 0.610, 0.638)
ERROR = plotted(FRACTIONS, 0.119, 0.143, 0.191, 0.228, 0.245, 0.260)
FLIPPED = Published(0.119, "read off the plot", 0.003)

_BOUND = (
    "The same minimax problem. Our attack proves that the worst case within these filters is nearly as large as the "
    "bound. The paper's plot is near the bound within the narrower filters that its attack plans for, which is below."
)
_PLANNED = "Within the sphere and the slab that leave room for rounding, where the attack looks for its points."
_ONLINE = (
    "The paper's attack: points that the online method meets, drawn at random and rounded to counts. Rows that leave "
    "the defender's filters are rounded again, or moved inside. The paper's file was not available; ours is built from "
    "the published reviews."
)
_FLIPS = "Random clean rows that pass both filters with the other label."


@dataclass(frozen=True)
class OnlineSettings:
    """Settings of the attack: where its points lie before they are rounded, and the steps of the online method.

    Parameters
    ----------
    sphere, slab : float
        Quantiles of each class's clean rows, lower than the defender's.
    steps : int
    step_size : float
    """

    sphere: float = 0.10
    slab: float = 0.65
    steps: int = 6000
    step_size: float = 0.001

    def planned(self, train: Dataset) -> ConvexSet:
        """Fit both filters on the clean rows."""
        regions = {}
        for label in train.classes.tolist():
            members = train.y == label
            centre = mean(train.X, members)
            squared = squared_distances(train.X[members], centre)
            regions[label] = ball(centre, float(np.sqrt(np.quantile(squared, self.sphere))))
        return ConvexSet(regions).intersect(fit_filters(train, ("slab",), quantile=self.slab, domain="real"))


ONLINE = OnlineSettings()


def run(conditions: Conditions) -> Measured:
    """Run the experiment on the real data with the paper's settings."""
    return measure(load("imdb"), PROTOCOL, conditions)


def measure(split: Split, protocol: CurveProtocol, conditions: Conditions, online: OnlineSettings = ONLINE) -> Measured:
    """Certify over real values; attack with integer counts, and train at every fraction."""
    real = certify_curve(split, protocol, conditions)
    planned = online.planned(split.train)
    # The attack's rows are counts that pass the defender's filters.
    allowed = replace(
        real, feasible_set=fit_filters(split.train, FILTERS, quantile=protocol.quantile, domain="integer")
    )
    counts = replace(protocol, domain="integer")
    models = _attack(split, planned, allowed, counts, conditions, online)
    flipped = flip_labels(split, allowed, counts, conditions)
    return Measured(
        setting=protocol.in_words(split)
        | {
            "Poison": "added rows; the bound allows any values, the attack uses counts",
            "Attack": f"{online.steps} online steps within the sphere at the {online.sphere:g} and the slab at the "
            f"{online.slab:g} quantile",
        },
        comparisons=(
            *bound_rows(real, BOUND, _BOUND),
            *_planned_rows(split, planned, protocol, conditions),
            *error_rows(models, ERROR, _ONLINE),
            _flip_row(flipped, percent(counts.fractions[-1])),
            *loss_rows(models, "total", TOTAL, _ONLINE),
            *loss_rows(models, "clean", CLEAN, _ONLINE),
            *loss_rows(models, "test", TEST, _ONLINE),
        ),
        panels=(_loss_panel(real, models), _error_panel(models)),
        data={split.name: sha256(split.train)},
        notes=(
            "All poison rows are integer counts that pass the filters; attacks are evaluated after rounding.",
            "No test label is used. The rows differ, each in words of its own, so that a model cannot fit all of them "
            "with few words, as it can few different rows.",
            "An attack that knows the test rows does more: see fig3-imdb.",
        ),
    )


def _attack(
    split: Split,
    planned: ConvexSet,
    allowed: Certified,
    protocol: CurveProtocol,
    conditions: Conditions,
    online: OnlineSettings,
) -> tuple[PoisonedModel, ...]:
    conditions.on_stage(f"training on poisoned {split.name}")
    ball_of_models = NormBall(protocol.squared_radius)
    attack = OnlineAttack(planned, allowed.feasible_set, ball_of_models, online.steps, online.step_size, integer=True)
    models = []
    for budget in map(Budget, protocol.fractions):
        poison = attack.poison(split.train, budget, np.random.default_rng(conditions.seed))
        models.append(train_poisoned(split, poison, budget, allowed, protocol, conditions))
    return tuple(models)


def _planned_rows(
    split: Split, planned: ConvexSet, protocol: CurveProtocol, conditions: Conditions
) -> list[Comparison]:
    """Bound the loss at each fraction for poison within the filters that the attack plans for."""
    negative, positive = (planned.region(label) for label in split.train.classes.tolist())
    problem = Problem(split.train.X, split.train.signs, (negative, positive), HINGE, NormBall(protocol.squared_radius))
    rows, last = [], None
    for fraction in protocol.fractions[1:]:
        last = solve_saddle(problem, fraction=fraction, start=last, tolerance=1e-3, seed=conditions.seed)
        what = f"bound within the attack's filters at {percent(fraction)}"
        rows.append(
            Comparison(
                what, "loss", "lower", None, last.bound, Interval(last.value, last.bound, PROVEN), reason=_PLANNED
            )
        )
    return rows


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
