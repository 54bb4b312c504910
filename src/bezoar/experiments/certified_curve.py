"""Certified bound and attack over the fraction of poison, as in the paper of 2017."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from bezoar.attacks.collapse import CollapsedAttack
from bezoar.core.arrays import Array, Matrix
from bezoar.core.budget import Budget
from bezoar.core.certificate import Certificate, NormBall
from bezoar.core.dataset import Dataset, Poison
from bezoar.core.reproduction import Comparison, Interval, Panel, Published, Series
from bezoar.datasets.split import Split
from bezoar.experiments.conditions import Conditions
from bezoar.kernels.losses import HINGE
from bezoar.kernels.saddle import solve_saddle
from bezoar.pipeline.certify import Certified, certify_split
from bezoar.pipeline.evaluate import check_poison, merge
from bezoar.pipeline.summary import expressible

PROVEN = "what a concrete attack provably reaches, and what no attack exceeds"
WILSON = "95 % Wilson interval of the test error"


@dataclass(frozen=True)
class CurveProtocol:
    """What to certify, and against whom.

    Parameters
    ----------
    squared_radius : float
        Models: weights and bias of at most this squared norm.
    fractions : tuple of float
        Poison rows for each clean row, ascending.
    domain : {"real", "box", "integer"}
        Values that poison may have.
    quantile : float
        Of each class's clean distances: the thresholds of both filters.
    """

    squared_radius: float
    fractions: tuple[float, ...]
    domain: str = "real"
    quantile: float = 0.7

    def in_words(self, split: Split) -> dict[str, str]:
        """The setting, for the record."""
        values = {"real": "any", "box": "within each feature's range", "integer": "counts"}[self.domain]
        return {
            "Data": f"{split.name}: {len(split.train):,} training rows, {len(split.test):,} test rows, "
            f"{split.train.n_features:,} features",
            "Models": f"linear, hinge loss, squared norm of weights and bias at most {self.squared_radius:g}",
            "Filters": f"L2 and slab, fixed at the {self.quantile:g} quantile of each class's clean rows",
            "Poison": f"added rows; values: {values}",
        }


@dataclass(frozen=True)
class Poisoned:
    """A model trained on clean rows and an attack.

    Parameters
    ----------
    fraction : float
    rows : int
        Of poison.
    total, clean, test : float
        Hinge loss of all rows trained on for each clean one; mean over the
        clean rows; mean over the test rows.
    wrong, tested : int
        Test rows classified wrongly, and all of them.
    """

    fraction: float
    rows: int
    total: float
    clean: float
    test: float
    wrong: int
    tested: int


def certify_curve(split: Split, protocol: CurveProtocol, conditions: Conditions) -> Certified:
    """Certificates of all fractions."""
    conditions.on_stage(f"certifying {split.name}")
    return certify_split(
        split,
        protocol.fractions,
        quantile=protocol.quantile,
        hypothesis=NormBall(protocol.squared_radius),
        domain=protocol.domain,
        seed=conditions.seed,
        on_certified=conditions.on_step,
    )


def attack_curve(
    split: Split, certified: Certified, protocol: CurveProtocol, conditions: Conditions
) -> tuple[Poisoned, ...]:
    """The certificates' own attacks as whole rows, and the models trained on them."""
    conditions.on_stage(f"training on poisoned {split.name}")

    def craft(certificate: Certificate) -> Poison:
        attack = CollapsedAttack.of(certificate, split.train.classes, certified.feasible_set)
        return attack.poison(split.train, certificate.budget, np.random.default_rng(conditions.seed))

    return tuple(
        train_poisoned(split, craft(certificate), certificate.budget, certified, protocol, conditions)
        for certificate in certified.certificates
    )


