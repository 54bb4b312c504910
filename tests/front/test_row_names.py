"""Rows by name in the results of the front door, and kept rows that were not judged."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from importlib import import_module

import numpy as np
import pyarrow.parquet as pq
import pytest

import toadstone
from toadstone.core.row_names import RowNames
from toadstone.datasets import read
from toadstone.datasets.readers.request import Request
from toadstone.datasets.split import RowAside, Split
from toadstone.front.inputs import Given, open_data

KEYS = [f"k{row}" for row in range(120)]


class Raw:
    """Values of the source by the names of the prepared columns that ask for them."""

    def describe(self, position, features):
        return f"row {position} as it stands, columns {features}"

    def column(self, feature):
        return "ab"[feature]

    def values(self, positions, feature):
        return [f"row {position} as it stands" for position in positions]

    def cells(self, column):
        return None


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """A file of 120 rows, the first three far off."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    y = np.repeat(["ham", "spam"], 60)
    X = rng.normal(size=(120, 2)) + 2.0 * (y == "spam")[:, None]
    X[:3] += 60.0
    lines = [f"{a:.4f},{b:.4f},{label}\n" for (a, b), label in zip(X, y, strict=True)]
    (tmp_path / "rows.csv").write_text("a,b,label\n" + "".join(lines))
    return tmp_path / "rows.csv"


@pytest.fixture
def split(rows) -> Split:
    return replace(
        read(rows), row_names=RowNames("id", names=KEYS, column="key"), raw=Raw(), notes=("the separator is ','",)
    )


OPTIONS = {"scan": {"detectors": "mahalanobis"}, "defend": {}, "sanitize": {}}


