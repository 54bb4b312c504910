"""The page of a reproduction."""

from __future__ import annotations

from dataclasses import dataclass

from jinja2 import Environment
from markupsafe import Markup

from toadstone.records.reproduction import Comparison, Panel, Reproduction
from toadstone.report.drawings.canvas import NARROW, WIDE
from toadstone.report.drawings.panels import draw_panel, labels
from toadstone.report.pages.environment import environment
from toadstone.report.text.comparisons import (
    format_figure,
    interval_cell,
    meanings,
    other_rows,
    paper_cell,
    remarks,
    standing_cell,
    stated_rows,
    summary,
    value_cell,
)


@dataclass(frozen=True)
class _Drawing:
    """A panel as the page shows it; a legend entry is a label, the number of its colour, and its source."""

    title: str
    kind: str
    wide: Markup
    narrow: Markup
    legend: tuple[tuple[str, int, str], ...]


def render_reproduction(record: Reproduction) -> str:
    """Render a reproduction as one HTML page that fetches nothing.

    The page works without scripts, in light and dark, and on a narrow screen.
    The same record gives the same bytes.

    Parameters
    ----------
    record : Reproduction

    Returns
    -------
    str
        UTF-8 text of the whole file.
    """
    return (
        _environment()
        .get_template("reproduction.html.j2")
        .render(
            record=record,
            summary=summary(record),
            panels=[_drawing(panel, number) for number, panel in enumerate(record.panels)],
            stated=stated_rows(record),
            others=other_rows(record),
            meanings=meanings(record),
            remarks=remarks(record),
        )
    )


def _drawing(panel: Panel, number: int) -> _Drawing:
    wide, narrow = (Markup(draw_panel(panel, number=number, canvas=canvas)) for canvas in (WIDE, NARROW))
    order = labels(panel)
    entries = tuple((one.label, order.index(one.label), one.source) for one in panel.series)
    return _Drawing(panel.title, panel.kind, wide, narrow, entries)


def _environment() -> Environment:
    made = environment()
    made.filters.update(
        interval=interval_cell,
        paper=paper_cell,
        seconds=lambda value: format_figure(value, "seconds"),
        standing=_standing,
        value=value_cell,
    )
    return made


def _standing(row: Comparison) -> str:
    return standing_cell(row) or "\N{EN DASH}"
