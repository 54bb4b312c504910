"""`toadstone attack` as a user meets it."""

import json
import os

import numpy as np
import pytest

from toadstone.catalogue import names
from toadstone.commands.attack import attack as command
from toadstone.pipeline.attack import SELECTIONS
from toadstone.pipeline.attack_search.methods import METHODS
from toadstone.pipeline.attack_search.names import searchable
from toadstone.report.text.wording import LEARNER_WORDS, METHOD_TITLES

FIELDS = {"test_error", "worst_case", "seconds", "poison_rows", "distinct_rows", "selected_on"}


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Two overlapping classes as arrays, in an otherwise empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 40)
    np.savez("rows.npz", X=rng.normal(size=(80, 3)) + 1.2 * y[:, None], y=y)
    return tmp_path


def test_json_has_what_scripts_need(toadstone, table):
    outcome = toadstone("attack", "rows.npz", "--method", "label-flip", "--fraction", 0.1, "--ridge", 0.1, "--json")
    record = json.loads(outcome.out)
    assert set(record) >= FIELDS
    assert set(record["test_error"]) == {"none", "l2", "slab", "loss", "svd", "knn"}
    assert record["selected_on"] == "validation"
    assert record["poison_rows"] == 6
    assert os.listdir(table) == ["rows.npz"]


def test_words_say_what_was_looked_at(toadstone, table):
    options = ("--method", "label-flip", "--fraction", 0.1, "--ridge", 0.1, "--select-on", "test")
    outcome = toadstone("attack", "rows.npz", *options)
    assert outcome.out.startswith("Label flipping adds 6 rows (")
    assert "as in the paper" in outcome.out
    assert "removes" in outcome.out


def test_chosen_rows_are_aimed_at(toadstone, table):
    options = ("--method", "influence", "--fraction", 0.2, "--ridge", 0.1, "--filters", "slab, loss")
    refused = toadstone("attack", "rows.npz", *options, "--target", "999")
    assert "`--target`: expected numbers of test rows (" in refused.err
    row = refused.err.split("(")[1].split(",")[0]
    outcome = toadstone("attack", "rows.npz", *options, "--target", f" {row}", "--json")
    record = json.loads(outcome.out)
    assert record["targets"]["rows"] == [int(row)]
    assert record["filters"] == ["slab", "loss"]
    words = toadstone("attack", "rows.npz", *options, "--target", row).out
    assert "of the targets (1) are still misclassified, against" in words
    assert "Error, % of all test rows, then of the targets" in words


def test_the_rows_are_written_and_can_be_audited(toadstone, table):
    options = ("--fraction", 0.1, "--ridge", 0.1)
    toadstone("attack", "rows.npz", "--method", "label-flip", *options, "--out", "poison.npz")
    with np.load("poison.npz", allow_pickle=False) as rows:
        assert rows["X"].shape == (6, 3)
    audited = toadstone("audit", "rows.npz", *options, "--poison", "poison.npz", "--json")
    assert "poison" in {cell["attack"] for cell in json.loads(audited.out)["evaluations"]}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--select-on", "luck"), "`--select-on`: 'luck' is not one of"),
        (("--learner", "magic"), "`--learner`: 'magic' is not one of"),
        (("--method", "magic"), "`--method`: expected one of kkt-influence, kkt, min-max, min-max-basic, influence"),
        (("--method", "best"), "`--method`: best is called kkt-influence now"),
        (("--method", "minmax-basic"), "`--method`: minmax-basic is called min-max-basic now"),
        (("--method", "badnets"), "`--method`: badnets plants a trigger and aims at triggered rows, and this command "),
        (
            ("--method", "subpopulation"),
            "aims at a group of rows, and this command measures the test error; use toadst",
        ),
        (("--method", "noise"), "noise alters rows, and this command adds some; use toadstone evaluate"),
        (("--method", "collapse"), "collapse comes from a certificate: toadstone audit always tries it"),
        (("--method", "convex-polytope"), "convex-polytope poisons images for neural networks; use toadstone.deep"),
        (("--target", "3,x"), "`--target`: expected numbers of test rows, as in 3,17, got 3,x"),
        (("--target", ""), "`--target`: expected numbers of test rows, as in 3,17, got"),
        (("--target", "5"), "`--target`: expected a method of kkt or influence to go with it, got kkt-influence"),
        (("--filters", "l2,knn"), "`--filters`: expected some of l2, slab, loss, each once, got l2, knn"),
        (("--workers", "0"), "`--workers`: expected a whole number from 1, got 0"),
        (("--quantile", "2"), "`--quantile`: expected a number in [0.5, 1), got 2"),
        (("--fraction", "0.001"), "`--fraction`: expected enough for one row of 64, got 0.001"),
        (("--out", "rows.npz"), "`--out`: expected a file that does not exist yet, got rows.npz; --force replaces it"),
    ],
)
def test_bad_options_get_one_sentence(toadstone, table, options, sentence):
    outcome = toadstone("attack", "rows.npz", "--ridge", "0.1", *options)
    assert outcome.code == 2
    assert sentence in outcome.err
    assert outcome.err.count("\n") == 1


def test_every_method_can_be_asked_for_and_named():
    (option,) = (param for param in command.params if param.name == "method")
    assert set(METHODS) == set(searchable())
    assert [name for name in METHODS if name not in option.help] == []
    assert set(METHOD_TITLES) == set(METHODS)
    (option,) = (param for param in command.params if param.name == "select_on")
    assert tuple(option.type.choices) == SELECTIONS
    (option,) = (param for param in command.params if param.name == "learner")
    assert tuple(option.type.choices) == names("learner") == tuple(LEARNER_WORDS)


def test_several_classes(toadstone, table):
    rng = np.random.default_rng(1)
    y = np.repeat(["ant", "bee", "cow"], 30)
    np.savez("several.npz", X=rng.normal(size=(90, 3)) + 2 * np.eye(3)[np.searchsorted(["ant", "bee", "cow"], y)], y=y)
    options = ("--fraction", 0.1, "--ridge", 0.1)
    outcome = toadstone("attack", "several.npz", "--method", "min-max-basic", "--learner", "online", *options)
    assert "The defender trains one linear function a class by three epochs of AdaGrad" in outcome.out
    assert "ridge 0.1, as asked" in outcome.out
    refused = toadstone("attack", "several.npz", *options)
    assert refused.code == 2
    several = "min-max, min-max-basic, label-flip, random-flip, targeted-flip"
    assert f"`--method`: expected one of {several}, as there are 3 classes" in refused.err


def test_a_class_without_test_rows_is_said_to_have_none(toadstone, table):
    rows = np.load("rows.npz")
    ones = rows["y"] == 1
    np.savez("part.npz", X_train=rows["X"], y_train=rows["y"], X_test=rows["X"][ones], y_test=rows["y"][ones])
    outcome = toadstone("attack", "part.npz", "--method", "label-flip", "--fraction", 0.1, "--ridge", 0.1)
    assert outcome.code == 0
    assert "No test row is labelled 0: the test errors say nothing of that class." in outcome.out
