"""Conversion of matplotlib's SVG into SVG of a web page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

# The page sets fonts and line ends; a rotation by zero is written with a sign that depends on the platform.
_STYLE_ELEMENT = re.compile(r"<style.*?</style>", re.DOTALL)
_FONT_FAMILY = re.compile(r"font-family: [^;\"]*;? ?")
_FONT_SHORTHAND = re.compile(r"(font: [^;\"]*?px) [^;\"]*")
_NO_ROTATION = re.compile(r' transform="rotate\(-?0 [^"]*\)"')
_ID = re.compile(r'(id="|href="#|url\(#)')
_VIEW_BOX = re.compile(r'viewBox="[^"]*"')
_OPENING = re.compile(r"<svg[^>]*>")


def inlined(
    svg: str,
    *,
    name: str,
    title: str,
    description: str,
    variables: Mapping[str, str],
    tooltips: Mapping[str, str],
) -> str:
    """Remove a drawing's fixed size, colours and font, and make its ids unique.

    Parameters
    ----------
    svg : str
        A file written with ``svg.fonttype`` none.
    name : str
        Prefix of every id, so that several drawings share a page; the class
        is ``chart chart-NAME``.
    title, description : str
        Read out by a screen reader.
    variables : mapping of str to str
        Hexadecimal colours and the CSS variables that take their place.
    tooltips : mapping of str to str
        Ids of groups and the text shown over them.

    Returns
    -------
    str
        One ``<svg>`` element.
    """
    view_box = _first(_VIEW_BOX, svg)
    svg = svg[svg.index("<svg") :].strip()
    for pattern, replacement in (
        (_STYLE_ELEMENT, ""),
        (_FONT_FAMILY, ""),
        (_FONT_SHORTHAND, r"\1 var(--sans)"),
        (_NO_ROTATION, ""),
    ):
        svg = pattern.sub(replacement, svg)
    svg = svg.replace("xlink:href", "href")
    for colour, variable in variables.items():
        svg = svg.replace(colour, f"var({variable})")
    for group, text in tooltips.items():
        mark = f'<g id="{group}">'
        svg = svg.replace(mark, f"{mark}<title>{escape(text)}</title>")
    svg = _ID.sub(rf"\g<1>{name}-", svg)
    opening = (
        f'<svg class="chart chart-{name}" {view_box} role="img" aria-labelledby="{name}-title {name}-desc">\n'
        f'<title id="{name}-title">{escape(title)}</title>\n<desc id="{name}-desc">{escape(description)}</desc>'
    )
    return re.sub(r"\s*\n\s*", "\n", _OPENING.sub(lambda _: opening, svg, count=1))


def _first(pattern: re.Pattern[str], text: str) -> str:
    return next(found.group() for found in pattern.finditer(text))
