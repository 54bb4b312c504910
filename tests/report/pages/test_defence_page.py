"""Renderings of a defence: a page, a table, lines, sentences."""

from __future__ import annotations

import copy
import csv
import json
from dataclasses import fields, replace
from html.parser import HTMLParser

import pytest
from jsonschema import Draft202012Validator

from toadstone.records.audit import ClassCount, DataSummary
from toadstone.records.defence import AccuracyChange, DefenceRecord, DefenceStep, RemovedRow
from toadstone.report.files.schema import load_defence_schema
from toadstone.report.files.tables import write_removed_rows
from toadstone.report.pages.defence_page import render_defence
from toadstone.report.text.defence_text import defence_lines, defence_sentences

HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"


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


@pytest.fixture
def defended() -> DefenceRecord:
    """A cut filter, a skipped one and a validation, of data that mean harm."""
    classes = (ClassCount("a", 120, 30), ClassCount("b", 80, 20))
    data = DataSummary(HOSTILE, "0" * 64, 200, 50, 3, 1.0, classes, "real", "none", "published")
    steps = (
        DefenceStep("mahalanobis", "filter", 9, 2, 0.01, 0.01, 0.9, 0.88, 0.02, "7 flagged rows stay", "", 0.1),
        DefenceStep("spectral", "filter", 0, 0, 0.0, 0.01, 0.88, 0.88, None, "", "a class of one row", 0.1),
        DefenceStep("robust fit", "robust", 0, 0, 0.0, 0.01, 0.88, 0.91, None, "", "", 0.1),
        DefenceStep("validation", "validation", 0, 0, 0.0, 0.01, 0.9, 0.91, None, "", "", 0.1),
    )
    removals = (
        RemovedRow(7, HOSTILE, "mahalanobis", 12.5, "too far"),
        RemovedRow(3, "=cmd()", "mahalanobis", 9.25, HOSTILE),
    )
    return DefenceRecord(
        command=f"toadstone defend '{HOSTILE}'",
        created="2026-01-02T03:04:05+00:00",
        toadstone_version="0.1.0",
        seed=0,
        source="rows.csv",
        data=data,
        max_removed=0.01,
        learner="linear",
        ridge=0.1,
        ridge_origin="as asked",
        measure="accuracy on the 100 trusted rows",
        trusted_rows=100,
        rows=200,
        kept=198,
        accuracy_before=0.9,
        accuracy_after=0.91,
        steps=steps,
        removals=removals,
        log=("a line",),
        test_error_before=0.08,
        test_error_after=0.04,
        accuracy_change=AccuracyChange(100, 0.9, 0.826, 0.945, 0.91, 0.838, 0.952, -0.01, -0.06, 0.041),
        test_change=AccuracyChange(50, 0.92, 0.81, 0.968, 0.96, 0.865, 0.989, -0.04, -0.137, 0.042),
    )


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


def problems(record):
    return [error.message for error in Draft202012Validator(load_defence_schema()).iter_errors(record)]


def test_records_satisfy_the_schema_and_survive(defended):
    Draft202012Validator.check_schema(load_defence_schema())
    bare = replace(defended, accuracy_before=None, accuracy_after=None, accuracy_change=None, removals=())
    bare = replace(bare, test_error_before=None, test_error_after=None, test_change=None)
    for record in (defended, bare):
        assert problems(json.loads(record.to_json())) == []
        assert DefenceRecord.from_json(record.to_json()) == record


@pytest.mark.parametrize(
    ("part", "noun"),
    [(None, DefenceRecord), ("step", DefenceStep), ("removal", RemovedRow), ("change", AccuracyChange)],
)
def test_every_field_is_described_and_required(part, noun):
    schema = load_defence_schema()
    found = schema if part is None else schema["$defs"][part]
    assert set(found["properties"]) == set(found["required"]) == {field.name for field in fields(noun)}
    assert found["additionalProperties"] is False


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema_version",), "2.0"),
        (("max_removed",), 0.5),
        (("steps",), []),
        (("steps", 0, "layer"), "magic"),
        (("steps", 0, "share_so_far"), 1.1),
        (("steps", 0, "accuracy_before"), "0.9"),
        (("removals", 0, "row"), -1),
        (("removals", 0, "step"), ""),
        (("accuracy_change", "rows"), 0),
        (("test_change", "drop_low"), -1.1),
    ],
)
def test_what_makes_no_sense_is_refused(defended, path, value):
    broken = part = copy.deepcopy(json.loads(defended.to_json()))
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    assert len(problems(broken)) == 1
