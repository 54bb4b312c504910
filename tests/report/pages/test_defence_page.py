"""Renderings of a defence: a page, a table, lines, sentences."""

from __future__ import annotations

import csv
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from toadstone.report.files.tables import write_removed_rows
from toadstone.report.pages.defence_page import render_defence
from toadstone.report.text.defence_text import defence_lines, defence_sentences


class Page(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.words: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_foreign_text_stays_text(defended):
    page = Page(render_defence(defended))
    assert "alert" in page.text
    assert not {"script", "img"} & set(page.elements)


def test_the_page_shows_steps_reasons_and_remarks(defended):
    text = Page(render_defence(defended)).text.replace("\N{NO-BREAK SPACE}", " ")
    for words in (
        "7 flagged rows stay",
        "skipped: a class of one row",
        "90.00 % 88.00 % 2.00",
        "too far",
        "accuracy on the 100 trusted rows",
        "ridge 0.1, as asked",
        "a gain of 1.00 points (95 % interval -4.10 to 6.00)",
    ):
        assert words in text
    assert "No row was removed." in Page(render_defence(replace(defended, removals=()))).text


def test_rows_beyond_those_shown_are_counted(defended):
    many = replace(defended, removals=defended.removals * 40)
    assert "50 of 80 are shown, all of them in removals.csv" in Page(render_defence(many)).text


def test_the_table_is_safe_for_spreadsheets(defended, tmp_path):
    write_removed_rows(defended.removals, tmp_path / "removals.csv")
    rows = list(csv.DictReader((tmp_path / "removals.csv").read_text("utf-8").splitlines()))
    assert [(row["row"], row["step"], row["suspicion"]) for row in rows] == [
        ("7", "mahalanobis", "12.5"),
        ("3", "mahalanobis", "9.25"),
    ]
    assert rows[1]["label"] == "'=cmd()"


@pytest.mark.parametrize("width", [80, 120])
def test_lines_fit_the_terminal(defended, width):
    lines = [line for text in defence_lines(defended, width) for line in text.splitlines()]
    assert max(map(len, lines)) <= width
    assert any("skipped: a class of one row" in line for line in lines)
    assert any(line.split()[:3] == ["spectral", "-", "-"] for line in lines)
    assert any("2.00" in line and "mahalanobis" in line for line in lines)


def test_sentences_say_what_was_validated_cut_and_tested(defended):
    told = " ".join(defence_sentences(defended)).replace("\N{NO-BREAK SPACE}", " ")
    assert "Of 200 rows 2 were removed (1.0 %); 198 are left." in told
    assert "More was flagged than could be removed: at most 1 % of the rows may go" in told
    assert (
        "On the 100 trusted rows the model is right on 90.00 % (82.6 to 94.5 %) without the defence and on 91.00 % "
        "(83.8 to 95.2 %) with it: a gain of 1.00 points (95 % interval -4.10 to 6.00)."
    ) in told
    assert "the error is 8.0 % before and 4.0 % after: a gain of 4.00 points (95 % interval -4.20 to 13.70)." in told
    alone = replace(defended, trusted_rows=0, test_change=None, steps=defended.steps[2:])
    told = " ".join(defence_sentences(alone))
    assert "Out of fold, on the kept rows, the model is right" in told
    assert "Nothing was validated, because no trusted rows were given" in told
    assert "test set" not in told
    assert "More was flagged" not in told
