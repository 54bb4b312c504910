"""A scan as lines, and its rows in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from toadstone.report.text.scan_text import flagged_also, other_reasons, scan_lines, values_of, verdict_on


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


def without_verdict(record):
    """The record of a scan by detectors alone."""
    rows = tuple(
        replace(row, suggested_label=None, probability=None, group=None, reasons=()) for row in record.rows[:2]
    )
    return replace(
        record, verdict=None, rows=rows, listed_rows=14, grouped_rows=0, group_count=0, findings=(), worth_checking=()
    )


def test_sections_come_in_their_order(scanned):
    lines = scan_lines(scanned, None)
    titles = [
        "Rows that look mislabelled",
        "Groups of rows",
        "Rows to review",
        "About the table",
        "How the data were read",
        "Detectors (evidence; the verdict does not depend on them)",
    ]
    places = [lines.index(title) for title in titles]
    assert places == sorted(places)
    assert lines[-1].startswith("Next: ")
    assert "8 of 200 rows look mislabelled" in lines[0]


def test_a_row_shows_its_labels_values_and_who_else_flags_it(scanned):
    lines = [plain(line) for line in scan_lines(scanned, None)]
    place = lines.index("  line 5: labelled a, looks like b (98 %)")
    assert lines[place + 1 : place + 3] == ["    x 1", "    also flagged by spectral"]
    assert "  and 6 more, the first 3 in suspects.csv (--out)" in lines


def test_the_place_of_the_other_rows_is_that_of_the_reader(scanned):
    def last(command):
        record = replace(scanned, header=replace(scanned.header, command=command), review_rows=30)
        return [line for line in scan_lines(record, None) if line.startswith("  and ")]

    assert last("toadstone.scan") == ["  and 6 more, the first 3 in to_frame()", "  and 29 more, see scores"]
    assert last("toadstone scan rows.csv --out here") == [
        "  and 6 more, the first 3 in suspects.csv",
        "  and 29 more, see scores.csv",
    ]


def test_rows_of_a_group_stand_with_the_group(scanned):
    lines = scan_lines(scanned, None)
    assert not any(line.startswith("  line 40") for line in lines)
    assert (
        "- 36 rows labelled a share width = 99 and look like b (adjusted p < 1e-6): lines 40, 41 and 34 more." in lines
    )


def test_rows_to_review_have_a_list_of_their_own(scanned):
    lines = [plain(line) for line in scan_lines(replace(scanned, review_rows=30), None)]
    place = lines.index("Rows to review")
    assert lines[place + 1 : place + 3] == [
        "  line 77: labelled a, looks like b (98 %)",
        "  and 29 more, see scores.csv (--out)",
    ]


def test_facts_and_rows_set_aside_are_told(scanned):
    lines = scan_lines(scanned, None)
    assert any(line.startswith("- Column id numbers the rows. A model can learn rows by heart") for line in lines)
    assert any(line.startswith("- 14 groups of rows are equal but for the label") for line in lines)
    assert any("2 rows are kept without being judged" in line for line in lines)


def test_without_a_verdict_the_detectors_speak(scanned):
    lines = scan_lines(without_verdict(scanned), None)
    place = lines.index("Rows that detectors flag")
    assert lines[place + 4 : place + 7] == ["  line 5: labelled a", "    x 1", "    spectral: farther"]
    assert "Detectors" in lines


@pytest.mark.parametrize("width", [80, 120])
def test_lines_fit_the_terminal(scanned, width):
    named = {**scanned.detectors, "local-outlier-factor": scanned.detectors["deep-knn"]}
    for record in (scanned, without_verdict(scanned)):
        record = replace(record, detectors=named, review_rows=9)
        lines = [line for text in scan_lines(record, width) for line in text.splitlines()]
        assert max(len(line) for line in lines if "https" not in line) <= width
        assert any("skipped: a class of one row" in line for line in lines)


def test_the_table_marks_what_chance_does_not_explain(scanned):
    lines = scan_lines(scanned, None)
    spectral, deep = (next(line for line in lines if line[2:].startswith(name)) for name in ("spectral", "deep-knn  "))
    assert spectral.split() == ["*", "spectral", "14", "7.00", "%", "2.00", "%", "4.50", "%", "0.2", "s"]
    assert deep.split()[:4] == ["deep-knn", "1", "0.50", "%"]
    assert "* more rows than the false-alarm rate and chance explain" in lines
    quiet = replace(scanned.detectors["spectral"], flagged=3, flagged_share=0.015)
    assert not any(line.startswith("*") for line in scan_lines(replace(scanned, detectors={"spectral": quiet}), None))
    still = scan_lines(replace(scanned, detectors={"spectral": replace(quiet, false_alarm_rate=0.0)}), None)
    assert next(line for line in still if "spectral" in line and "1.50" in line).split()[3:5] == ["%", "-"]
    assert "- no threshold, because the scores do not vary" in still


def test_words_on_a_row(scanned):
    row = scanned.rows[1]
    assert plain(verdict_on(row)) == "labelled a, looks like b (98 %)"
    assert other_reasons(row) == ("x speaks for b",)
    assert verdict_on(replace(row, suggested_label=None)) == "labelled a"
    assert values_of(replace(row, values={"x": "1", "y": "(missing)"})) == "x 1, y (missing)"
    many = replace(row, also_flagged_by=dict.fromkeys(("a", "b", "c", "d"), "far"))
    assert flagged_also(many, decided=True) == "also flagged by a, b and 2 others"
    assert flagged_also(many, decided=False) == "a and 3 others: far"
    assert flagged_also(replace(row, also_flagged_by={}), decided=True) == ""


def test_a_long_text_is_cut(scanned):
    row = replace(scanned.rows[1], values={"body": "word " * 70})
    line = next(line for line in scan_lines(replace(scanned, rows=(row,)), None) if line.startswith("    body word"))
    assert (len(line), line[-5:]) == (len("    ") + 240, "word…")


def test_hostile_text_cannot_steer_the_terminal(scanned):
    steering = "\x1b[2J\u202e"
    row = replace(scanned.rows[0], label=steering, values={steering: steering}, also_flagged_by={"spectral": steering})
    skipped = replace(scanned.detectors["activation"], skipped=steering)
    record = replace(scanned, rows=(row,), detectors=scanned.detectors | {"x": skipped})
    for one in (record, without_verdict(replace(record, rows=(row, row)))):
        assert not set("\n".join(scan_lines(one, 80))) & {"\x1b", "\u202e"}
