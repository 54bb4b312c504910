import csv
import dataclasses
import os

import pytest

from toadstone.records.audit import Suspect
from toadstone.records.header import Source
from toadstone.report.files.tables import (
    write_listed_rows,
    write_relabelled_rows,
    write_removed_rows,
    write_scores,
    write_suspects,
)

ROWS = Source("rows")


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def suspect(label="ham", preview="text", **changes):
    return dataclasses.replace(Suspect("4", 3, label, {"slab": 1}, ("slab",), 0.5, preview), **changes)


def test_every_figure_is_in_the_table(record, tmp_path):
    write_suspects(record.suspects, ROWS, tmp_path / "suspects.csv")
    rows = read(tmp_path / "suspects.csv")
    assert list(rows[0]) == [
        "row",
        "label",
        "suspicion",
        "removed_by",
        "rank_sphere",
        "rank_slab",
        "rank_loss",
        "rank_subspace",
        "rank_neighbours",
        "preview",
    ]
    for row, expected in zip(rows, record.suspects, strict=True):
        assert row["row"] == expected.row
        assert float(row["suspicion"]) == expected.suspicion
        assert tuple(filter(None, row["removed_by"].split(";"))) == expected.removed_by
        assert {name: int(row[f"rank_{name}"]) for name in expected.ranks} == expected.ranks
        assert (row["label"], row["preview"]) == (expected.label, expected.preview)


def test_sanitizers_that_rank_only_some_rows_leave_blanks(tmp_path):
    write_suspects([suspect(ranks={"a": 1}), suspect(ranks={"b": 2})], ROWS, tmp_path / "s.csv")
    assert [(row["rank_a"], row["rank_b"]) for row in read(tmp_path / "s.csv")] == [("1", ""), ("", "2")]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", "＋", "－", "＠"])
def test_no_cell_starts_a_formula(tmp_path, start):
    attack = f'{start}HYPERLINK("x")'
    write_suspects([suspect(attack, attack, removed_by=(attack,))], ROWS, tmp_path / "s.csv")
    (row,) = read(tmp_path / "s.csv")
    assert row["label"] == row["preview"] == row["removed_by"] == f"'{attack}"


@pytest.mark.parametrize("label", ["-1", "+1", "1", "-0.5", "1e-3", "a=b", "spam"])
def test_plain_labels_stay_as_they_are(tmp_path, label):
    write_suspects([suspect(label)], ROWS, tmp_path / "s.csv")
    assert read(tmp_path / "s.csv")[0]["label"] == label


@pytest.mark.parametrize("label", ["-1+cmd|' /C calc'!A0", "-1\n=2", "-١"])
def test_a_number_with_a_tail_is_no_number(tmp_path, label):
    write_suspects([suspect(label)], ROWS, tmp_path / "s.csv")
    assert read(tmp_path / "s.csv")[0]["label"] == f"'{label}".replace("\n", r"\n")


@pytest.mark.parametrize("start", ["\t", "\r", "\n", "\x1b", "\u202e", "\ufeff"])
def test_what_a_spreadsheet_would_skip_before_a_formula_is_written_as_an_escape(tmp_path, start):
    write_suspects([suspect(f"{start}=1+1")], ROWS, tmp_path / "s.csv")
    label = read(tmp_path / "s.csv")[0]["label"]
    assert label == start.encode("unicode_escape").decode() + "=1+1"


def test_awkward_text_is_shown_on_one_line(tmp_path):
    text = 'commas, "quotes",\nlines; 防御 😀 \ud800'
    write_suspects([suspect(preview=text)], ROWS, tmp_path / "s.csv")
    assert read(tmp_path / "s.csv")[0]["preview"] == text.replace("\ud800", "\\ud800").replace("\n", r"\n")


def test_no_suspects_leave_a_table_without_rows(tmp_path):
    write_suspects([], ROWS, tmp_path / "s.csv")
    assert (tmp_path / "s.csv").read_text("utf-8") == "row,label,suspicion,removed_by,preview\n"


def test_rows_are_named_under_the_heading_of_their_source(tmp_path):
    for source, heading in (
        (Source("a.csv", numbering="line"), "line"),
        (Source("arrays", numbering="index"), "index"),
        (Source("a.csv", numbering="id", id_column="=mail"), "'=mail"),
        (Source("a.csv", numbering="id", id_column="label"), "row"),
    ):
        write_suspects([suspect(row="@4")], source, tmp_path / "s.csv")
        (row,) = read(tmp_path / "s.csv")
        assert (next(iter(row)), row[heading]) == (heading, "'@4")


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    target = tmp_path / "s.csv"
    target.write_text("old", "utf-8")

    def refuse(source, destination):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        write_suspects([suspect()], ROWS, target)
    assert target.read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_listed_rows_are_safe_for_spreadsheets(scanned, tmp_path):
    rows = (dataclasses.replace(scanned.rows[0], label="=cmd()"), *scanned.rows[1:])
    write_listed_rows(dataclasses.replace(scanned, rows=rows), tmp_path / "suspects.csv")
    first, second, third = read(tmp_path / "suspects.csv")
    assert (first["line"], first["label"], first["suggested_label"]) == ("9", "'=cmd()", "b")
    assert first["also_flagged_by"] == "deep-knn: neighbours of b; spectral: too far"
    assert (second["line"], second["score"], second["values"], second["group"]) == ("5", "0.9", "x 1", "")
    assert (third["group"], third["reasons"]) == ("0", "shares width = 99")


def test_scores_of_all_rows_stand_in_a_table(scanned, scores, tmp_path):
    write_scores(scores, scanned.source, tmp_path / "scores.csv")
    rows = read(tmp_path / "scores.csv")
    assert [row["line"] for row in rows] == ["5", "9", "40", "77"]
    assert [row["listed"] for row in rows] == ["1", "1", "1", "0"]
    assert [row["group"] for row in rows] == ["", "", "0", ""]
    assert (rows[3]["score"], rows[3]["label"], rows[3]["flagged_by"]) == ("0.333333", "'=b()", "")
    assert (rows[1]["wrong_probability"], rows[1]["flagged_by"]) == ("0.99", "deep-knn;spectral")
    bare = dataclasses.replace(scores, wrong_probability=None, suggested=None, suggestion_probability=None)
    write_scores(bare, scanned.source, tmp_path / "scores.csv")
    assert {row["wrong_probability"] for row in read(tmp_path / "scores.csv")} == {""}


def test_removed_rows_are_safe_for_spreadsheets(defended, tmp_path):
    write_removed_rows(defended.removals, defended.source, tmp_path / "removals.csv")
    rows = read(tmp_path / "removals.csv")
    assert [(row["line"], row["step"], row["suspicion"]) for row in rows] == [
        ("9", "group", "0.999"),
        ("5", "label", "0.75"),
    ]
    assert rows[1]["label"] == "'=cmd()"
    write_relabelled_rows(defended.relabelled, defended.source, tmp_path / "relabelled.csv")
    (row,) = read(tmp_path / "relabelled.csv")
    assert (row["line"], row["label"], row["probability"]) == ("12", "'=cmd()", "0.93")
    assert not row["new_label"].startswith("=")
