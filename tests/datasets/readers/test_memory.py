"""Frames and arrays in memory are prepared like files of the same content."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from scipy.sparse import csr_array, issparse

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.readers.memory import as_frame, frame_table, labelled, read_arrays, read_frame
from toadstone.datasets.readers.read import read
from toadstone.datasets.readers.request import Request

N = 40
TABLE = pa.table(
    {"a": np.arange(N), "kind": [f"k{i % 3}" for i in range(N)], "y": [("no", "yes")[i % 2] for i in range(N)]}
)
X, Y = np.random.default_rng(0).normal(size=(N, 3)), np.arange(N) % 2


def test_a_frame_is_read_like_the_file(tmp_path: Path) -> None:
    pacsv.write_csv(TABLE, tmp_path / "file.csv")
    from_file, from_frame = read(tmp_path / "file.csv"), read_frame(as_frame(TABLE), Request())[0]
    for ours, theirs in ((from_frame.train, from_file.train), (from_frame.test, from_file.test)):
        np.testing.assert_array_equal(ours.X, theirs.X)
        np.testing.assert_array_equal(ours.y, theirs.y)
        np.testing.assert_array_equal(ours.row_ids, theirs.row_ids)
    assert from_frame.train.feature_names == from_file.train.feature_names
    assert from_frame.preparation == from_file.preparation


def test_another_frame_is_scaled_by_the_training_rows_of_the_first() -> None:
    split, reader = read_frame(as_frame(TABLE), Request(scale="standard"))
    X, y = reader.encode(frame_table(as_frame(TABLE.slice(3, 2)), "other"))
    fitted_on = split.train.row_ids
    np.testing.assert_allclose(X[:, 0], (np.array([3, 4]) - fitted_on.mean()) / fitted_on.std())
    assert y.tolist() == ["yes", "no"]


def test_rows_are_named_by_the_index() -> None:
    frame = TABLE.to_pandas().set_index([[f"id-{i}" for i in range(N)]])
    split, _ = read_frame(as_frame(frame), Request())
    assert split.row_names.full(7) == "index id-7"
    assert read_frame(as_frame(TABLE), Request())[0].row_names.full(7) == "index 7"
    gap = TABLE.to_pandas().set_index([[f"id-{i}" for i in range(N)]])
    gap["a"] = [[1]] * N
    with pytest.raises(InvalidData, match="column 'a'"):
        read_frame(as_frame(gap), Request())
    missing = frame.assign(y=[None, *frame["y"][1:]])
    with pytest.raises(InvalidData, match=r"^DataFrame: column 'y', index id-0: expected a label, got nothing"):
        read_frame(as_frame(missing), Request(missing="refuse"))


def test_missing_values_of_a_frame_are_those_of_a_file() -> None:
    frame = TABLE.to_pandas().astype({"a": float})
    frame.loc[10:20, "a"] = float("nan")
    frame.loc[15:25, "kind"] = None
    split, _ = read_frame(as_frame(frame), Request(scale="none"))
    assert {"a=(missing)", "kind=(missing)"} <= set(split.train.feature_names)


@pytest.mark.parametrize("data", [None, [[1.0]], np.eye(2), {"a": [1]}, "file.csv"], ids=repr)
def test_other_objects_are_not_frames(data: object) -> None:
    assert as_frame(data) is None


@pytest.mark.parametrize("make", [np.asarray, csr_array], ids=["dense", "sparse"])
def test_arrays_keep_their_rows_labels_and_numbers(make: type) -> None:
    split, _ = read_arrays(make(X), Y, Request(scale="none"), feature_names=("a", "b", "c"), row_ids=np.arange(N) * 10)
    for part in (split.train, split.test):
        values = part.X.toarray() if issparse(part.X) else part.X
        np.testing.assert_array_equal(values, X[part.row_ids])
        np.testing.assert_array_equal(part.y, Y[part.row_ids])
    assert split.train.feature_names == ("a", "b", "c")
    assert issparse(split.train.X) == (make is csr_array)
    assert split.row_names.full(3) == "index 30"


def test_classes_choose_rows_of_arrays() -> None:
    y = np.arange(N) % 4
    split, _ = read_arrays(X, y, Request(classes=("3", "1")))
    assert split.train.classes.tolist() == [1, 3]
    np.testing.assert_array_equal(split.train.X, X[split.train.row_ids])


def test_rare_classes_of_arrays_are_set_aside_on_request() -> None:
    y = np.where(np.arange(N) == 7, 2, Y)
    with pytest.raises(InvalidData, match="arrays: y: expected at least 5 rows of each class, got 1 of '2'"):
        read_arrays(X, y, Request())
    split, _ = read_arrays(X, y, Request().setting_aside())
    assert [(row.position, row.label, row.reason) for row in split.aside] == [(7, "2", "class of fewer than 5 rows")]
    assert len(split.train) + len(split.test) + len(split.aside) == N


def test_other_arrays_are_scaled_as_the_first() -> None:
    split, preparation = read_arrays(X, Y, Request(scale="standard"))
    again, y = preparation.encode(X, Y)
    np.testing.assert_array_equal(again[split.train.row_ids], split.train.X)
    np.testing.assert_array_equal(y, Y)


def test_arrays_without_labels_or_columns_are_refused() -> None:
    with pytest.raises(InvalidData, match=r"^arrays: expected a label for each of 40 rows, got y of shape \(39,\)"):
        read_arrays(X, Y[1:], Request())
    with pytest.raises(InvalidArgument, match=r"^`label`: expected nothing for arrays"):
        read_arrays(X, Y, Request(label="y"))


def test_features_in_a_frame_are_joined_with_their_labels() -> None:
    features = TABLE.drop_columns(["y"]).rename_columns(["a", "label"])
    frame, label = labelled(features, Y)
    assert label == "label_"
    assert frame.columns == ["a", "label", "label_"]
    assert frame["label_"].to_list() == Y.tolist()
    assert labelled(X, Y) is None
    with pytest.raises(InvalidData, match="expected a label for each of 40 rows, got 39"):
        labelled(features, Y[1:])


def test_trusted_arrays_have_the_columns_of_the_data() -> None:
    _, preparation = read_arrays(X, Y, Request())
    with pytest.raises(InvalidData, match=r"^trusted arrays: X: expected 3 columns as in the data, got 2$"):
        preparation.encode(X[:, :2], Y)


def test_whole_numbers_that_no_float_holds_are_refused() -> None:
    rows = np.full((N, 2), 7, dtype=np.uint64)
    rows[3, 1] = 2**64 - 1
    with pytest.raises(
        InvalidData, match=r"^arrays: X: expected whole numbers up to 2\*\*53, .*got 18446744073709551615"
    ):
        read_arrays(rows, Y, Request())


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        ([object()] * N, "Could not convert"),
        (np.ones(N) * 1j, "Unsupported numpy type"),
        (pandas.arrays.SparseArray(np.ones(N)), "Sparse pandas data"),
    ],
    ids=["objects", "complex", "sparse"],
)
def test_columns_that_arrow_cannot_hold(column: object, reason: str) -> None:
    with pytest.raises(InvalidData, match=f"^DataFrame: expected columns that Arrow can hold, got: {reason}"):
        read_frame(as_frame(pandas.DataFrame({"a": column, "label": Y})), Request())
