"""A small fragment of HTML, which notebooks show in place of a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from types import MappingProxyType
from typing import Any

from toadstone.report.pages.environment import environment
from toadstone.report.text.formats import shortened
from toadstone.report.text.wording import SHOWN_ROWS

MOST_SENTENCES, _MOST_OF_CHAPTER = 3, 4

_LONGEST_CELL, _LONGEST_TITLE, _LONGEST_SENTENCE = 120, 120, 500


def render_fragment(
    title: str,
    sentences: Sequence[str],
    table: Mapping[str, Sequence[Any]],
    chapters: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> str:
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
    chapters : mapping from str to sequence of str, optional
        Sentences by the title that they stand under after the table; the
        first four of each are shown.

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
            chapters={
                name: [shortened(_begun(sentence), _LONGEST_SENTENCE) for sentence in said[:_MOST_OF_CHAPTER]]
                for name, said in chapters.items()
                if said
            },
            left_out={name: len(said) - _MOST_OF_CHAPTER for name, said in chapters.items()},
        )
    )


def _alignment(values: Sequence[Any]) -> str:
    numbers = all(isinstance(value, Real) and not isinstance(value, bool) for value in values if value is not None)
    return "right" if numbers else "left"


def _begun(sentence: str) -> str:
    return f"{sentence[:1].upper()}{sentence[1:]}"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Real) and not isinstance(value, bool | int):
        return f"{float(value):.4g}"
    return shortened(str(value), _LONGEST_CELL)
