"""The page of a scan."""

from __future__ import annotations

from dataclasses import replace

from toadstone.report.pages.environment import MOST_ROWS
from toadstone.report.pages.scan_page import render_scan


def test_foreign_text_stays_text(scanned, page_of):
    page = page_of(render_scan(scanned))
    assert "alert" in page.text
    assert not {"script", "img"} & set(page.elements)


def test_rows_come_before_detectors_and_detectors_before_limits(scanned):
    markup = render_scan(scanned)
    places = [markup.index(f'<h2 id="{name}">') for name in ("rows", "detectors", "limits", "reproduce")]
    assert places == sorted(places)
    assert markup.index("Look at these 2 rows first") < markup.index("Next: ") < places[0]


def test_the_next_step_sets_commands_as_code(scanned):
    assert "by hand or with <code>toadstone defend</code>, which" in render_scan(scanned)


def test_a_row_shows_its_leading_reason_and_keeps_the_others(scanned, page_of):
    head, first, second = page_of(render_scan(scanned)).rows(0)
    assert head == ["Line", "Label", "Why", "Most telling values", "Flagged by", "Suspicion"]
    assert first[0] == "9"
    assert first[2] == "deep-knn : neighbours of b and 1 other spectral : too far"
    assert first[4:] == ["2 of 2", "0.990"]
    assert second == ["5", "a", "spectral : farther", "x 1", "1 of 2", "0.900"]


def test_detectors_show_their_rate_and_their_smallest_share(scanned, page_of):
    head, spectral, deep, activation = page_of(render_scan(scanned)).rows(1)
    assert head[3:5] == ["False-alarm rate", "Smallest detectable share"]
    assert spectral[:5] == ["spectral beyond chance", "14", "7.0 %", "2.0 %", "4.5 %"]
    assert deep[:3] == ["deep-knn", "1", "0.50 %"]
    assert activation == ["activation", "skipped: a class of one row"]


def test_a_detector_without_threshold_shows_no_rate(scanned, page_of):
    still = replace(scanned.detectors["spectral"], flagged=0, flagged_share=0.0, false_alarm_rate=0.0)
    rows = page_of(render_scan(replace(scanned, detectors={"spectral": still, "deep-knn": still}))).rows(1)
    assert rows[1][3:5] == ["–", "–"]


def test_rows_beyond_those_shown_are_counted(scanned, page_of):
    assert "2 of 14 are shown; suspects.csv lists the first 2." in page_of(render_scan(scanned)).text
    many = page_of(render_scan(replace(scanned, rows=scanned.rows * 30, flagged_rows=60)))
    assert len(many.rows(0)) == 1 + MOST_ROWS
    assert "Look at these 25 rows first" in many.text
    whole = replace(scanned, flagged_rows=2)
    assert "suspects.csv" not in page_of(render_scan(whole)).text


def test_groups_of_contradicting_rows_are_shown(scanned, page_of):
    page = page_of(render_scan(scanned))
    assert "14 groups of rows are equal but for the label" in page.text
    assert "2 of 14 are shown, the first 2 are in record.json." in page.text
    assert page.rows(2)[1:] == [["lines 3, 77", f"ham , {scanned.rows[0].label}"], ["lines 4, 5, 6", "a , b , a"]]
    assert "Equal rows" not in page_of(render_scan(replace(scanned, contradicting=0, contradictions=()))).text


def test_the_page_says_what_became_of_each_column_and_row(scanned, page_of):
    page = page_of(render_scan(scanned))
    assert "Columns: 1 number, 1 category (4 columns); left out: rownames (an index)." in page.text
    assert "Rows are named by their line in the file, from 1." in page.text
    assert "Note: separator ';', as in most lines" in page.text
    head, age, _, names = page.rows(3)
    assert (head, age) == (["Column", "Read as", "Features", "Remarks"], ["age", "number", "1", ""])
    assert names == ["rownames", "left out", "0", "an index"]
    assert page.rows(4)[1:] == [
        ["3", scanned.rows[0].label, "class too small", "kept"],
        ["7", "a", "missing value", "dropped"],
        ["11", scanned.rows[0].label, "class too small", "kept"],
    ]
    assert "2 rows are kept without being judged" in page.text


def test_ids_are_headed_by_their_column(scanned, page_of):
    source = replace(scanned.source, numbering="id", id_column="mail")
    page = page_of(render_scan(replace(scanned, source=source)))
    assert page.rows(0)[0][0] == "Mail"
    assert "Rows are named by column 'mail'." in page.text
    # Numbers stand to the right, names to the left.
    assert '<th scope="row" class="number"><bdi>9</bdi>' in render_scan(scanned)
    assert '<th scope="row"><bdi>9</bdi>' in render_scan(replace(scanned, source=source))


def test_a_scan_without_flagged_rows(scanned, page_of):
    assert "No row is flagged." in page_of(render_scan(replace(scanned, rows=(), flagged_rows=0))).text


def test_the_run_can_be_repeated_from_the_page(scanned, page_of):
    text = page_of(render_scan(scanned)).text
    for words in ("toadstone scan rows.csv", "SHA-256 of train", "3f" * 32, "scipy", "1.17.1", "Threads 2", "181 MB"):
        assert words in text
