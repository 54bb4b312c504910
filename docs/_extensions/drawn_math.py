"""Formulas as drawings by matplotlib: no script, nothing fetched, the same on every machine."""

import html
import re
from typing import Any, NoReturn

from docutils.nodes import SkipNode
from matplotlib import rc_context
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import TextPath, text_to_path
from sphinx.application import Sphinx

_SIZE = 100.0
_SUM = re.compile(r"\\(?:sum|max|min)(?![a-z])(?:[_^](?:\{[^}]*\}|\\?[A-Za-z]+))+")
_LETTERS = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C", Path.CLOSEPOLY: "Z"}


def draw(formula: str, scale: float = 1.12) -> str:
    """Give a formula in TeX as an SVG element that stands on the line of its text.

    Its letters are `scale` times as large as those around it.
    """
    source = f"${' '.join(formula.split())}$"
    with rc_context({"mathtext.fontset": "cm"}):
        path = TextPath((0, 0), source, size=_SIZE)
        width, height, depth = text_to_path.get_text_width_height_descent(
            source, FontProperties(size=_SIZE), ismath=True
        )
    strokes = "".join(
        _LETTERS[code] + ("" if code == Path.CLOSEPOLY else " ".join(f"{value:.0f}" for value in points))
        for points, code in path.iter_segments(simplify=False)
    )
    em = scale / _SIZE
    return (
        f'<svg class="formula" role="img" aria-label="{html.escape(formula)}" '
        f'viewBox="0 {depth - height:.0f} {width:.0f} {height:.0f}" '
        f'style="width:{width * em:.3f}em;height:{height * em:.3f}em;vertical-align:{-depth * em:.3f}em">'
        f'<path transform="scale(1,-1)" d="{strokes}"/></svg>'
    )


def write_inline(translator: Any, node: Any) -> NoReturn:
    """Write a formula within a line."""
    translator.body.append(draw(node.astext()))
    raise SkipNode


def write_display(translator: Any, node: Any) -> NoReturn:
    """Write a formula on a line of its own, large and with some air after its sums."""
    formula = draw(_SUM.sub(r"\g<0>\,", node.astext()).replace(r"\frac", r"\dfrac"))
    translator.body.append(f'<div class="formula-display">{formula}</div>')
    raise SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer."""
    app.add_html_math_renderer("drawn", (write_inline, None), (write_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
