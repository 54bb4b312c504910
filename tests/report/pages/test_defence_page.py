"""The page of a defence."""

from __future__ import annotations

from dataclasses import replace

from toadstone.records.defence import WeighedRow
from toadstone.report.pages.defence_page import render_defence


def test_foreign_text_stays_text(defended, page_of):
    page = page_of(render_defence(defended))
    assert "alert" in page.text
    assert not {"script", "img"} & set(page.elements)


def test_the_page_shows_groups_reasons_and_costs(defended, page_of):
    text = page_of(render_defence(defended)).text.replace("\N{NO-BREAK SPACE}", " ")
    for words in (
        "1 listed row stays, because at most 2 may be removed",
        "too far",
        "trusted rows 100 90.00 % 91.00 % 1.00 points higher (95 % interval of the change -4.10 to +6.00), which",
        "published test set 50 92.00 % 96.00 %",
        "ridge 0.1, as asked",
        "1 row shares",
        "SHA-256 of train",
        "Removed at most 1 % of the rows",
    ):
        assert words in text
    bare = page_of(render_defence(replace(defended, removals=(), relabelled=(), groups=(), measurements=()))).text
    assert "No row was removed." in bare
    assert "rows that a defence has kept cannot judge it" in bare


def test_light_rows_have_a_table_and_values_stand_beside_reasons(defended, page_of):
    light = tuple(WeighedRow(str(row), row, "a", 0.125, "looks like b (88 %)", {"age": "44"}) for row in range(30))
    weighed = replace(defended, action="weight", removals=(), relabelled=(), light=light)
    page = page_of(render_defence(weighed))
    assert "25 of 30 are shown; the column weight of the cleaned rows has all weights." in page.text
    assert ["3", "a", "0.12", "looks like b (88 %) age 44"] in page.rows(1)
    assert "No row was removed." not in page.text


def test_names_of_columns_stay_and_narrow_screens_name_each_cell(defended):
    named = replace(defended, source=replace(defended.source, numbering="id", id_column="patient_id"))
    markup = render_defence(named)
    assert "Patient_id" not in markup
    assert 'data-label="patient_id"' in markup
    assert markup.count('<table class="stacked">') == 3


def test_the_outcome_comes_before_groups_rows_and_limits(defended):
    markup = render_defence(defended)
    named = ("groups", "cost", "rows", "relabelled", "next", "limits", "reproduce")
    places = [markup.index(f'<h2 id="{name}">') for name in named]
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
