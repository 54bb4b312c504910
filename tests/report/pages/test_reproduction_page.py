"""A reproduction as text, as a drawing and as a page."""

import dataclasses
import re

import pytest

from toadstone.core.errors import InvalidArgument
from toadstone.report.drawings.canvas import NARROW, WIDE
from toadstone.report.drawings.panels import draw_panel
from toadstone.report.pages.reproduction_page import render_reproduction
from toadstone.report.text.comparisons import remarks, reproduction_lines, standing_cell, summary

HOSTILE = "<script>alert('x')</script>"


def test_standings_in_words(figure):
    assert [standing_cell(row) for row in figure.comparisons] == [
        "exceeded by 1.4 points",
        "missed by 1.3 points",
        "reached",
        "120 times faster",
        "holds",
        "",
        "",
    ]


def test_the_summary_counts(figure):
    assert summary(figure) == "Of 6 figures known from the paper: 2 reached, 2 exceeded, 1 missed, 1 not measured."


def test_reasons_are_given_where_figures_differ_and_notes_always(figure):
    assert [text for text, _ in remarks(figure)] == ["a finer search", "no second start", "on two cores", "not run"]
    reached = dataclasses.replace(figure.comparisons[0], ours=0.237)
    assert "a finer search" not in dict(remarks(dataclasses.replace(figure, comparisons=(reached,))))


@pytest.mark.parametrize("width", [80, 120])
def test_lines_fit_the_terminal(figure, width):
    text = "\n".join(reproduction_lines(figure, width))
    assert max(len(line) for line in text.split("\n")) <= width
    for part in ("23.7", "25.1", "exceeded", "0.33 (plot)", "0.3287", "4\N{NO-BREAK SPACE}%", "not measured"):
        assert part in text


def test_a_pipe_gets_each_row_on_one_line(figure):
    lines = reproduction_lines(figure, None)
    row = next(line for line in lines if line.startswith("KKT"))
    assert row.split("  ")[0] == "KKT, least of five defences"
    assert row.endswith("exceeded by 1.4 points")


def test_what_the_paper_lacks_stands_apart(figure):
    lines = reproduction_lines(figure, None)
    apart = lines.index("Measured too; the stored text of the paper has no figure:")
    assert next(line for line in lines[apart:] if line.startswith("error")).endswith(
        "20.0\N{NO-BREAK SPACE}% (18.0\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}22.0\N{NO-BREAK SPACE}%)"
    )


@pytest.mark.parametrize("canvas", [WIDE, NARROW])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_drawings_keep_to_their_canvas_and_the_colours_of_the_page(figure, canvas, place):
    drawing = draw_panel(figure.panels[place], number=place, canvas=canvas)
    assert f'viewBox="0 0 {canvas.width} ' in drawing
    assert not re.search(r"#0102", drawing)
    assert drawing.count("var(--bound)") >= 2
    assert draw_panel(figure.panels[place], number=place, canvas=canvas) == drawing


def test_bars_stand_for_their_values(figure):
    drawing = draw_panel(figure.panels[2], number=0)
    for text in ("l2", "slab", "20.0", "30.0", "25.0"):
        assert text in drawing
    assert "KKT (paper): l2: 25.0" in drawing


def test_a_panel_without_points_is_refused(figure):
    with pytest.raises(InvalidArgument, match="panel"):
        draw_panel(dataclasses.replace(figure.panels[0], series=()), number=0)


def test_the_page_is_whole_and_fetches_nothing(figure):
    page = render_reproduction(figure)
    assert page == render_reproduction(figure)
    assert page.count("<svg") == 6
    assert page.count("<tr class=") == 7
    assert not re.search(r'(?:src|href)="(?!data:|#)', page)
    for part in ("A title", "exceeded by 1.4 points", "not measured", "toadstone reproduce fig0", "a finer search"):
        assert part in page
    identifiers = re.findall(r'\bid="([^"]+)"', page)
    assert len(identifiers) == len(set(identifiers))


def test_foreign_text_is_escaped(figure):
    rows = (dataclasses.replace(figure.comparisons[0], what=HOSTILE, reason=HOSTILE),)
    page = render_reproduction(dataclasses.replace(figure, comparisons=rows, title=HOSTILE, notes=(HOSTILE,)))
    assert HOSTILE not in page
