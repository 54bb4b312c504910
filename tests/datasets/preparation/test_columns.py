"""Tables become matrices: numbers scaled on training rows, categories one-hot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse import issparse

from toadstone.core.errors import InvalidData
from toadstone.datasets.preparation.columns import Origin, encode_columns
from toadstone.datasets.preparation.features import Features

ORIGIN = Origin(Path("file.csv"), first_row=2)


def _encode(columns: dict, *, train: list[int], test: list[int], scale: str = "auto") -> Features:
    table = pa.table(columns)
    rows = (np.array(train, dtype=int), np.array(test, dtype=int))
    return encode_columns(table, *rows, scale=scale, origin=ORIGIN, row_ids=np.arange(table.num_rows))


def test_levels_come_from_training_rows_alone() -> None:
    encoded = _encode({"colour": ["red", "blue", "green", "red"], "n": [1.5, 2.5, 9.0, 1.5]}, train=[0, 1], test=[2, 3])
    assert encoded.names == ("n", "colour=blue", "colour=red")
    np.testing.assert_allclose(encoded.train, [[-1, 0, 1], [1, 1, 0]])
    np.testing.assert_allclose(encoded.test, [[14, 0, 0], [-1, 0, 1]])
    assert encoded.preparation == "1 number standardised, 1 category one-hot (2 columns)"


def test_booleans_and_dictionaries_are_categories() -> None:
    columns = {
        "b": [True, False],
        "d": pa.array(["x", "y"]).dictionary_encode(),
        "k": pa.array([3, 5]).dictionary_encode(),
    }
    encoded = _encode(columns, train=[0, 1], test=[])
    assert encoded.names == ("b=False", "b=True", "d=x", "d=y", "k=3", "k=5")
    np.testing.assert_array_equal(encoded.train, [[0, 1, 1, 0, 1, 0], [1, 0, 0, 1, 0, 1]])
    assert encoded.test.shape == (0, 6)


@pytest.mark.parametrize(
    ("columns", "treatment"),
    [
        ({"a": [0, 4, 1], "b": [2, 0, 0]}, "2 numbers taken for counts, as given"),
        ({"a": [0, 4, 1], "b": [2, 5, 1]}, "2 numbers standardised"),
        ({"a": [0, 4, 1], "b": [2, 0, 0.5]}, "2 numbers standardised"),
        ({"a": [0, 4, 1], "b": [2, 0, -1]}, "2 numbers standardised"),
        ({"a": [0.0, 0.5, 1.0], "b": [1.0, 1.0, 1.0]}, "2 numbers as given"),
        ({"a": [0, 4, 1], "c": ["u", "v", "u"]}, "1 number standardised, 1 category one-hot (2 columns)"),
        ({"a": [0, 0.5, 1], "c": ["u", "v", "u"]}, "1 number as given, 1 category one-hot (2 columns)"),
    ],
)
def test_mixed_units_are_standardised_and_counts_are_not(columns: dict, treatment: str) -> None:
    assert _encode(columns, train=[0, 1, 2], test=[0]).preparation == treatment


def test_scale_can_be_forced_either_way() -> None:
    columns = {"a": [10.0, 30.0]}
    np.testing.assert_allclose(_encode(columns, train=[0, 1], test=[], scale="standard").train, [[-1], [1]])
    np.testing.assert_allclose(_encode(columns, train=[0, 1], test=[], scale="none").train, [[10], [30]])


def test_wide_categories_stay_sparse_and_mean_the_same() -> None:
    n = 3 * 1100
    columns = {"a": np.arange(n + 1) / n, "c": pa.array([*(f"level {i % 1100}" for i in range(n)), "unseen"])}
    wide = _encode(columns, train=list(range(n)), test=[2, n])
    assert issparse(wide.train)
    assert wide.train.shape == (n, 1101)
    dense = wide.train.toarray()
    np.testing.assert_allclose(dense[:, 0], np.arange(n) / n)
    assert wide.names[1 + int(np.argmax(dense[7, 1:]))] == "c=level 7"
    assert np.all(np.count_nonzero(dense[:, 1:], axis=1) == 1)
    np.testing.assert_array_equal(wide.test[[0]].toarray(), dense[[2]])
    assert wide.test[[1]].toarray().ravel().tolist() == [1.0, *[0.0] * 1100]


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"a": [1.0, None, 2.0]}, r"column 'a', row 3 \(the header is row 1\): expected a value, got nothing"),
        ({"a": [1.0, 2.0, float("nan")]}, r"column 'a', row 4 \(the header is row 1\): expected a value, got nothing"),
        ({"a": ["u", "", None]}, r"column 'a', row 3 .*expected a value, got nothing"),
        ({"a": pa.nulls(3)}, "column 'a': expected values, got an empty column"),
        ({"a": [1.0, float("-inf"), 2.0]}, r"column 'a', row 3 .*expected a finite number, got -inf"),
        (
            {"a": [[1], [2], [3]]},
            "column 'a': expected numbers, categories or text, got values of type list.*; drop it",
        ),
        ({"a": [b"x", b"y", b"z"]}, "column 'a': expected UTF-8 text, got other bytes"),
        ({"a": ["1"] * 30 + ["2,5"]}, r"column 'a', row 32 .*expected a number as in the other rows, got '2,5'"),
        (
            {"a": [f"id{i}" for i in range(30)]},
            r"column 'a': expected categories, got 30 different texts in 30 rows \(such as 'id0'\)",
        ),
    ],
)
def test_unusable_columns_are_named(columns: dict, sentence: str) -> None:
    with pytest.raises(InvalidData, match=f"^file.csv: {sentence}"):
        _encode(columns, train=[0, 1, 2], test=[])


def test_rows_are_named_as_in_the_file_after_a_choice_of_classes() -> None:
    table = pa.table({"a": [1.0, None]})
    with pytest.raises(InvalidData, match=r"row 42 \(the first is row 1\)"):
        encode_columns(
            table,
            np.array([0]),
            np.array([1]),
            scale="auto",
            origin=Origin(Path("file.parquet"), first_row=1),
            row_ids=np.array([7, 41]),
        )
