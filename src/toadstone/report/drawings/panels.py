"""Drawings of a reproduction: a paper's curves or bars beside ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from toadstone.core.errors import InvalidArgument
from toadstone.records.reproduction import Panel, Series
from toadstone.report.drawings.canvas import (
    ACCENT,
    ATTACK,
    BOUND,
    CAUTION,
    GRID,
    INK,
    MUTED,
    NARROW,
    PAPER,
    WIDE,
    Canvas,
    finished,
    sheet,
)
from toadstone.report.text.comparisons import format_figure
from toadstone.report.text.formats import format_fraction, visible

COLOURS = (BOUND, ATTACK, ACCENT, CAUTION, MUTED, INK)
"""By the position of a label in the panel; the page's classes ``label-0`` and so on agree with them."""

_BAR, _CHARACTER = 17, 0.62
_MARKS = ("o", "D", "s", "^", "v", "P")


def draw_panel(panel: Panel, *, number: int, canvas: Canvas = WIDE) -> str:
    """Draw one panel: ours filled, the paper's hollow.

    Parameters
    ----------
    panel : Panel
    number : int
        Of the panel on its page, for ids.
    canvas : Canvas
        `WIDE` or `NARROW`; bars take the height that they need.

    Returns
    -------
    str
        An ``<svg>`` element, as of `toadstone.report.drawings.charts.draw_curve`.

    Raises
    ------
    InvalidArgument
        If the panel has nothing to draw, or more labels than there are colours.
    """
    if not any(one.x for one in panel.series):
        raise InvalidArgument("panel", "at least one point", "none")
    if len(labels(panel)) > len(COLOURS):
        raise InvalidArgument("panel", f"at most {len(COLOURS)} labels", len(labels(panel)))
    panel = _legible(panel)
    named = _fitted(panel, replace(canvas, name=f"panel-{number}-{canvas.name}"), narrow=canvas is NARROW)
    draw = _draw_bars if panel.kind == "bars" else _draw_lines
    with sheet(named) as figure:
        draw(_frame(figure, panel, named), panel, named)
        return finished(figure, named, title=panel.title, description=_description(panel), tooltips={})


def _legible(panel: Panel) -> Panel:
    """Replace control characters, which fonts refuse."""
    series = tuple(
        replace(
            one,
            label=visible(one.label),
            x=tuple(visible(str(category)) for category in one.x) if panel.x_unit == "category" else one.x,
        )
        for one in panel.series
    )
    title, x_label, y_label = (visible(text) for text in (panel.title, panel.x_label, panel.y_label))
    return replace(panel, title=title, x_label=x_label, y_label=y_label, series=series)


def labels(panel: Panel) -> tuple[str, ...]:
    """Return the labels of a panel, each once, in the order of their colours."""
    return tuple(dict.fromkeys(one.label for one in panel.series))


def _fitted(panel: Panel, canvas: Canvas, *, narrow: bool) -> Canvas:
    """Set margins: lines need none for labels at their ends, bars some for categories and figures."""
    if panel.kind != "bars":
        return replace(canvas, right=24, left=60 if not narrow else 52)
    longest = max(len(category) for category in _categories(panel))
    bars = sum(len(one.x) for one in panel.series) + len(_categories(panel))
    left = round(min(longest, 13 if narrow else 26) * _CHARACTER * canvas.font) + 18
    return replace(canvas, left=left, right=64, top=12, height=bars * _BAR + 12 + canvas.bottom)


def _categories(panel: Panel) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(place) for one in panel.series for place in one.x))


def _frame(figure: Figure, panel: Panel, canvas: Canvas) -> Axes:
    width, height = canvas.width, canvas.height
    inner = (width - canvas.left - canvas.right) / width, (height - canvas.top - canvas.bottom) / height
    axes = figure.add_axes((canvas.left / width, canvas.bottom / height, *inner), facecolor="none")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(MUTED)
    axes.set_axisbelow(True)
    axes.tick_params(colors=MUTED, labelsize=canvas.font, length=0, pad=9, which="both")
    bars = panel.kind == "bars"
    axes.grid(axis="x" if bars else "y", color=GRID, linewidth=1)
    below, above = (panel.y_label, "") if bars else (panel.x_label, panel.y_label)
    axes.set_xlabel(below, color=MUTED, fontsize=canvas.font, labelpad=8)
    figure.text(8 / width, 1 - 16 / height, above, color=MUTED, fontsize=canvas.font, va="center")
    return axes


def _figures(panel: Panel) -> FuncFormatter:
    return FuncFormatter(lambda value, _: _short(value, panel))


