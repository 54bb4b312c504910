"""Certified accuracy over the number of units, drawn for a page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from toadstone.records.guarantees.pointwise import CertifiedSteps, PointwiseSummary
from toadstone.report.certificates.unit_words import many_units
from toadstone.report.drawings.canvas import (
    ACCENT,
    ATTACK,
    BOUND,
    GRID,
    INK,
    MUTED,
    PAPER,
    WIDE,
    Canvas,
    finished,
    sheet,
)
from toadstone.report.text.formats import format_count, format_share, visible

_LEAST_SHARE = 0.005
"""Share of the test rows down to which the curve is drawn."""

_FEW = 30

_MARKS = (
    ("collective", "collective_accuracy", ACCENT, "s", "all rows at once"),
    ("attack", "attacked_accuracy", ATTACK, "D", "attack found"),
)
_SHORT = {"each row alone": "each row", "all rows at once": "all rows", "attack found": "attack"}
_ROOM = 0.085
"""Least distance between two labels at the right, as a share of the height."""


def draw_certified(
    summaries: Sequence[PointwiseSummary], steps: Sequence[CertifiedSteps], *, chosen: int, canvas: Canvas = WIDE
) -> str:
    """Draw the share of test rows that are right whatever an attacker does, over the units that it controls.

    Parameters
    ----------
    summaries : sequence of PointwiseSummary
    steps : sequence of CertifiedSteps
        Of the same settings.
    chosen : int
        Place of the setting that is drawn broadly, with its collective bound
        and the attack found; others are thin.
    canvas : Canvas

    Returns
    -------
    str
        An ``<svg>`` element for inlining into HTML; the same values give the same bytes.
    """
    best = summaries[chosen]
    last = _last_units(steps[chosen], best)
    marks = {name: _marks(best, field, last) for name, field, *_ in _MARKS}
    with sheet(canvas) as figure:
        axes = _frame(figure, best, last, canvas)
        for place, line in enumerate(steps):
            if place != chosen:
                axes.step(*_within(line, last), where="post", color=MUTED, linewidth=1, alpha=0.6)
        axes.step(*_within(steps[chosen], last), where="post", color=BOUND, linewidth=3)
        labels = [(steps[chosen].shares[_place(steps[chosen], last)], BOUND, "each row alone")]
        for name, _, colour, shape, words in _MARKS:
            for place, (units, share) in enumerate(marks[name]):
                axes.plot(
                    [units],
                    [share],
                    linestyle="none",
                    marker=shape,
                    markersize=9,
                    markerfacecolor=colour,
                    markeredgecolor=PAPER,
                    clip_on=False,
                    zorder=4,
                    gid=f"{name}-{place}",
                )
            if marks[name]:
                axes.plot(*zip(*marks[name], strict=True), color=colour, linewidth=1.5, dashes=(3, 2))
                labels.append((marks[name][-1][1], colour, words))
        _name_lines(axes, labels, canvas)
        return finished(
            figure,
            canvas,
            title="Share of the test rows that are right whatever an attacker does",
            description=_description(best, marks),
            tooltips={
                f"{name}-{place}": f"{format_count(units)}: {words}, {format_share(share)} right"
                for name, *_, words in _MARKS
                for place, (units, share) in enumerate(marks[name])
            },
        )


def _last_units(line: CertifiedSteps, summary: PointwiseSummary) -> float:
    """Return the number of units up to which there is something to see."""
    seen = [units for units, share in zip(line.units, line.shares, strict=True) if share > _LEAST_SHARE]
    marks = [_units(key, summary) for key in summary.collective_accuracy if not summary.n_units < 1 / float(key)]
    last = float(max([1, *seen, *marks]))
    # Where units are few, the step after the last is seen too.
    return min(last + 1.0 if last < _FEW else last * 1.03, summary.n_units * 1.03)


def _units(key: str, summary: PointwiseSummary) -> int:
    return math.ceil(float(key) * summary.n_units - 1e-9)


def _marks(summary: PointwiseSummary, field: str, last: float) -> list[tuple[int, float]]:
    found: Mapping[str, float] = getattr(summary, field)
    placed = {_units(key, summary): share for key, share in found.items() if _units(key, summary) <= last}
    return [(0, summary.accuracy), *sorted(placed.items())] if placed else []


def _within(line: CertifiedSteps, last: float) -> tuple[list[float], list[float]]:
    pairs = [(float(units), share) for units, share in zip(line.units, line.shares, strict=True) if units <= last]
    pairs.append((last, pairs[-1][1]))
    return [units for units, _ in pairs], [share for _, share in pairs]


def _place(line: CertifiedSteps, last: float) -> int:
    return max(place for place, units in enumerate(line.units) if units <= last)


def _frame(figure: Figure, summary: PointwiseSummary, last: float, canvas: Canvas) -> Axes:
    width, height = canvas.width, canvas.height
    inner = (width - canvas.left - canvas.right) / width, (height - canvas.top - canvas.bottom) / height
    axes = figure.add_axes((canvas.left / width, canvas.bottom / height, *inner), facecolor="none")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(MUTED)
    axes.set_xlim(0, last)
    axes.set_ylim(0, 1)
    axes.grid(axis="y", color=GRID, linewidth=1)
    axes.set_axisbelow(True)
    axes.tick_params(colors=MUTED, labelsize=canvas.font, length=0, pad=9)
    axes.xaxis.set_major_locator(MaxNLocator(6 if canvas is WIDE else 4, steps=[1, 2, 5, 10], integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: format_count(int(value))))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f}"))
    axes.set_xlabel(
        f"{visible(many_units(summary.unit))} under the attacker’s control",
        color=MUTED,
        fontsize=canvas.font,
        labelpad=8,
    )
    said = "test rows that are right, %" if canvas is WIDE else "right test rows, %"
    figure.text(8 / width, 1 - 16 / height, said, color=MUTED, fontsize=canvas.font, va="center")
    if 0 < summary.median <= last:
        axes.plot([summary.median] * 2, [0, 0.5], color=INK, linewidth=1, dashes=(2, 3))
        axes.annotate(
            f"half of all rows: {format_count(summary.median)}",
            (summary.median, 0.5),
            xytext=(5, 5),
            textcoords="offset points",
            ha="left" if summary.median < 0.6 * last else "right",
            color=INK,
            fontsize=canvas.font - 1,
        )
    return axes


def _name_lines(axes: Axes, labels: Sequence[tuple[float, str, str]], canvas: Canvas) -> None:
    """Name the lines at the right, moved apart where they end close together."""
    room, height = _ROOM * (1.0 if canvas is WIDE else 1.3), -1.0
    for share, colour, words in sorted(labels):
        height = max(share, height + room)
        axes.annotate(
            words if canvas is WIDE else _SHORT[words],
            (1, height),
            xycoords="axes fraction",
            xytext=(12, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            fontsize=canvas.font,
            fontweight="bold",
            annotation_clip=False,
        )


def _description(summary: PointwiseSummary, marks: Mapping[str, Sequence[tuple[int, float]]]) -> str:
    parts = [
        f"{format_share(summary.accuracy)} of the test rows are right without an attack, and half of all are right "
        f"whatever an attacker does with {format_count(summary.median)} {visible(many_units(summary.unit))}."
    ]
    words = {"collective": "at least {} stay right in all", "attack": "the best attack found leaves {} right"}
    for name, placed in marks.items():
        parts += [
            f"With {format_count(units)}, {words[name].format(format_share(share))}." for units, share in placed[1:]
        ]
    return " ".join(parts)
