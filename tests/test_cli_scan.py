"""`toadstone scan` as a user meets it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from toadstone.commands.gates.limits import gate_exceeded, gate_flagged, gate_groups, gate_rows
from toadstone.pipeline.scan import NEEDS_TRUSTED
from toadstone.records.header import SCHEMA_VERSIONS, DataSummary, Header, Source
from toadstone.records.scan import DetectorReport, ScanRecord, VerdictReport


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Two classes with five rows far away and from each other, in an otherwise empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 100)
    X = rng.normal(size=(200, 3)) + 2.0 * y[:, None]
    X[:5] += 60.0 * np.array([[1, 1, 1], [-1, -1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, -1]])
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
        "scores.csv",
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
    # Eight rows far out in all directions, where the table has five in one place.
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 100)
    X = rng.normal(size=(200, 3)) + 2.0 * y[:, None]
    X[:8] += rng.choice([-1, 1], (8, 3)) * rng.uniform(20, 90, (8, 3))
    lines = [",".join([*(f"{value:.6f}" for value in row), str(label)]) for row, label in zip(X, y, strict=True)]
    (table / "far.csv").write_text("a,b,c,label\n" + "\n".join(lines) + "\n")
    strict = toadstone(
        "scan", "far.csv", "--detectors", "mahalanobis", "--false-alarm-rate", 0.001, "--json", "--fail-if-exceeded"
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


def bare_record(**changes) -> ScanRecord:
    """A scan by one detector that did not run, without a verdict."""
    facts = {
        "header": Header("scan", SCHEMA_VERSIONS["scan"], "", "", 0, 1, None, {}, {}),
        "source": Source("rows.csv"),
        "data": DataSummary(200, 5, 3, 1.0, (), "real", "none", "held out"),
        "verdict": None,
        "listed_rows": 0,
        "rows": (),
        "expected_innocents": None,
        "evidence": None,
        "findings": (),
        "group_count": 0,
        "grouped_rows": 0,
        "review": (),
        "review_rows": 0,
        "worth_checking": (),
        "detectors": {"deep-knn": DetectorReport(0, 0.0, 0.0, 0.0, 0.1, skipped="a class of one row")},
        "flagged_by_any": 0,
        "union_false_alarm_rate": 0.0,
    }
    return ScanRecord(**facts | changes)


def judged(record, limit=1.0, *, named=False):
    return gate_exceeded(record, named=named), gate_flagged(record, limit, named=named)


def test_a_scan_in_which_nothing_ran_is_undecided(capsys):
    assert judged(bare_record()) == (1, 1)
    assert capsys.readouterr().err.splitlines() == 2 * [
        "toadstone: gate undecided, which fails: deep-knn did not run: a class of one row; poison may have been missed"
    ]
    assert judged(bare_record(detectors={})) == (1, 1)
    assert "undecided, which fails: no detector judged" in capsys.readouterr().err


SKIPPED = DetectorReport(0, 0.0, 0.0, 0.0, 0.1, skipped="a class of one row")
ABSTAINS = DetectorReport(0, 0.0, 0.0, 0.0, 0.1, skipped="this model does not fit these data", abstains=True)
LACKING = DetectorReport(0, 0.0, 0.0, 0.0, 0.1, skipped=NEEDS_TRUSTED)


@pytest.mark.parametrize(
    ("other", "named", "passes"),
    [
        (ABSTAINS, False, True),
        (ABSTAINS, True, True),
        (LACKING, False, True),
        (LACKING, True, False),
        (SKIPPED, False, False),
        (SKIPPED, True, False),
    ],
)
def test_gates_pass_only_if_every_detector_that_should_has_looked(other, named, passes):
    calm, loud = (DetectorReport(flagged, flagged / 1000, 0.02, 0.03, 0.1) for flagged in (4, 40))
    beside = bare_record(detectors={"roni": other, "mahalanobis": calm})
    assert judged(beside, 0.03, named=named) == ((0, 0) if passes else (1, 1))
    assert judged(bare_record(detectors={"roni": other, "mahalanobis": loud}), 0.03, named=named) == (1, 1)
    assert judged(bare_record(detectors={"roni": other}), named=named) == (1, 1)


class TestGatesOnTheVerdict:
    @pytest.mark.parametrize(("limit", "code"), [("3", 0), ("2", 1), ("0.015", 0), ("0.014", 1), (None, 0)])
    def test_rows_are_counted_or_a_share(self, capsys, limit, code):
        record = bare_record(verdict=VerdictReport(0.1), listed_rows=3)
        assert gate_rows(record, limit) == code
        if code:
            assert capsys.readouterr().err == "toadstone: gate failed: 3 of 200 rows look wrong, above 2\n"

    def test_groups(self, capsys):
        record = bare_record(verdict=VerdictReport(0.1))
        assert gate_groups(record, wanted=True) == 0
        found = bare_record(verdict=VerdictReport(0.1), group_count=1)
        assert (gate_groups(found, wanted=False), gate_groups(found, wanted=True)) == (0, 1)
        assert capsys.readouterr().err == ("toadstone: gate failed: 1 group of rows does not agree with the label\n")

    @pytest.mark.parametrize(
        ("verdict", "why"),
        [
            (None, "--detectors names no verdict"),
            (VerdictReport(0.0, skipped="too few rows"), "there is no verdict: too few rows"),
        ],
    )
    def test_without_a_verdict_nothing_is_decided(self, capsys, verdict, why):
        record = bare_record(verdict=verdict)
        assert gate_rows(record, "9") == gate_groups(record, wanted=True) == 1
        assert capsys.readouterr().err.splitlines() == 2 * [
            f"toadstone: gate undecided, which fails: {why}; poison may have been missed"
        ]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (("--detectors", "magic"), "`detector`: expected one of spectral"),
        (("--false-alarm-rate", 0.7), "`--false-alarm-rate`: expected a number in (0, 0.1], got 0.7"),
        (("--fail-if-flagged-above", 2), "`--fail-if-flagged-above`: expected a number from 0 to 1"),
        (
            ("--fail-if-rows-above", "1.5"),
            "`--fail-if-rows-above`: expected a whole number of rows, or a share of them",
        ),
        (
            ("--fail-if-rows-above", "few"),
            "`--fail-if-rows-above`: expected a whole number of rows, or a share of them",
        ),
        (("--detectors", "none,spectral"), "`--detectors`: expected names, or none by itself, got none,spectral"),
        (("--group", "hospital"), "`--group`: expected a column of rows.csv: a, b, c, label, got 'hospital'"),
        (("--time", "label"), "`--time`: expected another column than the label's, got 'label'"),
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
    assert "by thresholds from trusted rows where these suffice" in " ".join(words.split())
    overlap = toadstone("scan", "rows.csv", "--detectors", "mahalanobis", "--trusted", "rows.csv")
    assert (overlap.code, overlap.out) == (2, "")
    assert overlap.err.startswith("toadstone: `--trusted`: expected rows that are not among the untrusted ones")


@pytest.fixture
def mislabelled(tmp_path, monkeypatch):
    """Three well separated classes, eight rows of which have the label of the next; who they are from, and when."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    kinds = np.array(["bill", "ham", "spam"])
    code = np.arange(333) % 3
    X = rng.normal(size=(333, 5)) + 5.0 * np.eye(3, 5)[code]
    wrong = rng.choice(333, 8, replace=False)
    code[wrong] = (code[wrong] + 1) % 3
    y = kinds[code]
    order = rng.permutation(333)
    lines = [
        ",".join([*(f"{value:.4f}" for value in X[row]), f"desk {row % 3}", f"2024-03-{row % 28 + 1:02}", y[row]])
        for row in order
    ]
    (tmp_path / "mails.csv").write_text("a,b,c,d,e,desk,day,label\n" + "\n".join(lines) + "\n")
    return {int(place) + 2 for place in np.flatnonzero(np.isin(order, wrong))}


