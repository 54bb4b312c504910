"""The front door: every form of data, results on the caller's own index, the command line's names."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from dataclasses import replace
from importlib import import_module

import narwhals as nw
import numpy as np
import pyarrow as pa
import pytest

import toadstone
from toadstone.cli import toadstone_command
from toadstone.datasets.catalogue.load import load
from toadstone.datasets.readers.request import Reading
from toadstone.records.serial import as_fields

FUNCTIONS = (
    "attack",
    "audit",
    "certify",
    "cost",
    "defend",
    "evaluate",
    "federate",
    "inspect",
    "sanitize",
    "scan",
    "verify",
)
QUICK = {"label": "kind", "detectors": "mahalanobis,spectral"}
# Of the run, not of the rows.
VOLATILE = ("created", "peak_memory_mb", "command")


def columns() -> dict[str, list]:
    rng = np.random.default_rng(0)
    y = np.repeat(["ham", "spam"], 60)
    X = rng.normal(size=(120, 3)) + 2.0 * (y == "spam")[:, None]
    X[:4] += 40.0
    word = rng.choice(["red", "green", "blue"], 120)
    return {"one": X[:, 0], "two": 100 * X[:, 1], "three": X[:, 2], "colour": word.tolist(), "kind": y.tolist()}


def table():
    return pa.table(columns())


@pytest.fixture
def pandas_frame():
    pandas = import_module("pandas")
    return pandas.DataFrame(columns(), index=[f"id-{row}" for row in range(120)])


@pytest.fixture
def polars_frame():
    return import_module("polars").DataFrame(columns())


@pytest.fixture
def pyarrow_frame():
    return table()


class Asking:
    """A model that remembers what it was given."""

    def fit(self, rows, labels):
        self.rows, self.labels = rows, labels
        return self

    def predict(self, rows):
        Asking.asked = rows
        return np.full(len(rows), self.labels[0])


def labels_of(frame) -> list[str]:
    return nw.from_native(frame, eager_only=True)["kind"].to_list()


@pytest.fixture
def csv(pandas_frame, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pandas_frame.to_csv("rows.csv", index=False)
    return tmp_path


def _short(value: str) -> str:
    return re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.6g}", value)


def lasting(record) -> dict:
    """The record without what differs from run to run or belongs to the source."""
    fields = json.loads(record) if isinstance(record, str) else as_fields(record)
    fields["header"] = {name: value for name, value in fields["header"].items() if name not in VOLATILE}
    del fields["source"], fields["timings"]
    for report in fields["detectors"].values():
        del report["seconds"]
    for row in fields["rows"]:
        # Rows of a file are named otherwise than those of a data frame, and its numbers may have more digits.
        del row["row"]
        row["values"] = {name: _short(value) for name, value in row["values"].items()}
    for part in (*fields["findings"], *fields["detectors"].values()):
        del part["rows"]
    return fields


class TestForms:
    def test_data_frames_files_and_the_command_give_one_record(self, csv, pandas_frame, polars_frame, toadstone_run):
        command = toadstone_run("scan", "rows.csv", "--label", "kind", "--detectors", QUICK["detectors"], "--json")
        expected = lasting(command.out)
        assert expected["listed_rows"] >= 4
        for data in (pandas_frame, polars_frame, table(), "rows.csv", csv / "rows.csv"):
            assert lasting(toadstone.scan(data, **QUICK).record) == expected

    def test_pairs_and_data_sets_and_splits(self):
        split = load("breast-cancer")
        whole = split.whole()
        options = {"detectors": "spectral"}
        expected = [row.position for row in toadstone.scan("breast-cancer", **options).record.rows]
        for data in ((whole.X, whole.y), whole, split):
            assert [row.position for row in toadstone.scan(data, **options).record.rows] == expected

    def test_features_in_a_frame_beside_labels(self, pandas_frame):
        features, labels = pandas_frame.drop(columns="kind"), pandas_frame["kind"]
        apart = toadstone.scan((features, labels), detectors=QUICK["detectors"])
        together = toadstone.scan(pandas_frame, **QUICK)
        assert lasting(apart.record) == lasting(together.record)
        assert list(apart.to_frame().index) == list(together.to_frame().index)

    def test_an_index_is_no_column(self, pandas_frame):
        pandas_frame.index.name = "id"
        assert toadstone.scan(pandas_frame, **QUICK).record.data.n_features == 6

    def test_columns_without_text_names(self):
        pandas = import_module("pandas")
        frame = pandas.DataFrame({0: columns()["one"], 1: columns()["two"], "kind": columns()["kind"]})
        assert toadstone.scan(frame, **QUICK).record.data.n_features == 2

    def test_classes_and_seeds_are_those_of_files(self, csv, pandas_frame):
        options = {"label": "kind", "classes": ("spam", "ham"), "seed": 3, "test_share": 0.3}
        of_file, of_frame = (toadstone.sanitize(data, **options) for data in ("rows.csv", pandas_frame))
        for record in (of_file.record, of_frame.record):
            del record["source"]
            for row in record["removed"]:
                del row["row"]
        assert of_file.record == of_frame.record

    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            (3, "`data`: expected a path, .* got int"),
            ([[1, 2]], "`data`: expected a path, .* got list"),
            ((np.ones((3, 2)), ["a", "b"]), "arrays: expected a label for each of 3 rows, got y of shape"),
            ("nothing.csv", "nothing.csv: expected a file"),
        ],
    )
    def test_other_things_are_refused(self, data, sentence):
        with pytest.raises(toadstone.InvalidInput, match=sentence):
            toadstone.scan(data)

    def test_frames_that_cannot_be_used_are_refused(self, polars_frame, pandas_frame):
        pandas = import_module("pandas")
        with pytest.raises(toadstone.InvalidData, match="got a lazy frame; collect it first"):
            toadstone.scan(polars_frame.lazy(), label="kind")
        doubled = pandas.concat([pandas_frame, pandas_frame[["one"]]], axis=1)
        with pytest.raises(toadstone.InvalidData, match="expected column names that differ, got 'one' twice"):
            toadstone.scan(doubled, label="kind")
        with pytest.raises(toadstone.InvalidArgument, match="did you mean 'kind'"):
            toadstone.scan(pandas_frame, label="kinds")
        with pytest.raises(toadstone.InvalidData, match="that Arrow can hold"):
            toadstone.scan(pandas_frame.assign(odd=[1, {"x": 1}] * 60), label="kind")
        mixed = toadstone.scan(pandas_frame.assign(odd=[1, "x"] * 60), label="kind", detectors="mahalanobis")
        assert [column.kind for column in mixed.record.data.columns if column.name == "odd"] == ["category"]
        with pytest.raises(toadstone.InvalidArgument, match="`label`: expected nothing beside a pair"):
            toadstone.scan((pandas_frame, columns()["kind"]), label="kind")
        with pytest.raises(toadstone.InvalidArgument, match="`seed`: expected a whole number from 0"):
            toadstone.scan(pandas_frame, label="kind", seed=-1)

    def test_trusted_rows_are_of_the_same_kind(self, pandas_frame):
        trusted, rest = pandas_frame.iloc[30:50], pandas_frame.drop(pandas_frame.index[30:50])
        trusted = type(pandas_frame)(trusted.to_dict("list"))
        record = toadstone.scan(rest, trusted=trusted, **QUICK).record
        assert record.trusted_rows == 20
        with pytest.raises(toadstone.InvalidArgument, match="`trusted`: expected rows of the same kind"):
            toadstone.scan(rest, trusted=(np.ones((4, 6)), ["ham"] * 4), **QUICK)


class TestResults:
    def test_rows_stand_on_the_callers_own_index(self, pandas_frame, polars_frame):
        result = toadstone.scan(pandas_frame, **QUICK)
        frame = result.to_frame()
        assert list(frame.index) == [f"id-{row.position}" for row in result.record.rows]
        assert set(frame.index[:4]) == {"id-0", "id-1", "id-2", "id-3"}
        assert list(pandas_frame.loc[frame.index, "kind"]) == list(frame["label"])
        of_polars = toadstone.scan(polars_frame, **QUICK).to_frame()
        assert type(of_polars) is type(polars_frame)
        assert of_polars["row"].to_list() == [row.position for row in result.record.rows]
        of_arrow = toadstone.scan(table(), **QUICK).to_frame()
        assert isinstance(of_arrow, pa.Table)
        assert of_arrow["row"].to_pylist() == of_polars["row"].to_list()

    def test_rows_for_review_follow_the_listed_ones_and_say_so(self, pandas_frame):
        result = toadstone.scan(pandas_frame, **QUICK)
        row = result.record.rows[0]
        result.record = replace(result.record, rows=(row,), review=(replace(row, position=9), row))
        assert result.to_frame()["status"].tolist() == ["listed", "for review", "for review"]
        assert result.to_frame().index[1] == "id-9"
        html = result._repr_html_()
        assert html.count("for review") >= 2
        assert "Next" in html
        assert "score</th>" not in html

    def test_scores_of_all_rows_have_a_short_repr(self, pandas_frame):
        result = toadstone.scan(pandas_frame, **QUICK)
        n, listed = len(pandas_frame), result.record.listed_rows
        assert repr(result.scores) == f"<RowScores of {n} rows, {listed} of them listed>"

    def test_the_folder_is_that_of_the_command(self, csv, pandas_frame, toadstone_run):
        folder = toadstone.scan(pandas_frame, **QUICK).save("saved")
        assert toadstone_run("scan", "rows.csv", "--label", "kind", "--detectors", "spectral", "--out", "out").code == 0
        assert {path.name for path in folder.iterdir()} == {path.name for path in (csv / "out").iterdir()}
        with pytest.raises(toadstone.InvalidArgument, match="`out`: expected a name that is not taken"):
            toadstone.scan(pandas_frame, **QUICK).save("saved")

    def test_print_shows_the_terminals_lines(self, csv, toadstone_run):
        printed = str(toadstone.sanitize("rows.csv", label="kind"))
        assert printed.splitlines() == toadstone_run("sanitize", "rows.csv", "--label", "kind").out.splitlines()

    def test_notebooks_get_a_self_contained_fragment(self, pandas_frame):
        pandas_frame.loc["id-0", "colour"] = "<script>alert(1)</script>"
        html = toadstone.scan(pandas_frame, **QUICK)._repr_html_()
        assert "<script" not in html
        assert "http" not in html
        assert "DataFrame" in html

    def test_a_defence_gives_back_the_callers_own_rows(self, pandas_frame, tmp_path, listing):
        listing(3, group=[0, 1, 2])
        result = toadstone.defend(pandas_frame, label="kind")
        kept, removed = result.kept, result.to_frame()
        assert list(kept.columns) == list(pandas_frame.columns)
        assert sorted([*kept.index, *removed.index]) == sorted(pandas_frame.index)
        assert set(removed.index) == {"id-0", "id-1", "id-2", "id-3"}
        assert result.removed == [0, 1, 2, 3]
        saved = type(pandas_frame)(pa.parquet.read_table(result.save(tmp_path / "out") / "cleaned.parquet").to_pydict())
        assert saved["one"].tolist() == kept["one"].tolist()

    @pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
    def test_a_defence_relabels_and_weighs_the_callers_own_rows(self, library, request, listing):
        listing(3, 4, group=[0])
        frame = request.getfixturevalue(f"{library}_frame")
        before = labels_of(frame)
        relabelled = toadstone.defend(frame, label="kind", action="relabel").kept
        assert type(relabelled) is type(frame)
        turned = [{"ham": "spam", "spam": "ham"}[label] for label in before[3:5]]
        assert labels_of(relabelled) == [*before[1:3], *turned, *before[5:]]
        assert labels_of(frame) == before
        result = toadstone.defend(frame, label="kind", action="weight")
        weights = nw.from_native(result.kept, eager_only=True)["weight"].to_list()
        assert len(weights) == len(before)
        assert weights[:2] == pytest.approx([0.01, 0.99])
        shown = nw.from_native(result.to_frame(), eager_only=True)
        assert shown["weight"].to_list() == sorted(weight for weight in weights if weight < 0.5)
        assert set(shown["action"].to_list()) == {"weighed"}
        if library == "pandas":
            assert list(relabelled.index) == list(frame.index[1:])

    def test_a_defence_of_arrays_gives_weights_beside_them(self, tmp_path, listing):
        listing(3)
        rng = np.random.default_rng(0)
        X, y = rng.normal(size=(60, 3)), np.arange(60) % 2
        kept_X, kept_y, weight = toadstone.defend((X, y), action="weight").kept
        assert len(kept_X) == len(kept_y) == len(weight) == 60
        result = toadstone.defend((X, y), action="weight")
        with np.load(result.save(tmp_path / "out") / "cleaned.npz") as saved:
            assert np.array_equal(saved["weight"], weight)

    def test_a_model_gets_the_callers_frame_and_is_trained_on_what_is_left(self, pandas_frame, listing):
        listing(3, group=[0, 1, 2])
        result = toadstone.defend(pandas_frame, label="kind", model=Asking)
        trained = result.train()
        assert trained.rows.equals(pandas_frame.drop(columns="kind").iloc[4:])
        assert trained.labels.tolist() == labels_of(pandas_frame)[4:]
        trusted = pandas_frame.iloc[::7].assign(one=pandas_frame["one"].iloc[::7] + 0.001)
        measured = toadstone.defend(pandas_frame, label="kind", model=Asking, trusted=trusted)
        assert measured.record.measurements[0].change.rows == len(trusted)
        assert Asking.asked.equals(trusted.drop(columns="kind"))
        plain = toadstone.defend(pandas_frame, label="kind").train()
        assert type(plain).__name__ == "LinearClassifier"

    def test_certificates_are_verified_by_the_same_data(self, pandas_frame):
        result = toadstone.certify(pandas_frame, label="kind", fraction=[0.01, 0.03], ridge=0.1)
        assert [fields["fraction"] for fields in result.record] == [0.01, 0.03]
        for certificate in result.certificates:
            assert toadstone.verify(certificate, pandas_frame, label="kind").record["verified"]
        changed = pandas_frame.assign(one=pandas_frame["one"] + 1e-9)
        with pytest.raises(toadstone.CertificateRejected):
            toadstone.verify(result.certificates[0], changed, label="kind")

    @pytest.mark.slow
    def test_an_attack_can_be_audited(self, tmp_path):
        made = toadstone.attack("breast-cancer", method="label-flip", ridge=0.3, workers=1)
        path = made.save(tmp_path / "flips.npz")
        audited = toadstone.audit("breast-cancer", ridge=0.3, attacks=(), poison=path, workers=1)
        assert {cell.attack for cell in audited.record.evaluations} == {"none", "collapse", "flips"}
        again = toadstone.audit("breast-cancer", ridge=0.3, attacks=(), poison={"mine": made.poison}, workers=1)
        assert "mine" in {cell.attack for cell in again.record.evaluations}

    def test_finished_trials_are_not_run_again(self, tmp_path):
        options = {"attacks": "random-flip", "defences": "label-errors", "seeds": 1, "workers": 1, "rows": 200}
        first = toadstone.evaluate("breast-cancer", out=tmp_path / "e", **options)
        before = (tmp_path / "e" / "trials.jsonl").read_bytes()
        second = toadstone.evaluate("breast-cancer", out=tmp_path / "e", **options)
        assert second.record.trials == first.record.trials
        assert (tmp_path / "e" / "trials.jsonl").read_bytes() == before
        assert (second.save(tmp_path / "e") / "report.html").exists()

    @pytest.mark.parametrize(
        ("name", "options"),
        [
            ("scan", {"detectors": "spectral"}),
            ("certify", {"fraction": [0.01, 0.03], "ridge": 0.3}),
            ("attack", {"method": "label-flip", "ridge": 0.3, "workers": 1}),
        ],
    )
    def test_results_are_drawn(self, name, options):
        from matplotlib.figure import Figure

        figure = getattr(toadstone, name)("breast-cancer", **options).plot()
        assert isinstance(figure, Figure)
        assert figure.axes[0].get_xlabel() or figure.axes[0].get_ylabel()

    def test_a_result_without_a_figure_says_so(self):
        with pytest.raises(toadstone.InvalidArgument, match="a result that has a figure, got SanitizeResult"):
            toadstone.sanitize("breast-cancer").plot()


class TestNames:
    def test_dir_is_the_front_door_and_nothing_else(self):
        assert dir(toadstone) == sorted(toadstone.__all__)
        assert {*FUNCTIONS, "load", "read"} == {name for name in dir(toadstone) if name.islower() and name[0] != "_"}
        for name in dir(toadstone):
            assert getattr(toadstone, name) is not None
        with pytest.raises(AttributeError, match="no attribute 'importlib2'"):
            toadstone.importlib2  # noqa: B018

    def test_rooms_are_found_without_an_import_of_their_own(self):
        code = "import toadstone; print(toadstone.detectors.SpectralSignatures.__name__)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "SpectralSignatures"

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_options_have_the_command_lines_names(self, name):
        parameters = dict(inspect.signature(getattr(toadstone, name)).parameters)
        assert parameters.pop("reading").kind is inspect.Parameter.VAR_KEYWORD
        options = {parameter.name for parameter in toadstone_command.commands[name].params}
        only_there = {"as_json", "debug", "quiet", "out", "force", "file"} | {
            name for name in options if name.startswith("fail_if")
        }
        only_here = {"certificate", "out", "force"}
        assert {*parameters, *Reading.__annotations__} - only_here == options - only_there
        keywords = [one for one in parameters.values() if one.kind is inspect.Parameter.KEYWORD_ONLY]
        assert len(parameters) - len(keywords) == (2 if name in ("inspect", "verify") else 1)
