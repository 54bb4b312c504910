"""The page of a defence."""

from __future__ import annotations

from dataclasses import replace

from toadstone.report.pages.defence_page import render_defence


def test_foreign_text_stays_text(defended, page_of):
    page = page_of(render_defence(defended))
    assert "alert" in page.text
    assert not {"script", "img"} & set(page.elements)


def test_the_page_shows_steps_reasons_and_remarks(defended, page_of):
    text = page_of(render_defence(defended)).text.replace("\N{NO-BREAK SPACE}", " ")
    for words in (
        "7 flagged rows stay",
        "skipped: a class of one row",
        "90.00 % 88.00 % 2.00",
        "too far",
        "accuracy on the 100 trusted rows",
        "ridge 0.1, as asked",
        "a gain of 1.00 points (95 % interval -4.10 to 6.00)",
        "SHA-256 of train",
        "Removed at most 1 % of the rows",
    ):
        assert words in text
    assert "No row was removed." in page_of(render_defence(replace(defended, removals=()))).text


def test_the_outcome_comes_before_steps_rows_and_limits(defended):
    markup = render_defence(defended)
    places = [markup.index(f'<h2 id="{name}">') for name in ("steps", "rows", "limits", "reproduce")]
    assert places == sorted(places)
    assert markup.index("2 of 200 rows were removed") < places[0]


def test_rows_beyond_those_shown_are_counted(defended, page_of):
    many = replace(defended, removals=defended.removals * 40)
    assert "25 of 80 are shown; removals.csv lists all of them." in page_of(render_defence(many)).text
    assert "are shown" not in page_of(render_defence(defended)).text


def test_every_row_is_accounted_for(defended, page_of):
    text = page_of(render_defence(defended)).text
    assert "2 rows are kept without being judged (class too small;" in text
    assert "203 rows read = 200 kept + 2 removed + 1 dropped." in text
