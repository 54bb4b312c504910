"""Certified bound and attack loss over the fraction, drawn for a page.

Drawn by matplotlib's object interface, so that no global figure is touched,
and fitted into the page by `toadstone.report.drawings.svg`.
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from toadstone.core.errors import InvalidArgument
from toadstone.records.audit import Bound
from toadstone.report.drawings.canvas import (
    ATTACK,
    BOUND,
    GAP,
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
from toadstone.report.text.formats import format_attack_value, format_bound, format_fraction

BUDGET_LABEL = "rows under the attacker’s control, for each hundred clean rows"
LOSS_LABEL = "training loss for each clean row"

_KINDS = ("bound", "attack")
_LINE_HEIGHT = 1.3
_BROAD, _NARROW, _CASING, _DASHES = 9.0, 3.0, 1.0, (2.5, 2.0)


def draw_curve(curve: Sequence[Bound], *, audited: float, wrong_row_loss: float, canvas: Canvas = WIDE) -> str:
    """Draw the certified bound and the attack's loss over the fraction.

    Parameters
    ----------
    curve : sequence of Bound
        At least one point, in any order.
    audited : float
        The fraction to mark.
    wrong_row_loss : float
        Marked by a line if the curve reaches it.
    canvas : Canvas
        Size and margins; two charts on one page need two names.

    Returns
    -------
    str
        An ``<svg>`` element for inlining into HTML: text stays text, colours
        are the page's CSS variables, and the same curve gives the same bytes.

    Raises
    ------
    InvalidArgument
        If the curve is empty.
    """
    if not curve:
        raise InvalidArgument("curve", "at least one point", "none")
    points = sorted(curve, key=lambda point: point.fraction)
    with sheet(canvas) as figure:
        axes = _frame(figure, points, canvas)
        _mark_fraction(axes, audited, canvas)
        if max(point.bound for point in points) >= wrong_row_loss:
            _mark_wrong_rows(axes, wrong_row_loss, canvas)
        _plot(axes, points, audited)
        _label_ends(axes, points[-1], canvas)
        return finished(
            figure,
            canvas,
            title="Certified bound and attack loss over the fraction of rows",
            description=_description(points, audited),
            tooltips={
                f"{kind}-{place}": _tooltip(point, kind) for place, point in enumerate(points) for kind in _KINDS
            },
        )


def _frame(figure: Figure, points: Sequence[Bound], canvas: Canvas) -> Axes:
    width, height = canvas.width, canvas.height
    inner = (width - canvas.left - canvas.right) / width, (height - canvas.top - canvas.bottom) / height
    axes = figure.add_axes((canvas.left / width, canvas.bottom / height, *inner), facecolor="none")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(MUTED)
    axes.set_xlim(*_span(points))
    # A curve of zeros still needs an axis.
    axes.set_ylim(0, 1.1 * max(point.bound for point in points) or 1.0)
    axes.grid(axis="y", color=GRID, linewidth=1)
    axes.set_axisbelow(True)
    axes.tick_params(colors=MUTED, labelsize=canvas.font, length=0, pad=9)
    axes.xaxis.set_major_locator(MaxNLocator(6 if canvas is WIDE else 4, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: format_fraction(round(value, 9))))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.set_xlabel(
        BUDGET_LABEL if canvas is WIDE else BUDGET_LABEL.partition(",")[0],
        color=MUTED,
        fontsize=canvas.font,
        labelpad=8,
    )
    figure.text(
        8 / width,
        1 - 16 / height,
        LOSS_LABEL,
        color=MUTED,
        fontsize=canvas.font,
        va="center",
    )
    return axes


def _span(points: Sequence[Bound]) -> tuple[float, float]:
    low, high = points[0].fraction, points[-1].fraction
    if low == high:
        return 0.0, 2 * high or 0.01
    return low, high


def _mark_fraction(axes: Axes, audited: float, canvas: Canvas) -> None:
    axes.axvline(audited, color=MUTED, linewidth=1, dashes=(2, 3))
    low, high = axes.get_xlim()
    place = (audited - low) / (high - low)
    axes.annotate(
        f"audited: {format_fraction(audited)}",
        (audited, 1),
        xycoords=axes.get_xaxis_transform(),
        xytext=(0, 6),
        textcoords="offset points",
        ha="left" if place < 0.2 else "right" if place > 0.8 and canvas is NARROW else "center",
        color=INK,
        fontsize=canvas.font,
    )


def _mark_wrong_rows(axes: Axes, wrong_row_loss: float, canvas: Canvas) -> None:
    axes.axhline(wrong_row_loss, color=INK, linewidth=1, dashes=(6, 4))
    axes.annotate(
        f"from {wrong_row_loss:.3g} on, every row may be wrong",
        (0, wrong_row_loss),
        xycoords=axes.get_yaxis_transform(),
        xytext=(4, 5),
        textcoords="offset points",
        color=INK,
        fontsize=canvas.font - 1,
    )


def _plot(axes: Axes, points: Sequence[Bound], audited: float) -> None:
    fractions = [point.fraction for point in points]
    bounds = [point.bound for point in points]
    attacks = [point.attack_value for point in points]
    axes.fill_between(fractions, attacks, bounds, color=GAP, linewidth=0)
    # Where the two coincide, the narrow dashes lie on the broad line and both are seen.
    axes.plot(fractions, bounds, color=BOUND, linewidth=_BROAD, solid_capstyle="round", clip_on=False)
    axes.plot(fractions, attacks, color=PAPER, linewidth=_NARROW + _CASING, dashes=_DASHES, clip_on=False)
    axes.plot(fractions, attacks, color=ATTACK, linewidth=_NARROW, dashes=_DASHES, clip_on=False)
    for place, point in enumerate(points):
        size = 13 if point.fraction == audited else 10
        for kind, value, colour in (("bound", point.bound, BOUND), ("attack", point.attack_value, ATTACK)):
            hollow = kind == "bound" and not point.conclusive
            axes.plot(
                [point.fraction],
                [value],
                linestyle="none",
                marker="o" if kind == "bound" else "D",
                markersize=size if kind == "bound" else 0.6 * size,
                markerfacecolor=PAPER if hollow else colour,
                markeredgecolor=colour if hollow else PAPER,
                markeredgewidth=2 if hollow else 1,
                clip_on=False,
                zorder=4,
                gid=f"{kind}-{place}",
            )


def _label_ends(axes: Axes, last: Bound, canvas: Canvas) -> None:
    inner = canvas.height - canvas.top - canvas.bottom
    top = axes.get_ylim()[1]
    above, below = (inner * value / top for value in (last.bound, last.attack_value))
    room = 2.4 * _LINE_HEIGHT * canvas.font
    # Where the lines end close together, their labels move apart and stay inside.
    if above - below < room:
        middle = min(max((above + below) / 2, room / 2 + canvas.font), inner - room / 2)
        above, below = middle + room / 2, middle - room / 2
    labels = (
        (above, BOUND, "certified bound" if canvas is WIDE else "bound", f"≤ {format_bound(last.bound)}"),
        (below, ATTACK, "attack found" if canvas is WIDE else "attack", f"≥ {format_attack_value(last.attack_value)}"),
    )
    for height, colour, name, value in labels:
        for line, (text, weight) in enumerate(((name, "bold"), (value, "normal"))):
            axes.annotate(
                text,
                (1, height / inner),
                xycoords="axes fraction",
                xytext=(14, (0.5 - line) * _LINE_HEIGHT * canvas.font),
                textcoords="offset points",
                va="center",
                color=colour,
                fontsize=canvas.font,
                fontweight=weight,
                annotation_clip=False,
            )


def _description(points: Sequence[Bound], audited: float) -> str:
    steps = (
        f"at {format_fraction(point.fraction)} the bound is {format_bound(point.bound)} and the attack reaches "
        f"{format_attack_value(point.attack_value)}"
        for point in points
    )
    return f"Training loss for each clean row: {'; '.join(steps)}. The audited fraction is {format_fraction(audited)}."


def _tooltip(point: Bound, kind: str) -> str:
    if kind == "attack":
        return f"{format_fraction(point.fraction)}: an attack reaches {format_attack_value(point.attack_value)}"
    doubt = "" if point.conclusive else " (not conclusive)"
    return f"{format_fraction(point.fraction)}: certified bound {format_bound(point.bound)}{doubt}"