@pytest.mark.parametrize("name", list(OPTIONS))
def test_the_same_name_in_every_output(split, name, tmp_path, listing):
    listing(1, 2, group=[0])
    result = getattr(toadstone, name)(split, **OPTIONS[name])
    frame = result.to_frame()
    entries = result.record["removed"] if name == "sanitize" else json.loads(result.to_json())
    entries = entries if name == "sanitize" else entries["rows" if name == "scan" else "removals"]
    named = [entry["row"] for entry in entries]
    assert {"k0", "k1", "k2"} & set(named)
    assert named == [KEYS[entry["position"]] for entry in entries] == list(frame["key"])
    folder = result.save(tmp_path / "out")
    table = {"scan": "suspects.csv", "defend": "removals.csv", "sanitize": "removed.csv"}[name]
    with open(folder / table, newline="", encoding="utf-8") as stream:
        assert [row["key"] for row in csv.DictReader(stream)] == named
    text = " ".join(str(result).split())
    assert f"key '{named[0]}'{': labelled' if name == 'scan' else ','} ham" in text
    assert "Rows are named by column 'key'. Note: the separator is ','" in text
    if name != "sanitize":
        page = (folder / "report.html").read_text("utf-8")
        assert (f">key &#39;{named[0]}&#39;</bdi>" if name == "scan" else f">{named[0]}</bdi>") in page
        assert "Rows are named by column &#39;key&#39;." in page
    if name == "scan":
        results = json.loads((folder / "scan.sarif").read_text("utf-8"))["runs"][0]["results"]
        places = [one["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] for one in results]
        assert places == [f"#row={row}" for row in named]
        assert results[0]["message"]["text"].startswith(f"key '{named[0]}', labelled ham: ")


def test_an_audit_names_its_suspects(split, tmp_path):
    result = toadstone.audit(split, ridge=0.3, attacks=(), workers=1)
    assert [KEYS[row.position] for row in result.record.suspects] == [row.row for row in result.record.suspects]
    assert result.record.suspects[0].preview.startswith("row ")
    with open(result.save(tmp_path / "out") / "suspects.csv", newline="", encoding="utf-8") as stream:
        assert [row["key"] for row in csv.DictReader(stream)] == list(result.to_frame()["key"])


def test_an_evaluation_and_a_certificate_say_how_the_data_were_read(split):
    certified = str(toadstone.certify(split, fraction=0.03, ridge=0.3))
    evaluated = toadstone.evaluate(split, attacks="random-flip", defences="label-errors", seeds=1, workers=1)
    attacked = toadstone.attack(split, method="label-flip", ridge=0.3, workers=1)
    for text in (certified, str(evaluated), str(attacked)):
        assert "Columns: 2 numbers standardised." in text
        assert "Note: the separator is ','" in text
    assert evaluated.record.source.id_column == "key"


def test_previews_show_values_as_they_stand(split):
    shown = toadstone.scan(split, detectors="mahalanobis").record.rows[0]
    assert set(shown.values.values()) == {f"row {shown.position} as it stands"}
    assert set(shown.values) <= {"a", "b"}


@pytest.mark.parametrize(
    ("names", "title", "expected"),
    [
        (RowNames(), "row", [1, 3]),
        (RowNames("index", first=0), "row", [0, 2]),
        (RowNames("line", names=[2, 4, 7]), "row", [2, 7]),
        (RowNames("index", names=["x", "y", "z"]), "row", ["x", "z"]),
        (RowNames("id", names=["7", "8", "9"], column="key"), "key", ["7", "9"]),
        (RowNames("id", names=["7", "8", "9"], column="label"), "row", ["7", "9"]),
    ],
)
def test_files_and_arrays_get_a_column_of_names(split, names, title, expected):
    given = Given(replace(split, row_names=names), None, None)
    frame = given.table([0, 2], {"label": ["ham", "ham"]})
    assert list(frame.columns) == [title, "label"]
    assert frame[title].tolist() == expected


ASIDE = (RowAside(4, "c", "class too small"), RowAside(9, "", "no label"), RowAside(20, "ham", "missing value", True))


def without_aside(given: Given) -> Given:
    """The same data, of which three rows are not judged."""
    whole = given.split.whole()
    left = whole.take(np.flatnonzero(~np.isin(whole.row_ids, [row.position for row in ASIDE])))
    return replace(given, split=replace(given.split, train=left, test_origin="stored test split", aside=ASIDE))


@pytest.fixture
def request_of_labels():
    return Request(label="label")


def test_kept_rows_that_were_not_judged_are_in_the_file(rows, request_of_labels, tmp_path):
    given = without_aside(open_data(str(rows), request_of_labels))
    given.write_kept(given.split.train.take(np.arange(1, 117)), tmp_path, stem="kept")
    lines = rows.read_text().splitlines()
    assert (tmp_path / "kept.csv").read_text().splitlines() == [
        line for place, line in enumerate(lines) if place not in (1, 21)
    ]


def test_kept_rows_that_were_not_judged_are_in_the_data_frame(rows, request_of_labels, tmp_path):
    frame = import_module("pandas").read_csv(rows)
    frame.index = KEYS
    given = without_aside(open_data(frame, request_of_labels))
    kept = given.keep(given.split.train)
    assert list(kept.index) == [key for row, key in enumerate(KEYS) if row != 20]
    given.write_kept(given.split.train, tmp_path, stem="cleaned")
    assert pq.read_table(tmp_path / "cleaned.parquet").num_rows == 119


def test_arrays_say_that_rows_without_a_prepared_form_are_missing(split, request_of_labels, tmp_path):
    given = without_aside(open_data(split, request_of_labels))
    with pytest.warns(UserWarning, match="what is kept lacks 2 rows that were not judged and have no prepared form"):
        assert given.keep(given.split.train)[0].shape == (117, 2)
    with pytest.warns(UserWarning, match=r"kept\.npz lacks 2 rows"):
        given.write_kept(given.split.train, tmp_path, stem="kept")


def test_rows_of_a_defence_are_accounted_for(split, listing):
    listing(1, 2, group=[0])
    aside = without_aside(Given(split, None, None)).split
    aside = replace(aside, test_origin="20 % held out at random", test=aside.train.take(np.arange(5)))
    aside = replace(aside, train=aside.train.take(np.arange(5, 117)))
    for name in ("sanitize", "defend"):
        result = getattr(toadstone, name)(aside, **OPTIONS[name])
        text = " ".join(str(result).split())
        removed = len(result.record["removed"]) if name == "sanitize" else result.record.removed
        assert f"120 rows read = {119 - removed} kept + {removed} removed + 1 dropped." in text
        assert "1 row is kept without being judged (class too small; 'c': 1 row): key 'k4'." in text
        assert "1 row was dropped as asked (missing value; 'ham': 1 row): key 'k20'." in text
    assert "1 row is kept without being judged (no label): key 'k9'." in str(toadstone.scan(aside, **OPTIONS["scan"]))
