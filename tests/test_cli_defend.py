"""`toadstone defend` as a user meets it."""

from __future__ import annotations

import codecs
import csv
import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from toadstone.core.row_names import RowNames
from toadstone.datasets.catalogue.load import open_requested


def lines_of(seed: int, n: int = 200, far: int = 5) -> list[str]:
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1], n // 2)
    X = rng.normal(size=(n, 3)) + 2.0 * y[:, None]
    X[:far] += 60.0
    return [f"{a:.6f},{b:.6f},{c:.6f},{label}" for (a, b, c), label in zip(X, y, strict=True)]


def write(path, lines):
    path.write_text("a,b,c,label\n" + "\n".join(lines) + "\n")


@pytest.fixture
def table(tmp_path, monkeypatch, listing):
    """Two classes with five rows far away, which the verdict lists, and checked rows, in an otherwise empty folder."""
    listing(3, 4, group=[0, 1, 2])
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "rows.csv", lines_of(0))
    write(tmp_path / "checked.csv", lines_of(1, n=60, far=0))
    return tmp_path


def test_the_folder_has_the_kept_rows_as_they_were_and_a_reason_for_the_others(toadstone, table):
    outcome = toadstone("defend", "rows.csv", "--out", "safe")
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
    assert list(removals[0]) == ["line", "label", "step", "suspicion", "reason", "values"]
    assert [int(removal["line"]) - 2 for removal in removals] == [0, 1, 2, 3, 4]
    assert kept == [source[0], *source[6:]]
    record = json.loads((folder / "record.json").read_text())
    assert (record["rows"], record["kept"]) == (200, 195)
    assert "What this costs or brings in accuracy is not known" in " ".join(outcome.out.split())
    assert outcome.out.rstrip().endswith("Report: safe/report.html")


def test_relabelled_rows_are_written_with_their_new_label(toadstone, table):
    assert toadstone("defend", "rows.csv", "--action", "relabel", "--out", "safe").code == 0
    rows = list(csv.DictReader((table / "safe" / "cleaned.csv").read_text().splitlines()))
    source = list(csv.DictReader((table / "rows.csv").read_text().splitlines()))
    assert [row["label"] for row in rows] == ["1", "1", *(row["label"] for row in source[5:])]
    assert [row["a"] for row in rows] == [row["a"] for row in source[3:]]
    changed = list(csv.DictReader((table / "safe" / "relabelled.csv").read_text().splitlines()))
    assert [(row["line"], row["label"], row["new_label"]) for row in changed] == [("5", "0", "1"), ("6", "0", "1")]


def test_a_relabelled_file_is_the_callers_but_for_the_labels(toadstone, table):
    source = (
        (table / "rows.csv").read_text().replace("\n", "\r\n").replace(",0\r", ',"=0"\r').replace(",1\r", ',"=1"\r')
    )
    (table / "rows.csv").write_bytes(codecs.BOM_UTF8 + source.encode())
    assert toadstone("defend", "rows.csv", "--action", "relabel", "--out", "safe").code == 0
    first, *rows = source.split("\r\n")
    turned = [row.replace('"=0"', '"=1"') for row in rows[3:5]]
    expected = "\r\n".join([first, *turned, *rows[5:]])
    assert (table / "safe" / "cleaned.csv").read_bytes() == codecs.BOM_UTF8 + expected.encode()
    listing = list(csv.DictReader((table / "safe" / "relabelled.csv").read_text().splitlines()))
    assert listing[0]["new_label"] == "'=1"
    assert toadstone("defend", "rows.csv", "--action", "relabel", "--out", "safe", "--force").code == 0


def test_weights_are_written_beside_the_rows(toadstone, table):
    assert toadstone("defend", "rows.csv", "--action", "weight", "--out", "safe").code == 0
    rows = list(csv.DictReader((table / "safe" / "cleaned.csv").read_text().splitlines()))
    assert len(rows) == 200
    weights = [float(row["weight"]) for row in rows]
    assert weights[:2] == pytest.approx([0.01, 0.07])
    assert weights[100] == pytest.approx(0.99)


