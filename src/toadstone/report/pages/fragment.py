"""A small fragment of HTML, which notebooks show in place of a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from toadstone.report.pages.environment import environment
from toadstone.report.text.formats import shortened
from toadstone.report.text.wording import SHOWN_ROWS

MOST_SENTENCES = 3

_LONGEST_CELL, _LONGEST_TITLE, _LONGEST_SENTENCE = 80, 120, 500


def render_fragment(title: str, sentences: Sequence[str], table: Mapping[str, Sequence[Any]]) -> str:
    """Render a title, sentences and the first rows of a table as a fragment of HTML.

    Styles are inline, colours are inherited and grounds transparent, also
    where a notebook has its own for tables, so that the fragment fits light
    and dark notebooks and changes nothing around it. All text is escaped;
    there is no script.

    Parameters
    ----------
    title : str
    sentences : sequence of str
        The first three are shown.
    table : mapping from str to sequence
        Columns of one length, by name; the first eight rows are shown, without
        the columns that are empty in all of these.

    Returns
    -------
    str
        One ``<div>`` element.
    """
    rows = list(zip(*table.values(), strict=True))
    shown = {name: [_cell(value) for value in values[:SHOWN_ROWS]] for name, values in table.items()}
    columns = {name: cells for name, cells in shown.items() if any(cells)}
    return (
        environment()
        .get_template("fragment.html.j2")
        .render(
            title=shortened(title, _LONGEST_TITLE),
            sentences=[shortened(sentence, _LONGEST_SENTENCE) for sentence in sentences[:MOST_SENTENCES]],
            columns={name: _alignment(table[name][:SHOWN_ROWS]) for name in columns},
            rows=list(zip(*columns.values(), strict=True)),
            others=max(0, len(rows) - SHOWN_ROWS),
        )
    )


def _alignment(values: Sequence[Any]) -> str:
    numbers = all(isinstance(value, Real) and not isinstance(value, bool) for value in values if value is not None)
    return "right" if numbers else "left"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Real) and not isinstance(value, bool | int):
        return f"{float(value):.4g}"
    return shortened(str(value), _LONGEST_CELL)
