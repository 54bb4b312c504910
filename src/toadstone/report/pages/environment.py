"""Templates of all pages, with escaping on and the filters that they share."""

from __future__ import annotations

import re

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from toadstone.records.audit import NO_ATTACK, NO_SANITIZER
from toadstone.records.header import Source
from toadstone.report.text import formats, rows_text, wording

MOST_ROWS = 25
"""Rows that a page lists; the table beside it holds more."""

_MOST_COLUMNS = 100


def is_picture(text: str) -> bool:
    """Tell whether a text is a file in base64, which a page may show; a record that was changed may hold another."""
    return re.fullmatch("[A-Za-z0-9+/]+={0,2}", text) is not None


def environment() -> Environment:
    """Return templates that escape all values, refuse undefined names, and show hidden characters."""
    made = Environment(
        loader=PackageLoader("toadstone.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    made.filters.update(
        attack_value=formats.format_attack_value,
        bound=formats.format_bound,
        capital=lambda text: text[:1].upper() + text[1:],
        code=_with_code,
        count=formats.format_count,
        counted=formats.counted,
        cut=lambda text: formats.shortened(text, wording.LONGEST_NAME),
        fraction=formats.format_fraction,
        interval=lambda run: formats.format_interval(run.low, run.high),
        loss=formats.format_loss,
        moment=lambda text: text.replace("T", " ").replace("Z", " UTC").replace("+00:00", " UTC"),
        name=_spoken_name,
        preview=lambda text: formats.shortened(text, wording.LONGEST_PREVIEW),
        reading=rows_text.reading_sentences,
        seconds=lambda value: f"{value:,.2f}\N{NO-BREAK SPACE}s",
        share=formats.format_share,
        spoken=wording.spoken,
        row_title=_row_title,
    )
    made.globals.update(most_columns=_MOST_COLUMNS)
    return made


def _shown(value: object) -> object:
    return formats.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _row_title(source: Source) -> str:
    """Title of the column that names rows; the name of a column of the source stays as it is."""
    title = source.title
    return title if source.numbering == "id" else f"{title[:1].upper()}{title[1:]}"


def _with_code(text: str) -> Markup:
    """Set what stands between backticks as code, after escaping all of it."""
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(formats.visible(text)))))


def _spoken_name(name: str, nothing: str = "") -> str:
    if nothing and name in (NO_ATTACK, NO_SANITIZER):
        return nothing
    return formats.shortened(wording.spoken(name), wording.LONGEST_NAME)