def test_json_has_what_scripts_need(toadstone, table):
    outcome = toadstone("defend", "rows.csv", "--json", "--trusted", "checked.csv", "--max-removed", 0.02)
    record = json.loads(outcome.out)
    assert (record["trusted_rows"], record["rows"] - record["kept"]) == (60, 4)
    assert record["stays"] == ["1 listed row stays, because at most 4 may be removed"]
    assert (record["spared"], outcome.code) == (1, 1)
    assert outcome.err == "toadstone: gate failed: 1 listed row stays, because --max-removed allows 0.02 of the rows\n"
    # These data publish no test set.
    assert [found["where"] for found in record["measurements"]] == ["trusted"]
    assert set(record["groups"][0]["values"]) == {"a", "b"}


def test_a_limit_that_all_listed_rows_fit_in_passes(toadstone, table):
    outcome = toadstone("defend", "rows.csv", "--max-removed", 0.025)
    assert (outcome.code, outcome.err) == (0, "")
    outcome = toadstone("defend", "rows.csv", "--max-removed", 0)
    assert outcome.code == 1
    assert outcome.err.endswith("gate failed: 5 listed rows stay, because --max-removed allows 0 of the rows\n")
    said = " ".join(outcome.out.split())
    assert (
        "Listed rows are still among the kept ones: look at where they are from, or let more go by --max-removed."
        in said
    )


MODELS = """
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def make():
    columns = make_column_transformer(
        (StandardScaler(), ["a", "b", "c"]), (OneHotEncoder(handle_unknown="ignore"), ["kind"])
    )
    return make_pipeline(columns, LogisticRegression())
"""


