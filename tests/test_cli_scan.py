"""`toadstone scan` as a user meets it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from toadstone.commands.gates import gate_exceeded
from toadstone.records.header import SCHEMA_VERSIONS, DataSummary, Header, Source
from toadstone.records.scan import DetectorReport, ScanRecord


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Two classes with five rows far away, in an otherwise empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 100)
    X = rng.normal(size=(200, 3)) + 2.0 * y[:, None]
    X[:5] += 60.0
    lines = [f"{a:.6f},{b:.6f},{c:.6f},{label}" for (a, b, c), label in zip(X, y, strict=True)]
    (tmp_path / "rows.csv").write_text("a,b,c,label\n" + "\n".join(lines) + "\n")
    return tmp_path


def test_json_has_what_scripts_need(toadstone, table):
    outcome = toadstone("scan", "rows.csv", "--detectors", "mahalanobis,spectral", "--json")
    assert outcome.code == 0
    record = json.loads(outcome.out)
    assert list(record["detectors"]) == ["mahalanobis", "spectral"]
    for report in record["detectors"].values():
        assert {"flagged", "flagged_share", "false_alarm_rate", "seconds"} <= set(report)
    assert record["source"].items() >= {"name": "rows.csv", "location": "rows.csv"}.items()
    found = {flagged["position"] for flagged in record["rows"]}
    assert found >= set(range(5))
    assert record["data"]["n_train"] == 200


def test_the_folder_is_whole(toadstone, table):
    outcome = toadstone("scan", "rows.csv", "--detectors", "mahalanobis", "--out", "found")
    assert outcome.code == 0
    assert sorted(path.name for path in (table / "found").iterdir()) == [
        "record.json",
        "report.html",
        "scan.sarif",
        "suspects.csv",
    ]
    assert outcome.out.rstrip().endswith("Report: found/report.html")
    again = toadstone("scan", "rows.csv", "--detectors", "mahalanobis", "--out", "found")
    assert (again.code, again.err) == (
        2,
        "toadstone: `--out`: expected a name that is not taken, got found, which exists; --force replaces results\n",
    )


def test_the_gate(toadstone, table):
    options = ("scan", "rows.csv", "--detectors", "mahalanobis", "--fail-if-flagged-above")
    assert toadstone(*options, 0.5).code == 0
    failed = toadstone(*options, 0.001)
    assert failed.code == 1
    assert failed.err.startswith("toadstone: gate failed: a detector flags 0.")


def test_the_gate_on_false_alarm_rates(toadstone, table):
    calm = toadstone("scan", "rows.csv", "--detectors", "mahalanobis", "--json", "--fail-if-exceeded")
    report = json.loads(calm.out)["detectors"]["mahalanobis"]
    assert report["flagged_share"] < report["smallest_detectable_share"]
    assert (calm.code, calm.err) == (0, "")
    strict = toadstone(
        "scan", "rows.csv", "--detectors", "mahalanobis", "--false-alarm-rate", 0.001, "--json", "--fail-if-exceeded"
    )
    report = json.loads(strict.out)["detectors"]["mahalanobis"]
    assert report["flagged_share"] >= report["smallest_detectable_share"]
    assert strict.code == 1
    assert strict.err == (
        "toadstone: gate failed: more rows are flagged than clean data account for: "
        f"mahalanobis {report['flagged_share']:.4g}\n"
    )


def test_a_scan_of_rows_that_do_not_vary_is_undecided(toadstone, table):
    (table / "same.csv").write_text("a,label\n" + "3,x\n3,y\n" * 20)
    outcome = toadstone("scan", "same.csv", "--detectors", "mahalanobis,spectral", "--fail-if-exceeded")
    assert outcome.code == 1
    assert "No detector has a threshold" in " ".join(outcome.out.split())
    assert outcome.err == (
        "toadstone: gate undecided, which fails: no detector has a threshold; poison may have been missed\n"
    )


def test_a_scan_in_which_nothing_ran_is_undecided(capsys):
    header = Header("scan", SCHEMA_VERSIONS["scan"], "", "", 0, 1, None, {}, {})
    data = DataSummary(10, 5, 3, 1.0, (), "real", "none", "held out")
    skipped = {"deep-knn": DetectorReport(0, 0.0, 0.0, 0.0, 0.1, skipped="a class of one row")}
    assert gate_exceeded(ScanRecord(header, Source("rows.csv"), data, 0, (), skipped), named=False) == 1
    assert capsys.readouterr().err == (
        "toadstone: gate undecided, which fails: no detector ran; poison may have been missed\n"
    )


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (("--detectors", "magic"), "`detector`: expected one of spectral"),
        (("--false-alarm-rate", 0.7), "`--false-alarm-rate`: expected a number in (0, 0.1], got 0.7"),
        (("--fail-if-flagged-above", 2), "`--fail-if-flagged-above`: expected a number from 0 to 1"),
    ],
)
def test_bad_options(toadstone, table, wrong, sentence):
    outcome = toadstone("scan", "rows.csv", *wrong)
    assert outcome.code == 2
    assert sentence in outcome.err
    assert outcome.out == ""


def test_trusted_rows(toadstone, table):
    rng = np.random.default_rng(1)
    rows = [[*(rng.normal(size=3) + 2.0 * (i % 2)), i % 2] for i in range(200)]
    (table / "checked.csv").write_text("a,b,c,label\n" + "\n".join(",".join(map(str, row)) for row in rows) + "\n")
    outcome = toadstone("scan", "rows.csv", "--detectors", "mahalanobis,roni", "--trusted", "checked.csv", "--json")
    record = json.loads(outcome.out)
    assert (outcome.code, record["trusted_rows"]) == (0, 200)
    assert {report["thresholds"] for report in record["detectors"].values()} == {"trusted rows"}
    assert {flagged["position"] for flagged in record["rows"]} <= set(range(200))
    words = toadstone("scan", "rows.csv", "--detectors", "mahalanobis", "--trusted", "checked.csv").out
    assert "Their thresholds come from 200 trusted rows" in " ".join(words.split())
    overlap = toadstone("scan", "rows.csv", "--detectors", "mahalanobis", "--trusted", "rows.csv")
    assert (overlap.code, overlap.out) == (2, "")
    assert overlap.err.startswith("toadstone: `--trusted`: expected rows that are not among the untrusted ones")
