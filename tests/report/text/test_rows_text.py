"""Rows by name, rows set aside and contradictions in sentences."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from toadstone.records.header import Source
from toadstone.records.rows import AsideKind, AsideRow, Contradiction, SetAside
from toadstone.report.text.rows_text import (
    aside_sentences,
    contradiction_sentence,
    named_rows,
    reading_lines,
    reading_sentences,
)

LINES = Source("rows.csv", "rows.csv", "line")
KEYS = Source("rows.csv", "rows.csv", "id", "key")


@pytest.mark.parametrize(
    ("source", "one", "two"),
    [
        (LINES, "line 5", "lines 5, 9"),
        (Source("adult"), "row 5", "rows 5, 9"),
        (Source("arrays", numbering="index"), "index 5", "indices 5, 9"),
        (KEYS, "key '5'", "key '5', '9'"),
    ],
)
def test_each_numbering_has_its_word(source, one, two):
    assert (named_rows(source, ["5"], 1), named_rows(source, ["5", "9"], 2)) == (one, two)


def test_eight_rows_are_named_and_the_others_counted():
    assert named_rows(LINES, [str(row) for row in range(20)], 1200) == "lines 0, 1, 2, 3, 4, 5, 6, 7 and 1,192 more"


def aside(count, label, reason="class too small", dropped=False):
    rows = tuple(AsideRow(str(row + 2), row, label, reason, dropped) for row in range(count))
    kind = AsideKind(reason, dropped, count, {label: count} if label else {})
    return SetAside(0 if dropped else count, count if dropped else 0, (kind,), rows)


def test_rows_set_aside_are_named_with_reason_and_fate():
    assert aside_sentences(LINES, SetAside()) == ()
    assert aside_sentences(LINES, aside(3, "c")) == (
        "3 rows are kept without being judged (class too small; 'c': 3 rows): lines 2, 3, 4.",
    )
    assert aside_sentences(LINES, aside(1, "", "no label")) == (
        "1 row is kept without being judged (no label): line 2.",
    )
    assert aside_sentences(KEYS, aside(2, "c", "missing value", dropped=True)) == (
        "2 rows were dropped as asked (missing value; 'c': 2 rows): key '2', '3'.",
    )


def test_many_small_classes_are_counted_beyond_the_fourth():
    kind = AsideKind("class too small", False, 6, {name: 1 for name in "abcdef"})
    (sentence,) = aside_sentences(LINES, SetAside(6, 0, (kind,), aside(6, "a").rows))
    assert "'a': 1 row, 'b': 1 row, 'c': 1 row, 'd': 1 row and 2 other labels)" in sentence


def test_contradictions_name_rows_and_labels():
    group = Contradiction(("3", "77"), (1, 75), ("ham", "spam"))
    assert contradiction_sentence(LINES, 0, ()) == ""
    assert contradiction_sentence(LINES, 1, (group,)) == (
        "1 group of rows is equal but for the label: lines 3, 77 (ham, spam)."
    )
    assert contradiction_sentence(LINES, 14, (group,) * 5) == (
        "14 groups of rows are equal but for the label: lines 3, 77 (ham, spam); lines 3, 77 (ham, spam); "
        "lines 3, 77 (ham, spam); 11 more."
    )
    many = replace(group, rows=("3",) * 9, positions=(1,) * 9, labels=("ham",) * 9)
    assert contradiction_sentence(LINES, 1, (many,)).endswith(
        " and 1 more (ham, ham, ham, ham, ham, ham, ham, ham, …)."
    )


def test_the_reading_is_one_line_and_the_notes():
    arrays = SimpleNamespace(preparation="as stored", columns=(), notes=())
    assert reading_sentences(arrays) == ("Features: as stored.",)
    table = SimpleNamespace(preparation="7 numbers; left out: id (an index)", columns=(1,), notes=("separator ';'",))
    assert reading_sentences(table, LINES) == (
        "Columns: 7 numbers; left out: id (an index). Rows are named by their line in the file, from 1.",
        "Note: separator ';'",
    )
    assert max(len(line) for text in reading_lines(table, 40, LINES) for line in text.splitlines()) <= 40
