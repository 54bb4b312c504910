"""`toadstone evaluate` as a user meets it."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pytest

from toadstone.pipeline.evaluation.trials import run_unit
from toadstone.pipeline.trials.journal import JOURNAL

QUICK = ("--attacks", "random-flip,feature", "--defences", "spectral,l2", "--seeds", 2, "--trusted-share", 0.3)


def write(path, seed, n):
    rng = np.random.default_rng(seed)
    y = np.resize(["ham", "spam"], n)
    X = rng.normal(size=(n, 3)) + 3.0 * (y == "spam")[:, None]
    lines = [f"{a:.6f},{b:.6f},{c:.6f},{label}" for (a, b, c), label in zip(X, y, strict=True)]
    path.write_text("a,b,c,label\n" + "\n".join(lines) + "\n")


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Two classes, and checked rows, in an otherwise empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("toadstone.pipeline.evaluation.plan._settle_ridge", lambda *_: (0.1, "as the test has it"))
    write(tmp_path / "rows.csv", 0, 200)
    write(tmp_path / "checked.csv", 1, 110)
    return tmp_path


def test_the_folder_and_what_is_said(toadstone, table):
    outcome = toadstone("evaluate", "rows.csv", *QUICK, "--out", "found")
    assert (outcome.code, outcome.err) == (0, "")
    folder = table / "found"
    assert sorted(path.name for path in folder.iterdir()) == ["matrix.csv", "record.json", "report.html", JOURNAL]
    record = json.loads((folder / "record.json").read_text())
    assert [info["name"] for info in record["attacks"]] == ["none", "random-flip", "feature"]
    assert len((folder / JOURNAL).read_text().splitlines()) == 1 + len(record["trials"])
    cells = list(csv.DictReader((folder / "matrix.csv").read_text().splitlines()))
    assert len(cells) == len(record["cells"]) == 3 * 4
    assert [cell["thresholds"] for cell in cells[:4]] == ["", "own", "trusted", ""]
    assert float(cells[5]["auroc"]) == pytest.approx(record["cells"][5]["auroc"]["mean"], abs=1e-5)
    assert outcome.out.startswith("Test error: random-flip does most harm undefended, ")
    assert "2 of 2 attacks got through: no detector flags 50 % or more of the poison" in outcome.out
    assert "2 attacks against 1 detector and 1 sanitizer, 2 seeds: 5\N{NO-BREAK SPACE}% " in outcome.out
    assert re.search(r"random-flip: (caught|missed) by", outcome.out)
    assert outcome.out.rstrip().endswith("Report: found/report.html")


def test_the_same_command_goes_on_and_another_is_refused(toadstone, table, monkeypatch):
    calls: list[str] = []

    def stop_at_fifth(part, poisoned, info, defence):
        calls.append(info.name)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return run_unit(part, poisoned, info, defence)

    monkeypatch.setattr("toadstone.pipeline.evaluation.run.run_unit", stop_at_fifth)
    stopped = toadstone("evaluate", "rows.csv", *QUICK, "--out", "found")
    assert stopped.code == 130
    assert "finished trials are in found; the same command goes on from there" in stopped.err
    assert [path.name for path in (table / "found").iterdir()] == [JOURNAL]
    other = toadstone("evaluate", "rows.csv", *QUICK, "--fraction", 0.1, "--out", "found")
    assert (other.code, other.out) == (2, "")
    assert other.err == (
        "toadstone: `--out`: expected a new name, or the folder of an evaluation of the same data by the same plan and "
        "version, got found, which holds another\n"
    )
    assert toadstone("evaluate", "rows.csv", *QUICK, "--out", "found").code == 0
    # 2 seeds x 3 rows x 3 columns; four were done, one was torn away, none was done twice.
    assert len(calls) == 5 + 18 - 4
    assert toadstone("evaluate", "rows.csv", *QUICK, "--out", "found").code == 0
    assert len(calls) == 5 + 18 - 4


def test_json_and_trusted_rows(toadstone, table):
    quick = ("--attacks", "random-flip", "--defences", "trusted-bootstrap", "--seeds", 1)
    outcome = toadstone("evaluate", "rows.csv", *quick, "--trusted", "checked.csv", "--json")
    assert outcome.code == 0
    record = json.loads(outcome.out)
    assert (record["trusted_rows"], record["rows"]) == (110, 160)
    assert "checked.csv, which the user declares clean" in record["trusted_origin"]
    assert {cell["thresholds"] for cell in record["cells"]} == {"", "trusted"}
    found = next(cell for cell in record["cells"] if cell["attack"] == "random-flip" and cell["caught"])
    assert found["verdict"] == "caught"


def test_the_gate(toadstone, table):
    options = ("evaluate", "rows.csv", "--seeds", 1, "--defences", "label-errors", "--trusted", "checked.csv")
    assert toadstone(*options, "--attacks", "random-flip", "--fail-if-missed-by-all").code == 0
    failed = toadstone(*options, "--attacks", "random-flip,permutation", "--fail-if-missed-by-all")
    assert failed.code == 1
    assert failed.err == "toadstone: gate failed: no detector catches permutation\n"
    assert toadstone(*options, "--attacks", "random-flip,permutation").code == 0


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            ("--attacks", "magic"),
            "`--attacks`: expected one of plain, adaptive, optimized, adaptive-optimized, ",
        ),
        (("--attacks", "patch"), "`--attacks`: patch is called badnets now"),
        (("--attacks", "badnets"), "`--attacks`: badnets is for images: give their shape by --image"),
        (("--defences", "magic"), "`--defences`: expected one of baselines, detectors, sanitizers, learners, none"),
        (("--fraction", 0.6), "`--fraction`: expected a number in (0, 0.5), got 0.6"),
        (("--seeds", 0), "`--seeds`: expected a whole number from 1, got 0"),
        (("--rows", 0), "`--rows`: expected a whole number from 1, got 0"),
        (("--workers", 0), "`--workers`: expected a whole number from 1, got 0"),
        (("--trusted-share", 1), "`--trusted-share`: expected a number in [0, 1), got 1.0"),
        (("--image", "huge"), "`--image`: expected HEIGHTxWIDTH or HEIGHTxWIDTHxCHANNELS, as in 28x28, got huge"),
        (("--image", "2x2"), "`--image`: expected a shape of 3 pixels, got 2x2x1"),
        (
            ("--trusted", "rows.csv"),
            "`--trusted`: expected rows that are not among the untrusted ones, got 160 of 200 that are",
        ),
    ],
)
def test_bad_options_leave_nothing_behind(toadstone, table, wrong, sentence):
    outcome = toadstone("evaluate", "rows.csv", *QUICK, "--out", "found", *wrong)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("toadstone: ")
    assert sentence in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert sorted(path.name for path in table.iterdir()) == ["checked.csv", "rows.csv"]


def test_an_option_of_before_is_refused_with_the_present_one(toadstone, table):
    outcome = toadstone("evaluate", "rows.csv", "--promise", 0.01)
    assert outcome.code == 2
    assert outcome.err == "toadstone: `--promise` is called --false-alarm-rate now; see `toadstone evaluate --help`\n"


def test_a_name_that_is_taken_is_refused(toadstone, table):
    outcome = toadstone("evaluate", "rows.csv", *QUICK, "--out", "checked.csv")
    assert outcome.code == 2
    assert outcome.err == "toadstone: `--out`: expected a name that is not taken, got checked.csv, which exists\n"


def test_images_need_no_name(toadstone, table):
    rng = np.random.default_rng(0)
    y = np.resize([0, 1], 160)
    np.savez("scans.npz", X=np.clip(0.2 * rng.random((160, 25)) + 0.5 * y[:, None], 0, 1), y=y)
    options = ("--attacks", "badnets,sig", "--defences", "perfect", "--seeds", 1, "--json")
    record = json.loads(toadstone("evaluate", "scans.npz", "--image", "5x5", *options).out)
    assert [info["goal"] for info in record["attacks"]] == ["none", "trigger", "trigger"]
    assert all(cell["skipped"] == "" for cell in record["cells"])
