"""`toadstone defend` as a user meets it."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from toadstone.core.row_names import RowNames
from toadstone.datasets.catalogue.load import open_requested

FILTERS = ("--detectors", "mahalanobis")


def lines_of(seed: int, n: int = 200, far: int = 5) -> list[str]:
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1], n // 2)
    X = rng.normal(size=(n, 3)) + 2.0 * y[:, None]
    X[:far] += 60.0
    return [f"{a:.6f},{b:.6f},{c:.6f},{label}" for (a, b, c), label in zip(X, y, strict=True)]


def write(path, lines):
    path.write_text("a,b,c,label\n" + "\n".join(lines) + "\n")


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Two classes with five rows far away, and checked rows, in an otherwise empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "rows.csv", lines_of(0))
    write(tmp_path / "checked.csv", lines_of(1, n=60, far=0))
    return tmp_path


def test_the_folder_has_the_kept_rows_as_they_were_and_a_reason_for_the_others(toadstone, table):
    outcome = toadstone("defend", "rows.csv", *FILTERS, "--out", "safe")
    assert (outcome.code, outcome.err) == (0, "")
    folder = table / "safe"
    assert sorted(path.name for path in folder.iterdir()) == [
        "cleaned.csv",
        "record.json",
        "removals.csv",
        "report.html",
    ]
    source, kept = (path.read_text().splitlines() for path in (table / "rows.csv", folder / "cleaned.csv"))
    removals = list(csv.DictReader((folder / "removals.csv").read_text().splitlines()))
    assert list(removals[0]) == ["line", "label", "step", "suspicion", "reason"]
    gone = {int(removal["line"]) - 2 for removal in removals}
    assert set(range(5)) <= gone
    assert kept == [source[0], *(line for row, line in enumerate(source[1:]) if row not in gone)]
    record = json.loads((folder / "record.json").read_text())
    assert (record["rows"], record["kept"]) == (200, 200 - len(gone))
    assert "Nothing was validated" in outcome.out
    assert outcome.out.rstrip().endswith("Report: safe/report.html")


def test_json_has_what_scripts_need(toadstone, table):
    outcome = toadstone("defend", "rows.csv", *FILTERS, "--json", "--trusted", "checked.csv", "--max-removed", 0.02)
    record = json.loads(outcome.out)
    assert [step["name"] for step in record["steps"]][:2] == ["mahalanobis", "preliminary model"]
    assert record["steps"][-1]["layer"] == "validation"
    assert record["trusted_rows"] == 60
    assert record["steps"][0]["removed"] == 4
    assert "the budget of 4 rows is spent" in record["steps"][0]["cut"]
    # These data publish no test set.
    assert record["test_error_before"] is record["test_error_after"] is None


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (("--detectors", "magic"), "toadstone: `detector`: expected one of spectral"),
        (("--detectors", "l2,l2"), "toadstone: `--detectors`: expected each name once, got l2,l2"),
        (
            ("--fail-if-removed-above", 1.5),
            "toadstone: `--fail-if-removed-above`: expected a number from 0 to 1, got 1.5",
        ),
        (
            ("--fail-if-accuracy-drops-above", -1),
            "toadstone: `--fail-if-accuracy-drops-above`: expected a number from 0 to 1, got -1.0",
        ),
        (("--max-removed", 0.5), "toadstone: `--max-removed`: expected a number in [0, 0.5), got 0.5"),
        (
            ("--trusted", "rows.csv"),
            "toadstone: `--trusted`: expected rows that are not among the untrusted ones, got 200 of 200",
        ),
        (("--trusted", "missing.csv"), "toadstone: missing.csv: expected a file, got a name that does not exist"),
    ],
)
def test_bad_options_leave_nothing_behind(toadstone, table, wrong, sentence):
    outcome = toadstone("defend", "rows.csv", "--out", "safe", *FILTERS, *wrong)
    assert outcome.code == 2
    assert outcome.err.startswith(sentence)
    assert len(outcome.err.splitlines()) == 1
    assert outcome.out == ""
    assert sorted(path.name for path in table.iterdir()) == ["checked.csv", "rows.csv"]


def test_a_class_with_one_row_is_not_judged(toadstone, table):
    write(table / "odd.csv", ["1,2,3,7", *lines_of(0)])
    outcome = toadstone("defend", "odd.csv", *FILTERS, "--out", "safe")
    assert outcome.code == 0
    removed = [row["label"] for row in csv.DictReader((table / "safe" / "removals.csv").read_text().splitlines())]
    assert "7" not in removed


@pytest.mark.parametrize("kind", ["constant", "duplicates"])
def test_odd_data_are_defended(toadstone, table, kind):
    lines = lines_of(0, far=0)
    lines = [f"1,{line}" for line in lines] if kind == "constant" else lines[:20] * 5 + lines[100:120] * 5
    (table / "odd.csv").write_text(f"{'d,' if kind == 'constant' else ''}a,b,c,label\n" + "\n".join(lines) + "\n")
    outcome = toadstone("defend", "odd.csv", "--json")
    assert outcome.code == 0
    record = json.loads(outcome.out)
    assert not any(step["skipped"] for step in record["steps"] if step["layer"] == "filter")
    assert record["rows"] - record["kept"] <= 20


def test_the_gate_on_removed_rows(toadstone, table):
    options = ("defend", "rows.csv", *FILTERS, "--json", "--fail-if-removed-above")
    outcome = toadstone(*options, 1)
    assert outcome.code == 0
    record = json.loads(outcome.out)
    share = (record["rows"] - record["kept"]) / record["rows"]
    assert toadstone(*options, share).code == 0
    failed = toadstone(*options, share / 2)
    assert failed.code == 1
    assert failed.err == f"toadstone: gate failed: {share:.4g} of the rows were removed, above {share / 2:.12g}\n"
    assert json.loads(failed.out)["kept"] == record["kept"]


def test_the_gate_on_accuracy_passes_no_doubt(toadstone, table):
    options = ("defend", "rows.csv", *FILTERS, "--json", "--fail-if-accuracy-drops-above")
    unjudged = toadstone(*options, 1)
    assert unjudged.code == 1
    assert unjudged.err.startswith(
        "toadstone: gate undecided, which fails: no rows to judge the accuracy on; give --trus"
    )
    judged = toadstone(*options, 1, "--trusted", "checked.csv")
    assert (judged.code, judged.err) == (0, "")
    change = json.loads(judged.out)["accuracy_change"]
    assert change["rows"] == 60
    assert -1 < change["drop_low"] <= change["drop"] <= change["drop_high"] < 1
    # Here the filter helps, surely.
    assert change["drop_high"] < 0
    assert toadstone(*options, 0, "--trusted", "checked.csv").code == 0
    write(table / "calm.csv", lines_of(3, far=0))
    write(table / "few.csv", lines_of(2, n=16, far=0))
    undecided = toadstone("defend", "calm.csv", *options[2:], 0.01, "--trusted", "few.csv")
    assert undecided.code == 1
    assert undecided.err.startswith("toadstone: gate undecided, which fails: on 16 trusted rows the accuracy drops by ")


@pytest.mark.parametrize("command", [("defend", *FILTERS), ("sanitize",)])
def test_a_row_without_one_fate_is_a_crash_and_nothing_is_written(toadstone, table, monkeypatch, command):
    def lose_a_row(*arguments, **options):
        file = open_requested(*arguments, **options)
        return replace(file, split=replace(file.split, row_names=RowNames("line", names=range(2, 203))))

    monkeypatch.setattr("toadstone.front.inputs.open_requested", lose_a_row)
    outcome = toadstone(command[0], "rows.csv", *command[1:], "--out", "safe")
    assert (outcome.code, outcome.out) == (3, "")
    assert "201 rows are in the source, but 200 were kept, removed or dropped" in outcome.err
    assert not (table / "safe").exists()