def test_eight_planted_wrong_labels_are_listed_first_and_named_as_such(toadstone, mislabelled):
    outcome = toadstone("scan", "mails.csv", "--detectors", "none", "--json")
    record = json.loads(outcome.out)
    assert outcome.code == 0
    assert {int(row["row"]) for row in record["rows"][:8]} == mislabelled
    assert record["listed_rows"] <= 10
    for row in record["rows"][:8]:
        assert row["suggested_label"] == {"ham": "bill", "spam": "ham", "bill": "spam"}[row["label"]]
        assert row["values"]
        assert 0.5 < row["score"] <= 1
    assert record["evidence"]["supported"]
    assert record["detectors"] == {}
    words = " ".join(toadstone("scan", "mails.csv", "--detectors", "none").out.split())
    assert f"{record['listed_rows']} of 333 rows look mislabelled, " in words
    assert "Nothing stands out" not in words


def test_gates_stop_a_table_with_wrong_labels(toadstone, mislabelled):
    failed = toadstone("scan", "mails.csv", "--detectors", "none", "--fail-if-rows-above", "0.01", "--fail-if-groups")
    assert failed.code == 1
    assert failed.err.endswith("of 333 rows look wrong, above 3\n")
    assert toadstone("scan", "mails.csv", "--detectors", "none", "--fail-if-rows-above", "20").code == 0


