"""Sentences on numeric targets."""

import dataclasses

import pytest

from toadstone.records.regression import TargetFinding
from toadstone.report.pages.regression_page import render_target_defence, render_target_scan
from toadstone.report.regression.regression_text import (
    attack_lines,
    defence_lines,
    evidence_sentence,
    format_target,
    next_step,
    scan_lines,
    scan_sentences,
)


def plain(lines):
    return "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ")


def test_a_row_says_what_stands_there_and_what_is_expected(target_scan):
    text = plain(scan_lines(target_scan, None))
    assert "line 12: 4,100 where 310 (250 to 380) is expected, 97.0 % sure" in text
    assert "line 92: -0.25 where 310 (250 to 380) is expected" in text
    assert "In brackets: where 90 % of right targets of such rows lie." in text
    assert text.startswith("2 of 300 rows have targets (")
    assert "that look wrong, fewer than one of them wrongly so." in text
    assert "The data prefer 1.4 % wrong targets (0.4 to 3.2 %) to none, more than 100,000 to 1." in text


def test_rows_for_review_are_not_called_wrong(target_scan):
    evidence = TargetFinding(0.35, 0.3, 0.4, 2.0, supported=False)
    record = dataclasses.replace(target_scan, evidence=evidence)
    lead, why = scan_sentences(record)
    assert lead.endswith("2 rows are listed for review.")
    assert "is called wrong" in lead
    assert plain([why]) == (
        "The data cannot tell wrong targets from right ones that are predicted badly: 35.0 % (30.0 to 40.0 %) would "
        "be wrong, 7 to 1 against none."
    )
    assert " sure" not in plain(scan_lines(record, None))
    assert "Wrong: probability" not in render_target_scan(record)
    assert "for review" in next_step(record)
    assert "Rows for review" in render_target_scan(record)


def test_columns_that_say_nothing_of_the_target_are_named_as_the_cause():
    found = TargetFinding(0.35, 0.3, 0.4, 2.0, supported=False, explained=0.04)
    assert "The other columns hardly predict the target" in evidence_sentence(found)
    assert "hardly" not in evidence_sentence(dataclasses.replace(found, explained=0.4))


def test_no_evidence_says_so():
    assert "no sign of wrong targets" in evidence_sentence(TargetFinding(0.0, 0.0, 0.01, -3.0, supported=False))


@pytest.mark.parametrize(
    ("value", "like", "text"),
    [
        (4100.0, None, "4,100"),
        (0.1 + 0.2, None, "0.3"),
        (309.87, 0.5, "309.87"),
        (1234.5, 900.0, "1,234"),
        (5.0, 0.0, "5"),
    ],
)
def test_targets_are_written_in_their_units(value, like, text):
    assert format_target(value, like) == text


def test_a_defence_says_what_it_brought_and_what_it_spared(target_defence, page_of):
    text = plain(defence_lines(target_defence, None))
    assert text.startswith("1 of 300 rows removed, fewer than one of them wrongly so.")
    assert "1 listed row stays: no more than 0.5 % of the rows may be removed." in text
    assert "303 rows read = 301 kept + 1 removed + 1 dropped." in text
    assert (
        "(trusted rows): mean absolute error 31.5 without the defence, 20.2 with it: 11.2 lower (95 % interval "
        "of the change -15 to -7.5)." in text
    )
    page = page_of(render_target_defence(target_defence))
    assert [plain([cell]) for cell in page.rows(0)[1]] == [
        "ridge",
        "trusted rows",
        "20",
        "31.5",
        "20.2",
        "11.2 lower (95 % interval of the change -15 to -7.5)",
    ]


def test_a_defence_that_nothing_can_judge_says_so(target_defence):
    text = plain(defence_lines(dataclasses.replace(target_defence, errors=()), None))
    assert "What this brings or costs is not known" in text


def test_an_attack_is_a_table_of_defences(target_attack):
    lines = attack_lines(target_attack, None)
    assert lines[0].replace("\N{NO-BREAK SPACE}", " ") == "ridge-poisoning: 30 rows added among 300 rows (10 %)."
    assert [line.split() for line in lines if line.startswith("  trim")] == [["trim", "20", "20", "30", "0"]] or [
        line.split() for line in lines if line.startswith("  trim")
    ] == [["trim", "19.5", "20", "30", "0"]]
