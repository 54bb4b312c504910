"""A scan in sentences and lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from toadstone.report.text.scan_text import leading_detector, main_reason, next_step, scan_lines, scan_sentences


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


def calm(record, **changes):
    """The record with no detector beyond chance."""
    quiet = replace(record.detectors["spectral"], flagged=3, flagged_share=0.015, **changes)
    return replace(record, detectors={"spectral": quiet, "activation": record.detectors["activation"]})


def test_rows_to_look_at_come_first(scanned):
    assert scan_sentences(scanned, 10) == (
        "Look at these 2 rows first: spectral flags more rows than its false-alarm rate and chance explain.",
        "14 of 200 rows are flagged by at least one of 2 detectors.",
    )
    both = {name: replace(scanned.detectors["spectral"]) for name in ("spectral", "deep-knn")}
    one = replace(scanned, rows=scanned.rows[:1], detectors=both, trusted_rows=100)
    assert scan_sentences(one, 10) == (
        "Look at this row first: spectral and deep-knn flag more rows than their false-alarm rates and chance explain.",
        "14 of 200 rows are flagged by at least one of 2 detectors. Their thresholds come from 100 trusted rows, where "
        "these suffice.",
    )
    assert scan_sentences(replace(scanned, rows=scanned.rows * 9), 10)[0].startswith("Look at these 10 rows first")


def test_nothing_beyond_chance_is_said_first_and_rows_are_listed_all_the_same(scanned):
    first, flagged, undetected = map(plain, scan_sentences(calm(scanned), 10))
    assert first == "Nothing stands out: no detector flags more rows than its false-alarm rate and chance explain."
    assert flagged == (
        "14 of 200 rows are flagged by the one detector that ran (spectral). The most suspicious are listed all the "
        "same."
    )
    assert undetected.startswith("Poison on less than 4.5 % of the rows could have stayed undetected")
    assert "line 9" in "\n".join(scan_lines(calm(scanned), None))
    none = replace(calm(scanned), rows=(), flagged_rows=0)
    assert scan_sentences(none, 10)[1] == "0 of 200 rows are flagged by the one detector that ran (spectral)."


def test_the_smallest_share_is_the_least_of_those_with_a_threshold(scanned):
    quiet = calm(scanned).detectors["spectral"]
    still = replace(quiet, flagged_share=0.0, false_alarm_rate=0.0, smallest_detectable_share=0.01)
    sharp = replace(quiet, smallest_detectable_share=0.03)
    record = replace(scanned, detectors={"a": quiet, "b": still, "c": sharp})
    assert "less than 3.0 %" in plain(scan_sentences(record, 10)[2])


def test_detectors_without_thresholds_claim_nothing(scanned):
    first, _ = scan_sentences(calm(scanned, false_alarm_rate=0.0), 10)
    assert first == "No detector has a threshold, because its scores do not vary: poison would stay undetected."


def test_nothing_that_ran_means_nothing_checked(scanned):
    nothing = replace(scanned, detectors={"activation": scanned.detectors["activation"]}, rows=(), flagged_rows=0)
    assert scan_sentences(nothing, 10) == ("No detector could use these data: no row was checked.",)
    assert next_step(nothing).startswith("Next: nothing was decided")
    assert next_step(calm(scanned, false_alarm_rate=0.0)).startswith("Next: nothing was decided")


def test_the_next_step_follows_from_the_result(scanned):
    assert "given as --trusted, sharpen the thresholds" in next_step(scanned)
    assert next_step(replace(scanned, trusted_rows=9)).endswith("which reports the cost in accuracy.")
    assert "make smaller shares of poison detectable" in next_step(calm(scanned))
    assert "`toadstone audit` bounds the harm" in next_step(replace(calm(scanned), trusted_rows=9))


def test_the_leading_detector_ranks_the_row_first_among_those_that_flag_it(scanned):
    first, second = scanned.rows
    assert (leading_detector(first), main_reason(first)) == ("deep-knn", "deep-knn and 1 other: neighbours of b")
    assert main_reason(second) == "spectral: farther"
    unflagged = replace(first, ranks={"spectral": 2, "deep-knn": 1}, reasons={"spectral": "too far"})
    assert leading_detector(unflagged) == "spectral"
    tied = replace(first, ranks={"spectral": 1, "deep-knn": 1})
    assert leading_detector(tied) == "spectral"


@pytest.mark.parametrize("width", [80, 120])
def test_lines_fit_the_terminal(scanned, width):
    named = {**scanned.detectors, "local-outlier-factor": scanned.detectors["deep-knn"]}
    lines = [line for text in scan_lines(replace(scanned, detectors=named), width) for line in text.splitlines()]
    assert max(len(line) for line in lines if "https" not in line) <= width
    assert any("skipped: a class of one row" in line for line in lines)


def test_the_table_marks_what_chance_does_not_explain(scanned):
    lines = scan_lines(scanned, None)
    spectral, deep = (next(line for line in lines if line[2:].startswith(name)) for name in ("spectral", "deep-knn  "))
    assert spectral.split() == ["*", "spectral", "14", "7.00", "%", "2.00", "%", "4.50", "%", "0.2", "s"]
    assert deep.split()[:4] == ["deep-knn", "1", "0.50", "%"]
    assert "* more rows than the false-alarm rate and chance explain" in lines
    assert not any(line.startswith("*") for line in scan_lines(calm(scanned), None))
    still = scan_lines(calm(scanned, false_alarm_rate=0.0), None)
    assert next(line for line in still if "spectral" in line and "s" in line and "1.50" in line).split()[3:5] == [
        "%",
        "-",
    ]
    assert "- no threshold, because the scores do not vary" in still


def test_rows_show_label_preview_and_reason_and_the_others_are_counted(scanned):
    lines = scan_lines(scanned, None)
    assert lines[lines.index("  line 5, a: x 1") + 1] == "    spectral: farther"
    assert "  and 12 more, the first 2 in suspects.csv (--out)" in lines
    assert not any(
        "more" in line and line.startswith("  and") for line in scan_lines(replace(scanned, flagged_rows=2), None)
    )


def test_a_long_text_is_cut(scanned):
    record = replace(scanned, rows=(replace(scanned.rows[1], preview="word " * 70),))
    line = next(line for line in scan_lines(record, None) if line.startswith("  line 5, a: word"))
    assert (len(line), line[-5:]) == (len("  line 5, a: ") + 240, "word…")


def test_hostile_text_cannot_steer_the_terminal(scanned):
    steering = "\x1b[2J\u202e"
    row = replace(scanned.rows[0], label=steering, preview=steering, reasons={"spectral": steering})
    skipped = replace(scanned.detectors["activation"], skipped=steering)
    text = "\n".join(scan_lines(replace(scanned, rows=(row,), detectors=scanned.detectors | {"x": skipped}), 80))
    assert not set(text) & {"\x1b", "\u202e"}
