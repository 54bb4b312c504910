"""Accuracy by rounds, one small drawing for each attack, for a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from toadstone.core.errors import InvalidArgument
from toadstone.records.audit import NO_ATTACK
from toadstone.records.federated import FederatedRecord
from toadstone.report.drawings.canvas import (
    ATTACK,
    BOUND,
    GRID,
    INK,
    MUTED,
    WIDE,
    Canvas,
    finished,
    sheet,
)
from toadstone.report.text.formats import format_share, shortened, visible

_HEIGHT = 200
_LEFT, _TOP, _BOTTOM = 34, 34, 34
_FONT = 11.0
_LETTER = 0.67
"""Width of a bold letter, in sizes of its font."""

_LEAST_PLOT, _LONGEST = 130, 28
MOST_NAMED = 6
"""Lines of a panel up to which each has its name at the right."""

_ROOM = 12.5
"""Least distance between two labels at the right, in pixels."""


@dataclass(frozen=True)
class Line:
    """The course of one rule under one attack.

    Parameters
    ----------
    rule : str
    shares : tuple of float
    colour : str
    width : float
    """

    rule: str
    shares: tuple[float, ...]
    colour: str
    width: float


def draw_curves(record: FederatedRecord, malicious: int, *, canvas: Canvas = WIDE) -> str:
    """Draw the mean accuracy of each rule after each round, one panel for each attack, with names at their ends.

    Where lines are many, names that would stand on each other are left out.

    Parameters
    ----------
    record : FederatedRecord
    malicious : int
    canvas : Canvas
        `WIDE` or `NARROW`; as high as the panels need.

    Returns
    -------
    str
        An ``<svg>`` element for inlining into HTML; the same values give the same bytes.

    Raises
    ------
    InvalidArgument
        If nothing was run.
    """
    panels = [(info.name, lines) for info in record.attacks if (lines := _lines(record, info.name, malicious))]
    if not panels:
        raise InvalidArgument("record", "at least one cell that was run", "none")
    right = round(10 + _LETTER * (_FONT - 1) * max(len(line.rule) for _, lines in panels for line in lines))
    columns = max(1, canvas.width // (_LEFT + _LEAST_PLOT + right))
    height = _HEIGHT * -(-len(panels) // columns)
    named = replace(canvas, name=f"curves-{malicious}-{canvas.name}", height=height, right=right)
    with sheet(named) as figure:
        for place, (attack, lines) in enumerate(panels):
            axes = _panel(figure, named, place, columns)
            _draw(axes, record.rounds_at, lines)
            title = "no attack" if attack == NO_ATTACK else shortened(visible(attack), _LONGEST)
            axes.set_title(title, loc="left", fontsize=_FONT + 1, color=INK, fontweight="bold", pad=8)
        return finished(
            figure,
            named,
            title=f"Accuracy by rounds with {malicious} malicious clients",
            description=" ".join(_spoken(attack, lines) for attack, lines in panels),
            tooltips={},
        )


def _lines(record: FederatedRecord, attack: str, malicious: int) -> list[Line]:
    """Return the curves of an attack: the best rule broad, the mean in the attack's colour, others thin."""
    best = record.best_rule(malicious) if record.learned(malicious) else None
    lines = []
    for info in record.rules:
        cell = record.cell(attack, info.name, malicious)
        if cell is None or not cell.curve:
            continue
        colour, width = MUTED, 1.2
        if info.name == record.mean:
            colour, width = ATTACK, 2.0
        elif best is not None and info.name == best.rule:
            colour, width = BOUND, 3.0
        lines.append(Line(shortened(visible(info.name), _LONGEST), cell.curve, colour, width))
    # The two that matter lie above the others.
    return sorted(lines, key=lambda line: line.width)


def _panel(figure: Figure, canvas: Canvas, place: int, columns: int) -> Axes:
    breadth = canvas.width / columns
    down, across = divmod(place, columns)
    left, top = across * breadth + _LEFT, down * _HEIGHT + _TOP
    inner = (breadth - _LEFT - canvas.right, _HEIGHT - _TOP - _BOTTOM)
    axes = figure.add_axes(
        (
            left / canvas.width,
            1 - (top + inner[1]) / canvas.height,
            inner[0] / canvas.width,
            inner[1] / canvas.height,
        ),
        facecolor="none",
    )
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(MUTED)
    axes.set_axisbelow(True)
    axes.tick_params(colors=MUTED, labelsize=_FONT - 1, length=0, pad=5)
    axes.grid(axis="y", color=GRID, linewidth=1)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f}"))
    return axes


def _draw(axes: Axes, rounds: Sequence[int], lines: Sequence[Line]) -> None:
    axes.set_xlim(rounds[0], rounds[-1] or 1)
    axes.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 3, 5, 10], integer=True))
    for line in lines:
        axes.plot(rounds, line.shares, color=line.colour, linewidth=line.width, clip_on=False)
    pixels = _HEIGHT - _TOP - _BOTTOM
    named = _named(lines, _ROOM / pixels)
    for line, height in zip(named, _apart([line.shares[-1] for line in named], _ROOM / pixels), strict=True):
        axes.annotate(
            line.rule,
            (1, height),
            xycoords="axes fraction",
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=line.colour,
            fontsize=_FONT - 1,
            fontweight="bold" if line.width > 1.5 else "normal",
            annotation_clip=False,
        )


def _named(lines: Sequence[Line], room: float) -> list[Line]:
    """Choose the lines that get a name: all of a few; else the best rule, the mean, and the lowest that have room."""
    if len(lines) <= MOST_NAMED:
        return list(lines)
    named = [line for line in lines if line.colour != MUTED]
    for line in sorted(lines, key=lambda line: line.shares[-1]):
        free = all(abs(line.shares[-1] - other.shares[-1]) >= room for other in named)
        if line.colour == MUTED and free and len(named) < MOST_NAMED:
            named.append(line)
    return named


def _apart(heights: Sequence[float], room: float) -> list[float]:
    """Move labels apart as little as keeps them in order, by least squares, and within reach of the panel.

    Examples
    --------
    >>> _apart([0.5, 0.5, 0.0], 0.1)
    [0.45, 0.55, 0.0]
    """
    order = sorted(range(len(heights)), key=lambda place: heights[place])
    blocks: list[list[float]] = []
    for rank, place in enumerate(order):
        # Without the room that each label takes, heights have to rise; neighbours that do not are pooled.
        blocks.append([heights[place] - rank * room, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (below, few), (level, count) = blocks[-2:]
            blocks[-2:] = [[(below * few + level * count) / (few + count), few + count]]
    levels = [level for level, count in blocks for _ in range(int(count))]
    placed = [0.0] * len(heights)
    for rank, place in enumerate(order):
        placed[place] = round(levels[rank] + rank * room, 9)
    return placed


def _spoken(attack: str, lines: Sequence[Line]) -> str:
    said = ", ".join(f"{line.rule} {format_share(line.shares[-1])}" for line in lines)
    return f"{'No attack' if attack == NO_ATTACK else visible(attack)}, after the last round: {said}."
