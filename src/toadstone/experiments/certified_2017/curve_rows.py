"""Rows and drawings of losses and errors over the fraction of poison."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from toadstone.experiments.certified_2017.certified_curve import Poisoned
from toadstone.experiments.figures import percent, wilson
from toadstone.pipeline.certify import Certified
from toadstone.records.reproduction import Comparison, Interval, Panel, Published, Series

PROVEN = "what a concrete attack provably reaches, and what no attack exceeds"


def plotted(fractions: Sequence[float], *values: float) -> dict[float, Published]:
    """Figures digitised from a plot, to 0.002; those without poison by eye, to 0.005."""
    return {
        fraction: Published(value, "read off the plot", 0.002 if fraction else 0.005)
        for fraction, value in zip(fractions, values, strict=True)
    }


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
