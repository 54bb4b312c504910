"""`toadstone federate` as a user meets it."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from toadstone.pipeline.federation.trials import run_federated_unit
from toadstone.pipeline.harness.clock import Deadline
from toadstone.pipeline.trials.journal import JOURNAL

QUICK = (
    *("--clients", 8, "--malicious", 2, "--attacks", "ipm,model-replacement", "--rules", "median,bulyan"),
    *("--split", "iid", "--rounds", 4, "--seeds", 2, "--workers", 1, "--quiet"),
)


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Two classes from four wards, in an otherwise empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    y = np.resize(["ham", "spam"], 200)
    X = rng.normal(size=(200, 3)) + 3.0 * (y == "spam")[:, None]
    rows = [f"{a:.5f},{b:.5f},{c:.5f},w{k % 4},{label}" for k, ((a, b, c), label) in enumerate(zip(X, y, strict=True))]
    (tmp_path / "rows.csv").write_text("\n".join(["a,b,c,ward,label", *rows]) + "\n")
    return tmp_path


def test_the_folder_and_what_is_said(toadstone, table):
    outcome = toadstone("federate", "rows.csv", "--drop", "ward", *QUICK, "--out", "found")
    assert (outcome.code, outcome.err) == (0, "")
    folder = table / "found"
    files = ["curves.csv", "matrix.csv", "record.json", "report.html", JOURNAL]
    assert sorted(path.name for path in folder.iterdir()) == files
    record = json.loads((folder / "record.json").read_text())
    assert [info["name"] for info in record["rules"]] == ["mean", "median", "bulyan"]
    assert len((folder / JOURNAL).read_text().splitlines()) == 1 + len(record["trials"]) == 1 + 2 * 3 * 3
    cells = list(csv.DictReader((folder / "matrix.csv").read_text().splitlines()))
    assert len(cells) == len(record["cells"]) == 3 * 3
    assert float(cells[4]["lost"]) == pytest.approx(record["cells"][4]["lost"]["mean"], abs=1e-5)
    curves = list(csv.DictReader((folder / "curves.csv").read_text().splitlines()))
    assert len(curves) == 2 * 3 * 2 * 5
    assert outcome.out.startswith("With 2 of 8 clients malicious, median ")
    assert 'toadstone.federated.robust(FedAvg(...), rule="median", malicious=2)' in outcome.out
    assert "Not run: bulyan (in 3 cells). Bulyan needs n >= 4f + 3: got n = 8, f = 2." in outcome.out
    assert outcome.out.rstrip().endswith("Report: found/report.html")


def test_the_same_command_goes_on_and_another_is_refused(toadstone, table, monkeypatch):
    calls = []

    def stop_at_fifth(*arguments):
        calls.append(arguments)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return run_federated_unit(*arguments)

    monkeypatch.setattr("toadstone.pipeline.federation.run.run_federated_unit", stop_at_fifth)
    command = ("federate", "rows.csv", "--drop", "ward", *QUICK, "--out", "found")
    stopped = toadstone(*command)
    assert stopped.code == 130
    assert "finished trials are in found; the same command goes on from there" in stopped.err
    other = toadstone(*command, "--rate", 0.2)
    assert other.code == 2
    assert "the folder of a federation of the same data by the same plan and version, got found" in other.err
    assert toadstone(*command).code == 0
    assert len(calls) == 5 + 18 - 4


def test_sources_are_clients(toadstone, table):
    options = (*QUICK[:-7], "--group", "ward", "--rounds", 3, "--seeds", 1, "--workers", 1)
    options = tuple(option for option in options if option not in ("--split", "iid"))
    record = json.loads(toadstone("federate", "rows.csv", *options, "--json").out)
    assert record["split"] == "column"
    assert "The 4 values of ward are fewer than the 8 clients" in record["split_words"]
    assert any("Clients of one source are alike" in warning for warning in record["warnings"])
    assert record["data"]["n_features"] == 3


def test_several_numbers_of_malicious_clients(toadstone, table):
    options = (*tuple("1,25%" if option == 2 else option for option in QUICK[:10]), "--rounds", 3, "--seeds", 1)
    outcome = toadstone("federate", "rows.csv", "--drop", "ward", *options, "--workers", 1)
    assert outcome.code == 0
    for number in (1, 2):
        assert f"With {number} of 8 clients malicious, " in outcome.out
        assert f"{number} of 8 clients malicious: attacks down, rules across" in outcome.out


def test_the_gate(toadstone, table):
    command = ("federate", "rows.csv", "--drop", "ward", *QUICK)
    assert toadstone(*command, "--fail-if-lost-above", 99).code == 0
    alone = ("--attacks", "sign-flip", "--rules", "mean")
    failed = toadstone(*command, *alone, "--fail-if-lost-above", 0)
    assert failed.code == 1
    assert "gate failed: with 2 of 8 clients malicious the best rule, mean, loses " in failed.err
    assert "points under sign-flip, above 0" in " ".join(failed.err.split())
    nobody = toadstone("federate", "rows.csv", "--drop", "ward", *QUICK, "--fail-if-lost-above", 101)
    assert (nobody.code, "`--fail-if-lost-above`: expected" in nobody.err) == (2, True)


def test_without_time_the_gate_is_undecided(toadstone, table, monkeypatch):
    looks = iter([False] * 4)
    command = ("federate", "rows.csv", "--drop", "ward", *QUICK, "--out", "found", "--fail-if-lost-above", 99)
    with monkeypatch.context() as patched:
        patched.setattr(Deadline, "passed", property(lambda self: next(looks, self.seconds is not None)))
        short = toadstone(*command, "--max-seconds", 5)
    assert short.code == 1
    assert "trials did not run; the result is undecided" in " ".join(short.err.split())
    assert "no rule was run under both attacks in every seed" in " ".join(short.out.split())
    whole = toadstone(*command)
    assert (whole.code, whole.err) == (0, "")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (("--attacks", "aly"), "`--attacks`: expected one of all, sign-flip, "),
        (("--rules", "nm+krum"), "`--rules`: expected one of nnm, arc, bucketing, clipping, got nm; did you mean nnm?"),
        (("--rules", "medan"), "got medan; did you mean median?"),
        (("--malicious", "4"), "`--malicious`: expected at most 3, less than half of 8 clients, got 4"),
        (("--malicious", "60%"), "`--malicious`: expected a share between 0 and 50 %, got 60%"),
        (
            ("--malicious", "few"),
            "`--malicious`: expected whole numbers from 1, or shares such as 10%, by commas, got ",
        ),
        (("--clients", 500), "`--clients`: expected at most one for each of 160 rows, got 500"),
        (("--split", "dirichlet"), "`--split`: expected dirichlet:A, iid or column, with a positive number A, got"),
        (("--split", "column"), "`--group`: expected the column of sources, which the split column needs, got none"),
        (("--group", "ward"), "`--split`: expected column beside a group, got iid"),
        (("--momentum", 1), "`--momentum`: expected a number in [0, 1), got 1.0"),
        (("--rounds", 0), "`--rounds`: expected a whole number from 1, got 0"),
        (("--rate", 0), "`--rate`: expected a positive number, got 0.0"),
        (("--model", "cnn"), "`--model`: expected linear for rows that are no grey images, got cnn"),
        (("--workers", 0), "`--workers`: expected a whole number from 1, got 0"),
    ],
)
def test_bad_options_leave_nothing_behind(toadstone, table, wrong, sentence):
    outcome = toadstone("federate", "rows.csv", *QUICK, "--out", "found", *wrong)
    assert (outcome.code, outcome.out) == (2, "")
    assert sentence in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert [path.name for path in table.iterdir()] == ["rows.csv"]
