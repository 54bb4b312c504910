"""A reproduction as text, as a drawing and as a page."""

import dataclasses
import json
import re

import pytest
from jsonschema import Draft202012Validator

from toadstone.core.errors import InvalidArgument
from toadstone.records import reproduction
from toadstone.records.reproduction import Comparison, Interval, Panel, Published, Reproduction, Series
from toadstone.report.drawings.canvas import NARROW, WIDE
from toadstone.report.drawings.panels import draw_panel
from toadstone.report.files.schema import load_reproduction_schema
from toadstone.report.pages.reproduction_page import render_reproduction
from toadstone.report.text.comparisons import remarks, reproduction_lines, standing_cell, summary

HOSTILE = "<script>alert('x')</script>"
PARTS = {
    "published": reproduction.Published,
    "interval": reproduction.Interval,
    "comparison": reproduction.Comparison,
    "series": reproduction.Series,
    "panel": reproduction.Panel,
}


@pytest.fixture
def figure():
    """A record with a row of every standing, and a panel of every kind."""
    stated = Published(0.237, "text", 0.0005)
    rows = (
        Comparison("KKT, least of five defences", "share", "higher", stated, 0.251, reason="a finer search"),
        Comparison("influence", "share", "higher", Published(0.183, "text", 0.0005), 0.17, reason="no second start"),
        Comparison("bound", "loss", "lower", Published(0.33, "read off the plot", 0.002), 0.32864001),
        Comparison("time", "seconds", "lower", Published(1680, "text", 30), 14.0, note="on two cores"),
        Comparison("rise", "share", "equal", Published(0.04, "secondary", 0.005, "at most"), 0.019),
        Comparison("gradient", "loss", "higher", Published(0.053, "secondary", 0.003), None, note="not run"),
        Comparison("error", "share", "higher", None, 0.2, Interval(0.18, 0.22, "a range")),
    )
    curves = (Series("bound", "ours", (0.01, 0.03), (0.26, 0.33)), Series("bound", "paper", (0.03,), (0.33,)))
    bars = (Series("KKT", "ours", ("l2", "slab"), (0.2, 0.3)), Series("KKT", "paper", ("l2",), (0.25,)))
    panels = (
        Panel("Curves", "lines", "fraction", "loss", "fraction", "loss", curves),
        Panel("Steps", "steps", "seconds", "error", "number", "share", curves, "log"),
        Panel("Bars", "bars", "", "test error", "category", "share", bars),
    )
    versions = {"toadstone": "1", "numpy": "2"}
    return Reproduction(
        "fig0", "A title", "A paper, figure 0", {"Data": "enron"}, rows, panels, ("a note",), {"enron": "0" * 64},
        1.5, 0, "toadstone reproduce fig0", "2026-01-02T03:04:05+00:00", versions,
    )  # fmt: skip


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


def test_records_satisfy_the_schema(figure):
    Draft202012Validator.check_schema(load_reproduction_schema())
    fields = json.loads(figure.to_json())
    assert list(Draft202012Validator(load_reproduction_schema()).iter_errors(fields)) == []
    fields["comparisons"][0]["standing"] = "guessed"
    assert list(Draft202012Validator(load_reproduction_schema()).iter_errors(fields)) != []


@pytest.mark.parametrize("name", PARTS)
def test_every_field_is_described_and_required(name):
    part = load_reproduction_schema()["$defs"][name]
    expected = {field.name for field in dataclasses.fields(PARTS[name])} | (
        {"standing"} if name == "comparison" else set()
    )
    assert set(part["properties"]) == set(part["required"]) == expected


def test_every_field_of_the_record_is_described_and_required():
    schema = load_reproduction_schema()
    expected = {field.name for field in dataclasses.fields(Reproduction)}
    assert set(schema["properties"]) == set(schema["required"]) == expected