def test_a_model_with_its_own_preparation_gets_the_rows_as_they_stand(toadstone, table, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (table / "own_models_of_the_cli.py").write_text(MODELS)
    for name in ("rows", "checked"):
        lines = (table / f"{name}.csv").read_text().splitlines()
        mixed = [f"{'kind' if place == 0 else 'xy'[place % 2]},{line}" for place, line in enumerate(lines)]
        (table / f"mixed-{name}.csv").write_text("\n".join(mixed) + "\n")
    options = ("--trusted", "mixed-checked.csv", "--json")
    outcome = toadstone("defend", "mixed-rows.csv", "--model", "own_models_of_the_cli:make", *options)
    record = json.loads(outcome.out)
    assert record["learner"] == "own_models_of_the_cli:make"
    assert record["learner_origin"] == "your model, on rows of the table"
    change = record["measurements"][0]["change"]
    assert change["rows"] == 60
    assert change["after"] > 0.8 > change["before"]
    weighed = toadstone(
        "defend", "mixed-rows.csv", "--model", "own_models_of_the_cli:make", "--action", "weight", *options
    )
    assert json.loads(weighed.out)["measurements"][0]["change"]["rows"] == 60
    sys.modules.pop("own_models_of_the_cli", None)


def test_a_representation_is_looked_at_instead(toadstone, table, listing):
    asked = listing(1)
    seen = np.random.default_rng(0).normal(size=(200, 7))
    np.save(table / "seen.npy", seen)
    record = json.loads(toadstone("defend", "rows.csv", "--represent", "seen.npy", "--json").out)
    assert np.array_equal(asked[0].data.X, seen)
    assert record["looked_at"] == "the rows of seen.npy"
    np.save(table / "seen.npy", seen[1:])
    refused = toadstone("defend", "rows.csv", "--represent", "seen.npy")
    assert refused.code == 2
    assert refused.err == "toadstone: seen.npy: expected a row for each of 200 rows of the data, got 199\n"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (("--model", "magic"), "toadstone: `--model`: expected MODULE:NAME, as in models:make"),
        (("--estimators", "magic:make"), "toadstone: `--estimators`: expected a module that is installed or lies in"),
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
    outcome = toadstone("defend", "rows.csv", "--out", "safe", *wrong)
    assert outcome.code == 2
    assert outcome.err.startswith(sentence)
    assert len(outcome.err.splitlines()) == 1
    assert outcome.out == ""
    assert sorted(path.name for path in table.iterdir()) == ["checked.csv", "rows.csv"]


def test_a_class_with_one_row_is_not_judged(toadstone, table):
    write(table / "odd.csv", [*lines_of(0), "1,2,3,7"])
    outcome = toadstone("defend", "odd.csv", "--out", "safe")
    assert outcome.code == 0
    assert (table / "safe" / "cleaned.csv").read_text().splitlines()[-1] == "1,2,3,7"


def test_the_gate_on_removed_rows(toadstone, table):
    options = ("defend", "rows.csv", "--json", "--fail-if-removed-above")
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
    options = ("defend", "rows.csv", "--json", "--fail-if-accuracy-drops-above")
    unjudged = toadstone(*options, 1)
    assert unjudged.code == 1
    assert unjudged.err.startswith(
        "toadstone: gate undecided, which fails: no rows to judge the accuracy on; give --trus"
    )
    judged = toadstone(*options, 1, "--trusted", "checked.csv")
    assert (judged.code, judged.err) == (0, "")
    change = json.loads(judged.out)["measurements"][0]["change"]
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


@pytest.mark.parametrize("kind", ["constant", "duplicates"])
def test_odd_data_are_defended_by_the_verdict_itself(toadstone, tmp_path, kind):
    lines = lines_of(0, far=0)
    lines = [f"1,{line}" for line in lines] if kind == "constant" else lines[:20] * 5 + lines[100:120] * 5
    path = tmp_path / "odd.csv"
    path.write_text(f"{'d,' if kind == 'constant' else ''}a,b,c,label\n" + "\n".join(lines) + "\n")
    outcome = toadstone("defend", path, "--json")
    assert outcome.code == 0
    record = json.loads(outcome.out)
    assert record["rows"] - record["kept"] <= 20


@pytest.mark.parametrize("command", [("defend",), ("sanitize",)])
def test_a_row_without_one_fate_is_a_crash_and_nothing_is_written(toadstone, table, monkeypatch, command):
    def lose_a_row(*arguments, **options):
        file = open_requested(*arguments, **options)
        return replace(file, split=replace(file.split, row_names=RowNames("line", names=range(2, 203))))

    monkeypatch.setattr("toadstone.front.inputs.open_requested", lose_a_row)
    outcome = toadstone(command[0], "rows.csv", *command[1:], "--out", "safe")
    assert (outcome.code, outcome.out) == (3, "")
    assert "201 rows are in the source, but 200 were kept, removed or dropped" in outcome.err
    assert not (table / "safe").exists()


FAILING = """
from sklearn.linear_model import LogisticRegression


class Refuses(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        raise RuntimeError("no luck today")


class Short(LogisticRegression):
    def predict(self, X):
        return super().predict(X)[:3]

    def predict_proba(self, X):
        return super().predict_proba(X)[:3]
"""


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Refuses", "got RuntimeError in fit of failing_of_a_test:Refuses: no luck today"),
        ("Short", "expected one prediction a row from predict of failing_of_a_test:Short, got an array of shape (3,)"),
    ],
)
def test_a_model_that_fails_is_a_sentence(toadstone, table, monkeypatch, name, sentence):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (table / "failing_of_a_test.py").write_text(FAILING)
    outcome = toadstone("defend", "rows.csv", "--trusted", "checked.csv", "--model", f"failing_of_a_test:{name}")
    sys.modules.pop("failing_of_a_test", None)
    assert outcome.code == 2
    assert sentence in outcome.err
    assert len(outcome.err.splitlines()) == 1
