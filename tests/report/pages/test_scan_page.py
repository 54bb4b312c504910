"""The page of a scan."""

from __future__ import annotations

from dataclasses import replace

from toadstone.report.pages.environment import MOST_ROWS
from toadstone.report.pages.scan_page import render_scan


def test_foreign_text_stays_text(scanned, page_of):
    page = page_of(render_scan(scanned))
    assert "alert" in page.text
    assert not {"script", "img"} & set(page.elements)


def without_verdict(record):
    """The record of a scan by detectors alone."""
    rows = tuple(
        replace(row, suggested_label=None, probability=None, group=None, reasons=()) for row in record.rows[:2]
    )
    return replace(record, verdict=None, rows=rows, listed_rows=14, grouped_rows=0, group_count=0, findings=())


def test_sections_come_in_their_order(scanned):
    markup = render_scan(scanned)
    names = ("rows", "groups", "review", "facts", "contradictions", "detectors", "reading", "limits", "reproduce")
    places = [markup.index(f'<h2 id="{name}">') for name in names]
    assert places == sorted(places)
    assert markup.index("8 of 200 rows look mislabelled") < markup.index("Next: ") < places[0]


def test_the_next_step_sets_commands_as_code(scanned):
    assert "by hand or with <code>toadstone defend</code>, which" in render_scan(scanned)


def test_a_row_shows_labels_and_values_and_folds_the_details(scanned, page_of):
    markup = render_scan(scanned)
    page = page_of(markup)
    assert "Line 5 Labelled a, looks like b (98 %) x 1 Also flagged by spectral X speaks for b spectral : farther" in (
        page.text.replace("\N{NO-BREAK SPACE}", " ")
    )
    assert "details" in page.elements
    assert "open" not in markup.partition("<details")[2].partition(">")[0]


def test_a_group_stands_by_itself_with_its_rows(scanned, page_of):
    text = page_of(render_scan(scanned)).text
    assert "Shared values 36 rows labelled a share width = 99 and look like b (adjusted p < 1e-6). width 99" in text
    assert "36 rows lines 40, 41 and 34 more" in text
    assert "Line 40" not in text


def test_rows_to_review_are_under_their_own_heading(scanned, page_of):
    text = page_of(render_scan(replace(scanned, review_rows=30))).text
    assert "The data cannot tell overlapping classes from wrong labels." in text
    assert "1 of 30 are shown; scores.csv has the scores of all." in text
    assert "Rows to review" not in page_of(render_scan(replace(scanned, review=()))).text


def test_detectors_show_their_rate_and_their_smallest_share(scanned, page_of):
    page = page_of(render_scan(scanned))
    head, spectral, deep, activation = page.rows(1)
    assert head[3:5] == ["False-alarm rate", "Smallest detectable share"]
    assert spectral[:5] == ["spectral beyond chance", "14", "7.0 %", "2.0 %", "4.5 %"]
    assert spectral[6].endswith("Rows lines 9, 5 and 12 more")
    assert deep[:3] == ["deep-knn", "1", "0.50 %"]
    assert activation == ["activation", "skipped: a class of one row"]
    assert "evidence; the verdict does not depend on them" in page.text
    assert "Detectors (" not in page_of(render_scan(without_verdict(scanned))).text
    assert "Detectors" not in page_of(render_scan(replace(scanned, detectors={}))).text


def test_a_detector_without_threshold_shows_no_rate(scanned, page_of):
    still = replace(scanned.detectors["spectral"], flagged=0, flagged_share=0.0, false_alarm_rate=0.0)
    rows = page_of(render_scan(replace(scanned, detectors={"spectral": still, "deep-knn": still}))).rows(1)
    assert rows[1][3:5] == ["–", "–"]


def test_rows_beyond_those_shown_are_counted(scanned, page_of):
    assert "2 of 8 are shown; suspects.csv lists the first 3." in page_of(render_scan(scanned)).text
    many = render_scan(replace(scanned, rows=scanned.rows[:2] * 30, listed_rows=60, grouped_rows=0))
    assert many.count('<span class="which">') == MOST_ROWS + len(scanned.review)
    whole = replace(scanned, rows=scanned.rows[:2], listed_rows=2, grouped_rows=0)
    assert "suspects.csv" not in page_of(render_scan(whole)).text


def test_groups_of_contradicting_rows_are_shown(scanned, page_of):
    page = page_of(render_scan(scanned))
    assert "14 groups of rows are equal but for the label" in page.text
    assert "2 of 14 are shown, the first 2 are in record.json." in page.text
    assert page.rows(0)[1:] == [["lines 3, 77", f"ham , {scanned.rows[0].label}"], ["lines 4, 5, 6", "a , b , a"]]
    assert "Equal rows" not in page_of(render_scan(replace(scanned, contradicting=0, contradictions=()))).text


def test_the_page_says_what_became_of_each_column_and_row(scanned, page_of):
    page = page_of(render_scan(scanned))
    assert "Columns: 1 number, 1 category (4 columns); left out: rownames (an index)." in page.text
    assert "Rows are named by their line in the file, from 1." in page.text
    assert "Note: separator ';', as in most lines" in page.text
    head, age, _, names = page.rows(2)
    assert (head, age) == (["Column", "Read as", "Features", "Remarks"], ["age", "number", "1", ""])
    assert names == ["rownames", "left out", "0", "an index"]
    assert page.rows(3)[1:] == [
        ["3", scanned.rows[0].label, "class too small", "kept"],
        ["7", "a", "missing value", "dropped"],
        ["11", scanned.rows[0].label, "class too small", "kept"],
    ]
    assert "2 rows are kept without being judged" in page.text


def test_rows_are_called_as_the_source_calls_them(scanned, page_of):
    source = replace(scanned.source, numbering="id", id_column="mail")
    text = page_of(render_scan(replace(scanned, source=source))).text
    assert "mail '5' Labelled a" in text
    assert "Rows are named by column 'mail'." in text


def test_a_scan_without_listed_rows(scanned, page_of):
    empty = replace(scanned, rows=(), listed_rows=0, grouped_rows=0, group_count=0, findings=())
    assert "No row is listed." in page_of(render_scan(empty)).text


def test_the_run_can_be_repeated_from_the_page(scanned, page_of):
    text = page_of(render_scan(scanned)).text
    for words in ("toadstone scan rows.csv", "SHA-256 of train", "3f" * 32, "scipy", "1.17.1", "Threads 2", "181 MB"):
        assert words in text
