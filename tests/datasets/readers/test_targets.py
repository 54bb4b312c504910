"""Numeric targets are read from files, frames and arrays; labels that look like one say which option reads it."""

import numpy as np
import pandas as pd
import pytest

import toadstone
from toadstone.core.errors import InvalidInput

N = 60
SIZE = np.arange(N) % 37
PRICE = 3.25 * SIZE + np.arange(N) % 3


@pytest.fixture
def table():
    return pd.DataFrame({"size": SIZE, "town": [*"abc"] * 20, "price": PRICE})


def targets(split):
    return split.whole().y


def test_a_file_with_decimal_commas(tmp_path, table):
    table.to_csv(tmp_path / "homes.csv", sep=";", decimal=",", index=False)
    split = toadstone.read(tmp_path / "homes.csv", label="price", regression=True)
    assert split.target == "price"
    assert split.test_origin == "20 % held out at random, seed 0"
    np.testing.assert_array_equal(targets(split), PRICE)


@pytest.mark.parametrize("ending", ["parquet", "jsonl", "svmlight", "npz"])
def test_other_formats(tmp_path, table, ending):
    path = tmp_path / f"homes.{ending}"
    options = {"label": "price"}
    if ending == "parquet":
        table.to_parquet(path)
    elif ending == "jsonl":
        table.to_json(path, orient="records", lines=True)
    else:
        options = {}
        lines = [f"{price} 1:{size}" for size, price in zip(SIZE, PRICE, strict=True)]
        if ending == "svmlight":
            path.write_text("\n".join(lines))
        else:
            np.savez(path, X=SIZE[:, None], y=PRICE)
    np.testing.assert_array_equal(targets(toadstone.read(path, regression=True, **options)), PRICE)


def test_rows_without_a_target_are_set_aside(tmp_path, table):
    table.loc[7, "price"] = np.nan
    table.to_csv(tmp_path / "homes.csv", index=False)
    split = toadstone.read(tmp_path / "homes.csv", label="price", regression=True)
    assert [(row.position, row.reason) for row in split.aside] == [(7, "no label")]
    assert len(split.whole()) == N - 1


def test_a_published_test_set_stays(tmp_path):
    parts = {"X_train": SIZE[:40, None], "y_train": PRICE[:40], "X_test": SIZE[40:, None], "y_test": PRICE[40:]}
    np.savez(tmp_path / "homes.npz", **parts)
    split = toadstone.read(tmp_path / "homes.npz", regression=True)
    np.testing.assert_array_equal(split.test.y, PRICE[40:])


@pytest.mark.parametrize(
    ("frame", "options", "message"),
    [
        ({}, {"label": "price"}, r"different labels in 60 rows: it looks like a regression target, .*--regression"),
        ({"price": SIZE * 3}, {"label": "price"}, r"it looks like a regression target, which `regression` reads"),
        ({}, {"label": "town", "regression": True}, "column 'town': expected numbers as targets, got 'a', 'b', 'c'"),
        ({"price": 1.5}, {"label": "price", "regression": True}, "expected targets that differ, got only 1.5"),
        (
            {},
            {"label": "price", "regression": True, "classes": ["1", "2"]},
            "`classes`: expected nothing for a numeric",
        ),
    ],
)
def test_refusals_of_tables(tmp_path, table, frame, options, message):
    table.assign(**frame).to_csv(tmp_path / "homes.csv", index=False)
    with pytest.raises(InvalidInput, match=message):
        toadstone.read(tmp_path / "homes.csv", **options)


def test_numbers_of_which_some_repeat_are_not_taken_for_classes():
    y = np.random.default_rng(0).integers(0, 300, 442)
    with pytest.raises(InvalidInput, match="it looks like a regression target, which `regression` reads"):
        toadstone.scan((np.ones((442, 2)), y), detectors="spectral")


def test_several_labels_a_row_are_refused_in_frames_and_arrays():
    X, Y = np.ones((N, 2)), np.ones((N, 3))
    for data in ((X, Y), (pd.DataFrame(X), Y), (pd.DataFrame(X), pd.DataFrame(Y))):
        with pytest.raises(InvalidInput, match=r"expected one label a row, got an array of shape \(60, 3\): several"):
            toadstone.scan(data, detectors="spectral")


def test_prepared_data_sets_have_classes():
    with pytest.raises(InvalidInput, match="`regression`: expected nothing for the prepared data set breast-cancer"):
        toadstone.load("breast-cancer", regression=True)


def test_lengths_of_stay_as_a_label_are_refused_by_every_reader(tmp_path):
    rng = np.random.default_rng(0)
    days = np.concatenate([rng.integers(5, 60, 540), np.repeat([200, 210], 5)]) / 10
    frame = pd.DataFrame({"age": rng.integers(20, 80, 550), "days": days})
    frame.to_csv(tmp_path / "stays.csv", index=False)
    for data in (frame, tmp_path / "stays.csv"):
        with pytest.raises(InvalidInput, match=r"it looks like a regression target.*--target COLUMN"):
            toadstone.scan(data, label="days", detectors="spectral")
