"""`toadstone reproduce`."""

import json
import math

import pytest
from jsonschema import Draft202012Validator

from toadstone.core.errors import InvalidData
from toadstone.datasets import load
from toadstone.experiments.catalogue import EXPERIMENTS
from toadstone.experiments.certified_2017 import enron as p17_enron
from toadstone.experiments.certified_2017.certified_curve import CurveProtocol
from toadstone.experiments.epic_2022 import transfer as epic_transfer
from toadstone.report.files.schema import load_schema


@pytest.fixture
def miniature(monkeypatch):
    """The Enron experiment, on digits and two fractions."""
    monkeypatch.setattr(p17_enron, "load", lambda name: load("digits-1-7"))
    monkeypatch.setattr(p17_enron, "PROTOCOL", CurveProtocol(squared_radius=0.05, fractions=(0.0, 0.03)))


def test_the_list_names_all(toadstone):
    shown = toadstone("reproduce", "--list")
    assert shown.code == 0
    for experiment in EXPERIMENTS:
        assert f"  {experiment.name} " in shown.out
        assert f"data: {', '.join((*experiment.data, *experiment.images))}" in shown.out
    listed = json.loads(toadstone("reproduce", "--list", "--json").out)
    assert [entry["name"] for entry in listed] == [experiment.name for experiment in EXPERIMENTS]


def test_the_table_is_printed(toadstone, miniature):
    shown = toadstone("reproduce", "p17-enron")
    assert shown.code == 0
    assert shown.err == ""
    assert "Paper" in shown.out
    assert "certified bound at 3\N{NO-BREAK SPACE}%" in shown.out
    assert "seed 0." in shown.out


def test_json_alone_goes_to_standard_output(toadstone, miniature):
    shown = toadstone("reproduce", "p17-enron", "--json", "--seed", 3)
    fields = json.loads(shown.out)
    assert list(Draft202012Validator(load_schema("reproduction")).iter_errors(fields)) == []
    assert (fields["header"]["seed"], fields["name"]) == (3, "p17-enron")
    assert fields["header"]["command"] == "toadstone reproduce p17-enron --json --seed 3"


def test_the_folder_holds_page_and_record(toadstone, miniature, tmp_path):
    folder = tmp_path / "made"
    shown = toadstone("reproduce", "p17-enron", "--out", folder)
    assert shown.code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["record.json", "report.html"]
    assert json.loads((folder / "record.json").read_text())["name"] == "p17-enron"
    again = toadstone("reproduce", "p17-enron", "--out", folder)
    assert (again.code, again.out) == (2, "")
    assert "`--out`: expected a name that is not taken" in again.err


def test_nothing_is_left_of_what_failed(toadstone, monkeypatch, tmp_path):
    def missing(name):
        raise InvalidData(f"{name}: expected an archive")

    monkeypatch.setattr(p17_enron, "load", missing)
    shown = toadstone("reproduce", "p17-enron", "--out", tmp_path / "made")
    assert (shown.code, shown.err) == (2, "toadstone: enron: expected an archive\n")
    assert list(tmp_path.iterdir()) == []


def test_without_torch_experiments_on_networks_say_what_to_install(toadstone, monkeypatch):
    def needs_torch(conditions):
        raise ModuleNotFoundError("no torch", name="torch")

    monkeypatch.setattr(epic_transfer, "run", needs_torch)
    shown = toadstone("reproduce", "epic-transfer")
    assert (shown.code, shown.out) == (2, "")
    assert shown.err == (
        "toadstone: epic-transfer needs PyTorch, which is not installed: "
        "pip install '.[deep]' in the clone of toadstone\n"
    )


def test_scale_folder_and_time_reach_the_experiment(toadstone, monkeypatch, tmp_path):
    seen = []

    def note(conditions):
        seen.append(conditions)
        raise InvalidData("enough")

    monkeypatch.setattr(epic_transfer, "run", note)
    toadstone("reproduce", "epic-transfer", "--scale", "full", "--work", tmp_path, "--minutes", "9")
    toadstone("reproduce", "epic-transfer")
    assert [(one.scale, one.work, one.minutes) for one in seen] == [("full", tmp_path, 9.0), ("cpu", None, math.inf)]


def test_nothing_is_left_of_what_was_interrupted(toadstone, monkeypatch, tmp_path):
    def stop(name):
        raise KeyboardInterrupt

    monkeypatch.setattr(p17_enron, "load", stop)
    assert toadstone("reproduce", "p17-enron", "--out", tmp_path / "made").code == 130
    assert list(tmp_path.iterdir()) == []


def test_who_interrupts_is_told_how_to_go_on(toadstone, monkeypatch, tmp_path):
    def stop(conditions):
        raise KeyboardInterrupt

    monkeypatch.setattr(epic_transfer, "run", stop)
    shown = toadstone("reproduce", "epic-transfer", "--work", tmp_path)
    assert shown.code == 130
    assert f"finished trials are in {tmp_path}; the same command goes on from there" in shown.err
    assert "goes on" not in toadstone("reproduce", "epic-transfer").err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["fig9", "--scale", "full"], "`--scale`: expected an experiment on networks, got fig9"),
        (["fig9", "--work", "runs"], "`--work`: expected an experiment on networks, got fig9"),
        (["fig9", "--minutes", "5"], "`--minutes`: expected an experiment on networks, got fig9"),
        (["p17-enrom"], "did you mean p17-enron?"),
        ([], "expected one that `toadstone reproduce --list` prints, got none"),
        (["p17-enron", "--seed", "-1"], "`--seed`: expected a whole number"),
        (["p17-enron", "--minutes", "0"], "`--minutes`: expected a positive number, got 0"),
        (["p17-enron", "--workers", "0"], "`--workers`: expected a whole number from 1, got 0"),
    ],
)
def test_refusals(toadstone, arguments, sentence):
    shown = toadstone("reproduce", *arguments)
    assert (shown.code, shown.out) == (2, "")
    assert sentence in shown.err
    assert shown.err.count("\n") == 1
