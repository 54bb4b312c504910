"""A small fragment of HTML, which notebooks show in place of a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from toadstone.report.pages.environment import environment
from toadstone.report.text.formats import shortened
from toadstone.report.text.wording import SHOWN_ROWS

MOST_SENTENCES = 3

_LONGEST_CELL = 100


def render_fragment(title: str, sentences: Sequence[str], table: Mapping[str, Sequence[Any]]) -> str:
    """Render a title, sentences and the first rows of a table as a fragment of HTML.

    Styles are inline and colours are inherited, so that the fragment fits
    light and dark notebooks and changes nothing around it. All text is
    escaped; there is no script.

    Parameters
    ----------
    title : str
    sentences : sequence of str
        The first three are shown.
    table : mapping from str to sequence
        Columns of one length, by name; the first eight rows are shown.

    Returns
    -------
    str
        One ``<div>`` element.
    """
    rows = list(zip(*table.values(), strict=True))
    return (
        environment()
        .get_template("fragment.html.j2")
        .render(
            title=title,
            sentences=sentences[:MOST_SENTENCES],
            columns=list(table),
            rows=[[_cell(value) for value in row] for row in rows[:SHOWN_ROWS]],
            others=max(0, len(rows) - SHOWN_ROWS),
        )
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Real) and not isinstance(value, bool | int):
        return f"{float(value):.4g}"
    return shortened(str(value), _LONGEST_CELL)
