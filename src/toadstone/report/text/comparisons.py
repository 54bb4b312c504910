"""A paper's figures beside ours, in cells and sentences for a terminal, a page or a document."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from toadstone.records.reproduction import Comparison, Published, Reproduction, Unit
from toadstone.report.text.formats import (
    flow,
    format_attack_value,
    format_bound,
    format_count,
    format_loss,
    format_share,
    visible_lines,
)

NO_FIGURE = "not in the text"
NOT_MEASURED = "not measured"
_ORIGINS = {"text": "", "read off the plot": "plot", "secondary": "secondary"}
_LOSSES = {"lower": format_bound, "higher": format_attack_value, "equal": format_loss}
_PERCENT, _TO = "\N{NO-BREAK SPACE}%", "\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}"
_MINUTE, _HOUR = 60.0, 3600.0
_HEADS = ("", "Paper", "Ours", "")
_GAP, _LEAST = 2, 24
_NARROW = {1: 14, 2: 18, 3: 16}


def format_figure(value: float, unit: Unit, aim: str = "equal") -> str:
    """Write a figure with its unit; a bound is rounded up, an attack's value down.

    Examples
    --------
    >>> [format_figure(value, "seconds").replace(chr(160), " ") for value in (27, 1680, 17160)]
    ['27 s', '28 min', '286 min']
    """
    if unit == "share":
        return format_share(value)
    if unit == "loss":
        return _LOSSES[aim](value)
    if unit == "count":
        return format_count(round(value))
    if value < 2 * _MINUTE:
        return f"{value:.3g}\N{NO-BREAK SPACE}s"
    if value < 10 * _HOUR:
        return f"{value / _MINUTE:.3g}\N{NO-BREAK SPACE}min"
    return f"{value / _HOUR:.1f}\N{NO-BREAK SPACE}h"


def paper_cell(stated: Published | None, unit: Unit) -> str:
    """Write the paper's figure, and its origin where that is not the text."""
    if stated is None:
        return NO_FIGURE
    limit = "" if stated.relation == "is" else f"{stated.relation} "
    origin = _ORIGINS[stated.origin]
    return f"{limit}{_as_printed(stated.value, unit)}{f' ({origin})' if origin else ''}"


def _as_printed(value: float, unit: Unit) -> str:
    """Write a figure with the paper's own digits, none added."""
    if unit == "share":
        return f"{100 * value:.6g}\N{NO-BREAK SPACE}%"
    return f"{value:.6g}" if unit == "loss" else format_figure(value, unit)


def value_cell(row: Comparison) -> str:
    """Write the measured figure."""
    return NOT_MEASURED if row.ours is None else format_figure(row.ours, row.unit, row.aim)


def interval_cell(row: Comparison) -> str:
    """Write the interval of the measured figure, losses rounded outwards; nothing where there is none."""
    if row.ours is None or row.interval is None:
        return ""
    low = format_figure(row.interval.low, row.unit, "higher").removesuffix(_PERCENT)
    return f"{low}{_TO}{format_figure(row.interval.high, row.unit, 'lower')}"


def _our_cell(row: Comparison) -> str:
    interval = interval_cell(row)
    return f"{value_cell(row)} ({interval})" if interval else value_cell(row)


def standing_cell(row: Comparison) -> str:
    """Say whether the paper's figure is reached, and the difference where it is not.

    Examples
    --------
    >>> stated = Published(0.24, "text", 0.005)
    >>> standing_cell(Comparison("error", "share", "higher", stated, 0.251))
    'exceeded by 1.1 points'
    >>> standing_cell(Comparison("time", "seconds", "lower", Published(1680, "text", 30), 14.0))
    '120 times faster'
    """
    if row.paper is None or row.ours is None or row.difference is None:
        return ""
    if row.standing == "reached":
        return "reached" if row.paper.relation == "is" else "holds"
    if row.unit == "seconds" and row.aim == "lower" and row.ours > 0:
        ratio = row.paper.value / row.ours
        return f"{_factor(ratio)} times faster" if ratio > 1 else f"{_factor(1 / ratio)} times slower"
    size = _size(abs(row.difference), row.unit)
    if row.standing == "differs":
        return f"{size} {'more' if row.difference > 0 else 'less'}"
    if row.standing == "exceeded" and row.aim == "lower":
        return f"lower by {size}, better"
    return f"{row.standing} by {size}"


def _factor(ratio: float) -> str:
    """Write a ratio in about two digits, never in powers of ten."""
    return f"{ratio:.2g}" if ratio < 10 else f"{float(f'{ratio:.2g}'):,.0f}"


def _size(difference: float, unit: Unit) -> str:
    if unit == "loss":
        return f"{difference:.2g}"
    return f"{100 * difference:.1f} points" if unit == "share" else format_figure(difference, unit)


def stated_rows(record: Reproduction) -> tuple[Comparison, ...]:
    """Return the rows for which the paper has a figure."""
    return tuple(row for row in record.comparisons if row.paper is not None)


def other_rows(record: Reproduction) -> tuple[Comparison, ...]:
    """Return the rows for which the paper has no known figure."""
    return tuple(row for row in record.comparisons if row.paper is None)