def _short(value: float, panel: Panel) -> str:
    if panel.unit == "share":
        return f"{100 * value:.6g}\N{NO-BREAK SPACE}%"
    return f"{value:.6g}" if panel.unit in ("loss", "count") else format_figure(value, panel.unit)


def _draw_lines(axes: Axes, panel: Panel, canvas: Canvas) -> None:
    places = [float(place) for one in panel.series for place in one.x]
    low, high = min(places), max(places)
    if panel.x_scale == "log":
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(10))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlim(low / 1.1, high * 1.1)
    else:
        margin = 0.02 * (high - low) or 0.01
        axes.set_xlim(low - margin, high + margin)
        axes.xaxis.set_major_locator(MaxNLocator(8 if canvas.width > NARROW.width else 4, steps=[1, 2, 5, 10]))
    as_number = FuncFormatter(lambda value, _: f"{value:.6g}")
    as_fraction = FuncFormatter(lambda value, _: format_fraction(round(value, 9)))
    axes.xaxis.set_major_formatter(as_fraction if panel.x_unit == "fraction" else as_number)
    axes.set_ylim(0, 1.08 * max(value for one in panel.series for value in one.y) or 1.0)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(_figures(panel))
    for one in panel.series:
        _line(axes, one, labels(panel).index(one.label), steps=panel.kind == "steps")


def _line(axes: Axes, one: Series, place: int, *, steps: bool) -> None:
    """Draw a curve of ours, or the known points of the paper."""
    colour, ours = COLOURS[place], one.source == "ours"
    axes.plot(
        [float(x) for x in one.x],
        one.y,
        color=colour,
        linewidth=2.25 if ours else 0,
        drawstyle="steps-post" if steps else "default",
        marker="" if ours and steps else _MARKS[place],
        markersize=7 if ours else 12,
        markerfacecolor=colour if ours else "none",
        markeredgecolor=PAPER if ours else colour,
        markeredgewidth=1 if ours else 1.75,
        clip_on=False,
        # The paper's hollow marks stay visible where the two agree.
        zorder=3 if ours else 4,
    )


def _draw_bars(axes: Axes, panel: Panel, canvas: Canvas) -> None:
    most = max(value for one in panel.series for value in one.y)
    axes.set_xlim(0, 1.02 * most or 1.0)
    axes.xaxis.set_major_locator(MaxNLocator(6 if canvas.width > NARROW.width else 3, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(_figures(panel))
    height, middles = 0.0, []
    for category in _categories(panel):
        bars = [(one, one.y[one.x.index(category)]) for one in panel.series if category in one.x]  # type: ignore[arg-type]
        middles.append(height + (len(bars) - 1) / 2)
        for one, value in bars:
            _bar(axes, one, labels(panel).index(one.label), height, value, _short_label(value, panel), canvas)
            height += 1
        height += 1
    axes.set_ylim(height - 1.25, -0.75)
    axes.set_yticks(middles, [_broken(category, canvas) for category in _categories(panel)], color=INK)


def _bar(axes: Axes, one: Series, place: int, height: float, value: float, text: str, canvas: Canvas) -> None:
    colour, ours = COLOURS[place], one.source == "ours"
    axes.barh(
        height,
        value,
        height=0.78,
        facecolor=colour if ours else "none",
        edgecolor=colour,
        linewidth=0 if ours else 1.5,
        linestyle="-" if ours else (0, (4, 3)),
    )
    axes.annotate(
        text,
        (value, height),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        color=colour,
        fontsize=canvas.font - 1,
        annotation_clip=False,
    )


def _short_label(value: float, panel: Panel) -> str:
    return format_figure(value, panel.unit)


def _broken(category: str, canvas: Canvas) -> str:
    """Break a long category into two lines."""
    room = int((canvas.left - 18) / (_CHARACTER * canvas.font)) + 1
    if len(category) <= room or " " not in category:
        return category
    middle = min(
        (place for place, letter in enumerate(category) if letter == " "), key=lambda place: abs(place - room + 1)
    )
    return f"{category[:middle]}\n{category[middle + 1 :]}"


def _description(panel: Panel) -> str:
    return f"{panel.y_label}. " + " ".join(_spoken_series(panel, one) for one in panel.series)


def _spoken_series(panel: Panel, one: Series) -> str:
    points: Sequence[str] = [
        f"{format_fraction(float(str(x))) if panel.x_unit == 'fraction' else x}: {format_figure(y, panel.unit)}"
        for x, y in zip(one.x, one.y, strict=True)
    ]
    return f"{one.label} ({one.source}): {', '.join(points)}."
