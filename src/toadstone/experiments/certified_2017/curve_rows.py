"""Comparison rows and plots of losses and errors over the fraction of poison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from toadstone.experiments.certified_2017.certified_curve import PoisonedModel
from toadstone.experiments.figures import percent, wilson
from toadstone.pipeline.certify import Certified
from toadstone.records.reproduction import Comparison, Interval, Panel, Published, Series

Loss = Literal["total", "clean", "test"]

PROVEN = "value that a concrete attack provably reaches, and bound that no attack exceeds"

_LOSSES: Mapping[Loss, str] = {
    "total": "loss of all rows under attack",
    "clean": "clean training loss under attack",
    "test": "test loss under attack",
}


def plotted(fractions: Sequence[float], *values: float) -> dict[float, Published]:
    """Return figures digitised from a plot, to 0.002; those without poison are read by eye, to 0.005."""
    return {
        fraction: Published(value, "read off the plot", 0.002 if fraction else 0.005)
        for fraction, value in zip(fractions, values, strict=True)
    }


def bounds(certified: Certified) -> dict[float, float]:
    """Return the certified bound by fraction."""
    return {certificate.budget.fraction: certificate.bound for certificate in certified.certificates}


def losses(models: Sequence[PoisonedModel], loss: Loss) -> dict[float, float]:
    """Return one loss of the poisoned models by fraction."""
    return {model.fraction: getattr(model, loss) for model in models}


def bound_rows(certified: Certified, paper: Mapping[float, Published], reason: str) -> list[Comparison]:
    """Compare the certified bound at each fraction with the paper's."""
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
    models: Sequence[PoisonedModel], loss: Loss, paper: Mapping[float, Published], reason: str
) -> list[Comparison]:
    """Compare one loss of the poisoned models at each fraction with the paper's."""
    return [
        Comparison(
            what=f"{_LOSSES[loss]} at {percent(fraction)}",
            unit="loss",
            aim="higher" if fraction else "equal",
            paper=paper.get(fraction),
            ours=value,
            reason=reason,
        )
        for fraction, value in losses(models, loss).items()
    ]


def error_rows(models: Sequence[PoisonedModel], paper: Mapping[float, Published], reason: str) -> list[Comparison]:
    """Compare the test error of the poisoned models at each fraction with the paper's."""
    return [
        Comparison(
            what=f"test error at {percent(model.fraction)}",
            unit="share",
            aim="higher" if model.fraction else "equal",
            paper=paper.get(model.fraction),
            ours=model.wrong / model.tested,
            interval=wilson(model.wrong, model.tested),
            reason=reason,
        )
        for model in models
    ]


def curves(
    label: str, ours: Mapping[float, float], paper: Mapping[float, Published] | None = None
) -> tuple[Series, ...]:
    """Return our curve and, if it has figures, the paper's."""
    drawn = (Series(label, "ours", tuple(ours), tuple(ours.values())),)
    if not paper:
        return drawn
    return (*drawn, Series(label, "paper", tuple(paper), tuple(stated.value for stated in paper.values())))


def loss_panel(title: str, *series: Series) -> Panel:
    """Plot losses over the fraction of poison."""
    return Panel(
        title=title,
        kind="lines",
        x_label="poison rows for each hundred clean rows",
        y_label="hinge loss",
        x_unit="fraction",
        unit="loss",
        series=series,
    )
