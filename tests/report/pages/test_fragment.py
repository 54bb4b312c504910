"""Fragments of HTML for notebooks."""

from __future__ import annotations

import re

import pytest

from toadstone.report.pages.fragment import render_fragment

HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)> \x1b\u202e"


def test_title_sentences_and_rows_appear(page_of):
    table = {"row": [7, 3], "test_error": [0.05123456, None], "label": ["ham", "spam"], "real": [True, False]}
    page = page_of(render_fragment("A scan", ["One.", "Two."], table))
    assert page.text.startswith("A scan One. Two.")
    assert page.rows(0) == [
        ["row", "test error", "label", "real"],
        ["7", "0.05123", "ham", "True"],
        ["3", "", "spam", "False"],
    ]


@pytest.mark.parametrize(
    ("count", "shown", "others"), [(8, 8, ""), (9, 8, "and 1 more row"), (1009, 8, "and 1,001 more rows")]
)
def test_at_most_eight_rows_are_shown_and_the_others_counted(page_of, count, shown, others):
    page = page_of(render_fragment("A", [], {"row": range(count)}))
    assert [row[0] for row in page.rows(0)[1:]] == [str(row) for row in range(shown)]
    assert page.text.endswith(others or "7")


def test_at_most_three_sentences_are_shown(page_of):
    text = page_of(render_fragment("A", ["One.", "Two.", "Three.", "Four."], {})).text
    assert text == "A One. Two. Three."


def test_groups_and_the_next_step_follow_the_rows_whole(page_of):
    said = "24 rows share a value and look like default " * 4
    chapters = {"Groups": [said], "None": [], "Next": ["call `defend`"] * 6}
    markup = render_fragment("A", [], {"row": [1]}, chapters)
    assert page_of(markup).text == f"A row 1 Groups {said.strip()} Next " + "Call defend " * 4 + "and 2 more"
    assert "<code>defend</code>" in markup


@pytest.mark.parametrize("table", [{}, {"row": []}])
def test_an_empty_table_is_left_out(page_of, table):
    assert page_of(render_fragment("A", ["One."], table)).tables == []


def test_hostile_text_is_shown_and_never_run(page_of):
    markup = render_fragment(HOSTILE, [HOSTILE], {HOSTILE: [HOSTILE]})
    page = page_of(markup)
    assert not {"script", "img"} & set(page.elements)
    assert page.text.count("<script>alert('x')</script>") == 4
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", markup)


def test_it_changes_nothing_around_it_and_inherits_its_colours():
    markup = render_fragment("A", ["One."], {"row": [1]})
    assert not re.search(r"<style|<script|\bclass=|\bid=|url\(|https?:", markup)
    assert "currentColor" in markup
    colours = set(re.findall(r"(?<![\w-])((?:color|background)[\w-]*: [^;\"]*)", markup))
    assert colours == {"background: transparent", "color: inherit"}
    assert not re.search(r"#[0-9a-f]{3}", markup)
    assert markup.strip().startswith("<div")
    assert markup.strip().endswith("</div>")


def test_numbers_stand_to_the_right_whatever_the_notebook_does_and_empty_columns_are_left_out(page_of):
    table = {"row": ["3", "4"], "score": [0.5, None], "skipped": ["", None], "real": [True, False]}
    markup = render_fragment("A", [], table)
    assert page_of(markup).rows(0)[0] == ["row", "score", "real"]
    assert re.findall(r"<t[hd][^>]*text-align: (\w+)", markup) == ["left", "right", "left"] * 3


def test_a_fragment_stays_small(page_of):
    markup = render_fragment("n" * 10_000, ["s" * 100_000] * 9, {"row": ["x" * 10_000] * 10_000})
    assert len(markup) < 10_000


def test_columns_of_two_lengths_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        render_fragment("A", [], {"a": [1, 2], "b": [1]})