def summary(record: Reproduction) -> str:
    """Count the paper's figures that are reached, exceeded and missed.

    Examples
    --------
    >>> from toadstone.records.header import Header
    >>> header = Header("reproduction", "2.0", "", "", 0, 1, None, {}, {})
    >>> summary(Reproduction(header, "a", "", "", {}, (), (), (), 0.0))
    'The stored text of the paper has no figure to compare with.'
    """
    rows = stated_rows(record)
    if not rows:
        return "The stored text of the paper has no figure to compare with."
    counts = {name: sum(row.standing == name for row in rows) for name in ("reached", "exceeded", "missed", "differs")}
    words = [
        f"{count} {'differ' if name == 'differs' and count > 1 else name}" for name, count in counts.items() if count
    ]
    absent = sum(row.standing == NOT_MEASURED for row in rows)
    words += [f"{absent} not measured"] if absent else []
    figures = "figure" if len(rows) == 1 else "figures"
    return f"Of {len(rows)} {figures} known from the paper: {', '.join(words)}."


def remarks(record: Reproduction) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Collect reasons and notes, each once, with the rows that they are about.

    A reason is given for rows where ours differs from the paper's; a note always.
    """
    found: dict[str, list[str]] = {}
    for row in record.comparisons:
        if row.reason and row.standing in ("exceeded", "missed", "differs"):
            found.setdefault(row.reason, []).append(row.what)
        if row.note:
            found.setdefault(row.note, []).append(row.what)
    return tuple((text, tuple(rows)) for text, rows in found.items())


def meanings(record: Reproduction) -> tuple[str, ...]:
    """Return the kinds of the intervals, each once."""
    return tuple(dict.fromkeys(row.interval.meaning for row in record.comparisons if row.interval is not None))


def reproduction_lines(record: Reproduction, width: int | None) -> list[str]:
    """Write a reproduction as lines for a terminal or a pipe.

    Parameters
    ----------
    record : Reproduction
    width : int or None
        Columns of the terminal; None for a pipe.
    """
    lines = [flow(f"{record.name}: {record.title}", width), flow(record.source, width), ""]
    lines += [flow(f"{name}: {text}", width, indent=2) for name, text in record.setting.items()]
    lines += ["", *_table(stated_rows(record), width)] if stated_rows(record) else []
    lines += ["", "Measured too; the stored text of the paper has no figure:"] if other_rows(record) else []
    lines += _table(other_rows(record), width)
    lines += ["", flow(summary(record), width)]
    for text, rows in remarks(record):
        lines.append(flow(f"- {_listed(rows)}: {text}", width, indent=2))
    lines += [flow(f"- {note}", width, indent=2) for note in record.notes]
    lines += [flow(f"In brackets: {'; '.join(meanings(record))}.", width)] if meanings(record) else []
    lines.append(flow(f"{format_figure(record.seconds, 'seconds')} in all, seed {record.header.seed}.", width))
    return visible_lines(lines)


def _listed(rows: Sequence[str]) -> str:
    """Name the rows of a remark: all if few, else the first and the number of the others."""
    return "; ".join(rows) if len(rows) <= 2 else f"{rows[0]} and {len(rows) - 1} more"


def _table(rows: Sequence[Comparison], width: int | None) -> list[str]:
    """Arrange rows of cells; where the width is short, cells are broken into lines."""
    cells = [(row.what, paper_cell(row.paper, row.unit), _our_cell(row), standing_cell(row)) for row in rows]
    shown = [column for column in range(4) if any(row.paper for row in rows) or column in (0, 2)]
    sizes = {column: max([len(_HEADS[column]), *(len(row[column]) for row in cells)]) for column in shown}
    if width is not None and sum(sizes.values()) + _GAP * (len(shown) - 1) > width:
        sizes = {column: min(size, _NARROW.get(column, size)) for column, size in sizes.items()}
        others = sum(size + _GAP for column, size in sizes.items() if column)
        sizes[0] = min(sizes[0], max(width - others, _LEAST))
    lines = [line for row in cells for line in _lines([row[column] for column in shown], list(sizes.values()))]
    return [*_lines([_HEADS[column] for column in shown], list(sizes.values())), *lines] if rows else []


def _lines(cells: Sequence[str], sizes: Sequence[int]) -> list[str]:
    """Write one row of a table, in as many lines as its longest cell needs."""
    broken = [
        _wrap(cell, size, "  " if place == 0 else "")
        for place, (cell, size) in enumerate(zip(cells, sizes, strict=True))
    ]
    rows = zip_longest(*broken, fillvalue="")
    return [
        (" " * _GAP).join(f"{part:<{size}}" for part, size in zip(row, sizes, strict=True)).rstrip() for row in rows
    ]


def _wrap(text: str, size: int, indent: str) -> list[str]:
    # Python's own wrapping also breaks at the spaces that should not be broken at.
    lines, current = [], ""
    for word in text.split(" "):
        if current.strip() and len(current) + 1 + len(word) > size:
            lines.append(current)
            current = indent + word
        else:
            current = f"{current} {word}" if current else word
    return [*lines, current]
