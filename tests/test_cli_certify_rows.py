"""`toadstone certify --method`: which test rows can be changed, and by whom."""

import csv
import json

import numpy as np
import pytest


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """A table of two classes from four hospitals over ten weeks, in the current directory."""
    rng = np.random.default_rng(0)
    kinds = np.where(np.arange(200) % 2 == 0, "ill", "well")
    X = rng.normal(size=(200, 2)) + 2.0 * (kinds == "well")[:, None]
    hospitals = rng.choice(["north", "south", "east", "west"], 200)
    dates = np.datetime64("1970-01-01") + np.sort(rng.integers(0, 70, 200))
    lines = ["one,two,hospital,seen,label"]
    lines += [
        f"{a:.4f},{b:.4f},{where},{date},{kind}"
        for (a, b), where, date, kind in zip(X, hospitals, dates, kinds, strict=True)
    ]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "rows.csv"


def table(rows):
    with (rows.parent / "made" / "rows.csv").open(newline="") as file:
        return list(csv.DictReader(file))


UNITS = {
    "votes": ("--group", "hospital"),
    "label-flips": ("--group", "hospital", "--ridge", 0.1),
    "temporal": ("--time", "seen", "--period", 7, "--drop", "hospital"),
}


@pytest.mark.parametrize("method", UNITS)
def test_rows_and_units_are_named_and_agree(toadstone, rows, method):
    made = toadstone("certify", rows, "--method", method, *UNITS[method], "--out", "made", "--json")
    first, points = json.loads(made.out)[0], table(rows)
    points = points[: first["queries"]]
    source = rows.read_text().splitlines()
    for one in points:
        assert source[int(one["line"]) - 1].endswith(f",{one['label']}")
        assert {one["prediction"], one["rival"]} == {"ill", "well"}
        assert (int(one["count"]) == 0) == (one["changed_by"] != "")
    right = sum(one["prediction"] == one["label"] for one in points)
    assert right / len(points) == pytest.approx(first["accuracy"])
    named = [name for one in points for name in one["changed_by"].split("; ") if name]
    assert named
    assert {one["unit"]: one["changes"] for one in first["alone"] if one["changes"]} == {
        name: named.count(name) for name in named
    }
    assert sum(one["rows"] for one in first["alone"]) == first["n_train"]
    if method == "temporal":
        assert {one["unit"] for one in first["alone"]} == {str(np.datetime64("1970-01-01") + 7 * w) for w in range(10)}


@pytest.mark.parametrize("options", [("neighbours", "--k", 5), ("votes", "--partitions", 7)])
def test_without_named_units_rows_are_still_listed(toadstone, rows, options):
    point = json.loads(toadstone("certify", rows, "--method", *options, "--out", "made", "--json").out)[0]
    assert point["alone"] == []
    assert list(table(rows)[0]) == ["line", "label", "prediction", "count", "rival"]
    assert len(table(rows)) == point["queries"]


def test_rows_of_several_settings_say_which(toadstone, rows):
    toadstone("certify", rows, "--method", "neighbours", "--k", 5, "--k", 9, "--out", "made")
    assert [one["setting"] for one in table(rows)] == ["neighbours 5"] * 40 + ["neighbours 9"] * 40


def test_python_has_the_same_table(rows):
    import toadstone

    found = toadstone.certify(rows, method="votes", group="hospital")
    frame = found.predictions()
    assert list(frame.columns) == ["row", "label", "prediction", "count", "rival", "changed_by"]
    assert (frame["count"] == found.certificates[0].counts).all()


def said(outcome):
    return " ".join(outcome.split())


def test_text_and_page_name_the_worst_hospitals_in_plain_words(toadstone, rows):
    made = toadstone("certify", rows, "--method", "votes", "--group", "hospital", "--out", "made")
    page = (rows.parent / "made" / "report.html").read_text()
    record = json.loads((rows.parent / "made" / "record.json").read_text())["summaries"][0]
    worst = record["alone"][0]
    for text in (said(made.out), said(page)):
        assert f"{worst['unit']} ({worst['rows']} rows): alone can change {worst['changes']} of 40 predictions" in text
        assert "training rows of each hospital that it controls" in text
        assert "values of hospital" not in text
        assert "Pipeline(" not in text
    assert "those of a linear model, trained for each voter" in said(made.out)
    assert record["certified_few"]["1"] <= min(record["unchanged"]["1"], record["accuracy"])
    assert "right or wrong" in made.out
    assert "right, and so many units cannot change it" in said(made.out)


def test_the_threshold_counts_whole_hospitals(toadstone, rows):
    failed = toadstone("certify", rows, "--method", "votes", "--group", "hospital", "--fail-if-certified-below", 1)
    assert failed.code == 1
    counted = "with 1 of the 4 units, each one hospital (1 % of them, rounded up to whole ones), below 1"
    assert counted in said(failed.err)


def test_periods_are_explained_and_one_alone_says_little(toadstone, rows):
    asked = ("certify", rows, "--method", "temporal", "--time", "seen", "--drop", "hospital", "--period")
    weeks, years = said(toadstone(*asked, 7).out), said(toadstone(*asked, 900).out)
    assert "whatever arrived in any one of the 10 periods of 7 days by seen (duration)" in weeks
    assert "Duration: poison lies in so many successive periods" in weeks
    assert "Earliness: poison lies in the most recent periods" in weeks
    assert "say little" not in weeks
    assert "in the only period of 900 days by seen" in years
    assert "There is one period only" in years
    # Days are left empty where there are more of them than rows.
    assert "periods have no training row: the figures say little" in said(toadstone(*asked, 0.1).out)


def test_the_best_of_several_settings_is_called_so(toadstone, rows):
    out = said(toadstone("certify", rows, "--method", "label-flips").out)
    assert "settings on these test rows)" in out
    assert "of 40 test rows, 20 % held out at random, stratified, seed 0; its 95 % interval is" in out
    assert "settings on these" not in said(toadstone("certify", rows, "--method", "label-flips", "--ridge", 1).out)