def train_poisoned(
    split: Split,
    poison: Poison,
    budget: Budget,
    certified: Certified,
    protocol: CurveProtocol,
    conditions: Conditions,
) -> Poisoned:
    """Train within the norm ball on clean rows and poison; nothing is filtered.

    Raises
    ------
    BudgetExceeded
        If the poison breaks its contract.
    """
    if len(poison):
        check_poison(poison, split.train, budget, expressible(split.train, protocol.domain))
    X, y, poisoned = merge(split.train, poison if len(poison) else None)
    signs = _signs(y, split.train)
    low, high = (certified.feasible_set.region(label) for label in split.train.classes.tolist())
    fit = solve_saddle(
        X,
        signs,
        (low, high),
        fraction=0.0,
        hypothesis=NormBall(protocol.squared_radius),
        loss=HINGE,
        tolerance=certified.tolerance,
        seed=conditions.seed,
    )
    losses, test_margins = HINGE.value(_margins(X, signs, fit.theta)), _test_margins(split, fit.theta)
    conditions.on_step()
    return Poisoned(
        fraction=budget.fraction,
        rows=len(poison),
        total=float(losses.sum()) / len(split.train),
        clean=float(losses[~poisoned].mean()),
        test=float(HINGE.value(test_margins).mean()),
        wrong=int(np.count_nonzero(test_margins <= 0)),
        tested=len(split.test),
    )


def _signs(y: Array, train: Dataset) -> Array:
    return np.asarray(np.where(y == train.classes[1], 1.0, -1.0))


def _margins(X: Matrix, signs: Array, theta: Array) -> Array:
    return np.asarray(signs * (X @ theta[:-1] + theta[-1]))


def _test_margins(split: Split, theta: Array) -> Array:
    return _margins(split.test.X, _signs(split.test.y, split.train), theta)


def percent(fraction: float) -> str:
    """A fraction in words: ``3 %``."""
    return f"{100 * fraction:.10g}\N{NO-BREAK SPACE}%"


def bound_rows(certified: Certified, paper: Mapping[float, Published], reason: str) -> list[Comparison]:
    """The certified bound at each fraction beside the paper's."""
    return [
        Comparison(
            what=f"certified bound at {percent(certificate.budget.fraction)}",
            unit="loss",
            aim="lower",
            paper=paper.get(certificate.budget.fraction),
            ours=certificate.bound,
            interval=Interval(certificate.attack_value, certificate.bound, PROVEN),
            note="" if certified.conclusive(certificate) else "The search stopped before bound and attack met.",
            reason=reason,
        )
        for certificate in certified.certificates
    ]


def loss_rows(
    points: Sequence[Poisoned],
    what: str,
    value: Callable[[Poisoned], float],
    paper: Mapping[float, Published],
    reason: str,
) -> list[Comparison]:
    """A loss of the poisoned models at each fraction beside the paper's."""
    return [
        Comparison(
            what=f"{what} at {percent(point.fraction)}",
            unit="loss",
            aim="higher" if point.fraction else "equal",
            paper=paper.get(point.fraction),
            ours=value(point),
            reason=reason,
        )
        for point in points
    ]


def error_rows(points: Sequence[Poisoned], paper: Mapping[float, Published], reason: str) -> list[Comparison]:
    """The test error of the poisoned models at each fraction beside the paper's."""
    return [
        Comparison(
            what=f"test error at {percent(point.fraction)}",
            unit="share",
            aim="higher" if point.fraction else "equal",
            paper=paper.get(point.fraction),
            ours=point.wrong / point.tested,
            interval=wilson(point.wrong, point.tested),
            reason=reason,
        )
        for point in points
    ]


def wilson(wrong: int, tested: int) -> Interval:
    """Where the error lies that `wrong` of `tested` rows estimate."""
    found = binomtest(wrong, tested).proportion_ci(method="wilson")
    return Interval(float(found.low), float(found.high), WILSON)


def drawn(label: str, values: Mapping[float, float]) -> Series:
    """A curve of ours."""
    return Series(label, "ours", tuple(values), tuple(values.values()))


def drawn_paper(label: str, paper: Mapping[float, Published]) -> Series:
    """A curve of the paper's."""
    return Series(label, "paper", tuple(paper), tuple(stated.value for stated in paper.values()))


def loss_panel(title: str, series: Sequence[Series]) -> Panel:
    """Losses over the fraction; curves without a point are left out."""
    return Panel(
        title=title,
        kind="lines",
        x_label="poison rows for each hundred clean rows",
        y_label="hinge loss",
        x_unit="fraction",
        unit="loss",
        series=tuple(one for one in series if one.x),
    )