def test_sources_and_times_are_no_features(toadstone, mislabelled):
    chosen = ("--group", "desk", "--time", "day", "--detectors", "none", "--json")
    record = json.loads(toadstone("scan", "mails.csv", *chosen).out)
    assert {column["name"] for column in record["data"]["columns"]} == {"a", "b", "c", "d", "e"}
    assert {int(row["row"]) for row in record["rows"]} >= mislabelled


def test_rows_of_the_test_set_are_named(toadstone, mislabelled, tmp_path):
    lines = (tmp_path / "mails.csv").read_text().splitlines()
    (tmp_path / "test.csv").write_text("\n".join([lines[0], *lines[4:7], "1,1,1,1,1,desk 0,2024-03-01,ham"]) + "\n")
    record = json.loads(toadstone("scan", "mails.csv", "--detectors", "spectral", "--test", "test.csv", "--json").out)
    (fact,) = [finding for finding in record["findings"] if finding["kind"] == "rows in the test set"]
    assert (fact["rows"], fact["count"], fact["score"]) == (["5", "6", "7"], 3, 0.75)


def test_a_desk_that_mislabels_is_a_group(toadstone, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    truth, desk = np.where(rng.random(600) < 0.5, "ham", "spam"), rng.integers(0, 8, 600)
    X = rng.normal(size=(600, 5)) + 2.5 * (truth == "spam")[:, None]
    label = np.where((desk == 3) & (truth == "ham"), "spam", truth)
    lines = [
        ",".join([*(f"{value:.3f}" for value in row), f"desk {number}", given])
        for row, number, given in zip(X, desk, label, strict=True)
    ]
    (tmp_path / "mails.csv").write_text("a,b,c,d,e,desk,label\n" + "\n".join(lines) + "\n")
    options = ("--group", "desk", "--detectors", "none", "--fail-if-groups", "--json")
    outcome = toadstone("scan", "mails.csv", *options)
    (group,) = [finding for finding in json.loads(outcome.out)["findings"] if finding["kind"] == "source"]
    assert (group["label"], group["looks_like"], group["values"]) == ("spam", "ham", {"source": "desk 3"})
    wrong = set(np.flatnonzero(label != truth).tolist())
    assert set(group["positions"]) <= wrong
    assert len(group["positions"]) >= 0.9 * len(wrong)
    assert outcome.code == 1
    assert outcome.err.endswith("gate failed: 1 group of rows does not agree with the label\n")


def test_copies_of_different_labels_fail_the_gate_on_groups(toadstone, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 120)
    X = rng.normal(size=(120, 4))
    rows = [",".join([*(f"{value:.4f}" for value in row), "ab"[code]]) for row, code in zip(X, y, strict=True)]
    (tmp_path / "rows.csv").write_text("\n".join(["p,q,r,s,label", *rows, f"{rows[7][:-1]}{'ba'[y[7]]}"]) + "\n")
    outcome = toadstone("scan", "rows.csv", "--detectors", "none", "--fail-if-groups", "--json")
    record = json.loads(outcome.out)
    (group,) = [finding for finding in record["findings"] if finding["kind"] == "contradictory duplicates"]
    assert (group["rows"], record["group_count"], outcome.code) == (["9", "122"], 1, 1)


def test_a_representation_stands_for_the_columns(toadstone, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    y = np.repeat([0, 1], 100)
    seen = rng.normal(size=(200, 4)) + 6.0 * y[:, None]
    y[[3, 50, 120]] = 1 - y[[3, 50, 120]]
    noise = "\n".join(f"{value:.6f},{label}" for value, label in zip(rng.normal(size=200), y, strict=True))
    (tmp_path / "rows.csv").write_text(f"a,label\n{noise}\n")
    np.save(tmp_path / "seen.npy", seen)
    asked = ("scan", "rows.csv", "--detectors", "verdict,label-errors", "--json")
    assert json.loads(toadstone(*asked).out)["rows"] == []
    record = json.loads(toadstone(*asked, "--represent", "seen.npy").out)
    assert sorted(row["position"] for row in record["rows"]) == [3, 50, 120]
    assert record["detectors"]["label-errors"]["flagged"] >= 2
    both = toadstone("scan", "rows.csv", "--represent", "seen.npy", "--trusted", "rows.csv")
    assert (both.code, both.err) == (
        2,
        "toadstone: `--represent`: expected no trusted rows beside it, for they have no representation, got both\n",
    )
    np.save(tmp_path / "seen.npy", seen[1:])
    assert toadstone(*asked, "--represent", "seen.npy").code == 2
