"""Sizes and colours that all drawings share, and their conversion into SVG of a page."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import matplotlib as mpl
import matplotlib.style
from matplotlib.figure import Figure

from toadstone.report.drawings.svg import inlined

# Stand-ins that the page's own CSS variables replace.
INK, MUTED, GRID, BOUND, ATTACK, GAP, PAPER, ACCENT, CAUTION = (f"#01020{digit}" for digit in range(9))
_CSS_VARIABLE = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--line",
    BOUND: "--bound",
    ATTACK: "--attack",
    GAP: "--gap",
    PAPER: "--surface",
    ACCENT: "--accent",
    CAUTION: "--caution-line",
}
# The date and the version of matplotlib would differ between two drawings of the same record.
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


@dataclass(frozen=True)
class Canvas:
    """Size and margins of a chart in CSS pixels; `name` goes into its ids and class."""

    name: str
    width: int
    height: int
    font: float
    left: int
    right: int
    top: int
    bottom: int


WIDE = Canvas("wide", width=920, height=400, font=14, left=44, right=150, top=48, bottom=62)
NARROW = Canvas("narrow", width=350, height=330, font=12, left=44, right=92, top=44, bottom=60)


@contextmanager
def sheet(canvas: Canvas) -> Iterator[Figure]:
    """Yield an empty figure of a canvas's size, to be drawn on and finished within the block."""
    # The defaults, not the caller's settings, and ids that do not change from run to run.
    with mpl.style.context("default"), mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "toadstone"}):
        yield Figure(figsize=(canvas.width / 72, canvas.height / 72), facecolor="none")


def finished(figure: Figure, canvas: Canvas, *, title: str, description: str, tooltips: Mapping[str, str]) -> str:
    """Return the figure as an ``<svg>`` element in the colours of the page; same figure, same bytes."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata=_NO_METADATA)
    return inlined(
        text.getvalue(),
        name=canvas.name,
        title=title,
        description=description,
        variables=_CSS_VARIABLE,
        tooltips=tooltips,
    )
