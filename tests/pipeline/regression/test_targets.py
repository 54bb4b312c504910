"""Scan, defence, sanitizing and attack of numeric targets, by the front door and the command line."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

import toadstone
from toadstone.core.errors import InvalidInput
from toadstone.detectors.targets import stack
from toadstone.report.files.schema import load_schema

N, WRONG = 180, [10, 50, 90, 130]


def homes():
    rng = np.random.default_rng(0)
    size = rng.uniform(40, 200, N).round()
    price = (2.1 * size + 20 * rng.normal(size=N) + 50).round()
    price[WRONG] = [price[10] * 10, 1000, 900, -400]
    return pd.DataFrame({"size": size, "town": rng.choice([*"abc"], N), "price": price})


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch):
    """Targets as wrong as these are found by forests of any size."""
    monkeypatch.setattr(stack, "_TREES", 40)
    monkeypatch.setattr(stack, "_SCALE_TREES", 40)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("homes") / "homes.csv"
    homes().to_csv(path, index=False)
    return path


@pytest.fixture
def run(request):
    """Run the command line; its fixture has the name of the package."""
    return request.getfixturevalue("toadstone")


def test_a_scan_of_a_file_lists_the_wrong_targets(file, tmp_path, run):
    done = run("scan", file, "--target", "price", "--out", tmp_path / "found")
    assert done.code == 0
    assert re.search(r"line 12: [\d,]+ where [\d,.]+ \([\d,.]+ to [\d,.]+\) is expected", done.out)
    record = json.loads((tmp_path / "found" / "record.json").read_text())
    assert sorted(row["position"] for row in record["rows"]) == WRONG
    assert record["header"]["record"] == "regression-scan"
    assert set(record) == set(load_schema("regression-scan")["required"])
    assert len((tmp_path / "found" / "scores.csv").read_text().splitlines()) == N + 1
    assert (tmp_path / "found" / "suspects.csv").read_text().startswith("line,target,suggested,low,high,probability")
    assert "Rows to look at" in (tmp_path / "found" / "report.html").read_text()


@pytest.mark.slow
def test_files_frames_arrays_and_splits_agree(file):
    table = homes()
    of_file = toadstone.scan(file, target="price").record
    ways = [
        toadstone.scan(table, target="price"),
        toadstone.scan(table, label="price", regression=True),
        toadstone.scan(toadstone.read(file, label="price", regression=True)),
        toadstone.scan((table[["size", "town"]], table["price"]), regression=True),
    ]
    for way in ways:
        assert [row.position for row in way.record.rows] == [row.position for row in of_file.rows]
    arrays = toadstone.scan((table[["size"]].to_numpy(), table["price"].to_numpy()), regression=True)
    assert sorted(row.position for row in arrays.record.rows) == WRONG
    assert set(ways[0].to_frame()["status"]) == {"listed"}
    assert all(row.preview.startswith("size ") for row in of_file.rows[:2])
    assert ways[0].to_frame().index.tolist() == [row.position for row in of_file.rows]


def test_trusted_rows_are_used_and_not_listed(file):
    clean = homes().iloc[150:170].assign(size=lambda rows: rows["size"] + 0.5)
    found = toadstone.scan(homes(), target="price", trusted=clean)
    assert found.record.trusted_rows == 20
    assert sorted(row.position for row in found.record.rows) == WRONG
    with pytest.raises(InvalidInput, match="`trusted`: expected rows that are not among the untrusted ones"):
        toadstone.scan(homes(), target="price", trusted=homes().iloc[150:170])


def test_a_defence_removes_them_and_keeps_the_others_as_they_stand(file, tmp_path, run):
    done = run("defend", file, "--target", "price", "--out", tmp_path / "out")
    assert done.code == 0
    kept = (tmp_path / "out" / "cleaned.csv").read_text().splitlines()
    lines = file.read_text().splitlines()
    assert kept == [line for number, line in enumerate(lines) if number - 1 not in WRONG]
    assert "What this brings or costs is not known" in done.out


@pytest.mark.slow
def test_a_defence_is_measured_on_a_published_test_set(tmp_path):
    table, rng = homes(), np.random.default_rng(1)
    size = rng.uniform(40, 200, 60)
    np.savez(
        tmp_path / "homes.npz",
        X_train=table[["size"]],
        y_train=table["price"],
        X_test=size[:, None],
        y_test=2.1 * size + 50,
    )
    record = toadstone.defend(tmp_path / "homes.npz", regression=True).record
    assert [(one.model, one.where, one.rows) for one in record.errors] == [
        ("ridge", "published", 60),
        ("random forest", "published", 60),
    ]
    assert all(one.after < one.before and one.change_low < one.change < one.change_high for one in record.errors)
    own = toadstone.defend(tmp_path / "homes.npz", regression=True, model=LinearRegression()).record
    assert [one.model for one in own.errors] == ["LinearRegression"]


def test_no_more_than_asked_is_removed():
    found = toadstone.defend(homes(), target="price", max_removed=0.01)
    assert (len(found.record.removals), found.record.spared) == (1, 3)
    assert len(found.kept) == N - 1


@pytest.mark.parametrize("method", ["trim", "sever", "loss"])
def test_sanitizing_removes_the_share_that_was_asked_for(method):
    found = toadstone.sanitize(homes(), target="price", method=method, remove=0.05)
    removed = [row["position"] for row in found.record["removed"]]
    assert len(removed) == N // 20
    assert set(WRONG) <= set(removed)
    assert len(found.kept) == N - N // 20


def test_sanitizing_by_features_alone_and_by_default():
    assert toadstone.sanitize(homes(), target="price").record["method"] == "trim"
    assert len(toadstone.sanitize(homes(), target="price", method="l2").record["removed"]) == N // 20
    with pytest.raises(InvalidInput, match=r"`method`: expected one of trim, sever, .* for a numeric target, got slab"):
        toadstone.sanitize(homes(), target="price", method="slab")
    with pytest.raises(InvalidInput, match="trim"):
        toadstone.sanitize("breast-cancer", method="trim")


def test_an_attack_harms_the_plain_model_and_not_trim(tmp_path):
    clean = homes().drop(index=WRONG)
    found = toadstone.attack(clean, label="price", regression=True, fraction=0.1)
    errors = {one.defence: one.test_error / one.clean_error for one in found.record.defences}
    assert errors["none"] > 1.5 > 1.2 > errors["trim"]
    found.save(tmp_path / "poison.npz")
    with np.load(tmp_path / "poison.npz") as archive:
        assert len(archive["y"]) == found.record.poison_rows == len(found.poison)


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        ("scan", {"detectors": "spectral"}, "`detectors`: expected nothing for a numeric target, got 'spectral'"),
        ("scan", {"group": "town"}, "`group`: expected nothing for a numeric target"),
        ("scan", {"label": "town"}, "`target`: expected no label beside it, got 'town'"),
        ("defend", {"action": "relabel"}, "`action`: expected nothing for a numeric target, got 'relabel'"),
    ],
)
def test_options_of_classes_are_refused(function, options, message):
    with pytest.raises(InvalidInput, match=message):
        getattr(toadstone, function)(homes(), target="price", **options)


@pytest.mark.parametrize(("function", "options"), [("audit", {}), ("certify", {"fraction": 0.03}), ("evaluate", {})])
def test_functions_for_classes_refuse_numbers(function, options):
    with pytest.raises(InvalidInput, match="one of scan, sanitize, defend and attack for a numeric target"):
        getattr(toadstone, function)(homes(), label="price", regression=True, **options)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("scan", "--fail-if-rows-above", "3"), 1),
        (("scan", "--fail-if-exceeded"), 1),
        (("scan", "--fail-if-groups"), 2),
        (("defend", "--fail-if-removed-above", "0.01"), 1),
        (("defend", "--fail-if-accuracy-drops-above", "0.01"), 2),
    ],
)
def test_gates(file, run, arguments, code):
    done = run(arguments[0], file, "--target", "price", *arguments[1:])
    assert done.code == code, done.out


def test_the_page_names_what_is_refused():
    page = (Path(__file__).parents[3] / "docs" / "regression.md").read_text(encoding="utf-8")
    named = (
        "detectors",
        "false-alarm-rate",
        "group",
        "time",
        "test",
        "represent",
        "action",
        "estimators",
    )
    refused = page[page.index("are refused beside a numeric target") :].split("\n\n", 1)[0]
    assert [option for option in named if f"`--{option}`" not in refused] == []
