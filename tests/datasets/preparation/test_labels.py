"""Labels of the right kind pass; the rest get one sentence each."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.preparation.labels import as_labels, check_classes, check_test_labels, listing, rows_of_classes


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array([-1, 1], dtype=np.int8), np.int64),
        (np.array([[0], [9]], dtype=np.uint8), np.int64),
        (np.array([1.0, 2.0], dtype=np.float32), np.int64),
        (np.array([True, False]), np.bool_),
        (np.array(["ham", "spam"]), np.str_),
        (np.array([b"ham", "café".encode()]), np.str_),
    ],
)
def test_usable_labels(values: np.ndarray, kind: type) -> None:
    labels = as_labels(values, "file")
    assert labels.shape == (2,)
    assert issubclass(labels.dtype.type, kind)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (np.eye(3), r"file: expected one label a row, got an array of shape \(3, 3\)"),
        (np.float64(1), r"file: expected one label a row, got an array of shape \(\)"),
        (np.array([1.0, 2.5]), "file: expected classes, got 2.5: it looks like a regression target"),
        (np.array([1.0, np.nan]), "file: expected a label in every row, got nan"),
        (np.array([b"\xe9"]), "file: expected UTF-8 text, got other bytes"),
        (np.array([1j]), "file: expected whole numbers or text, got values of type complex128"),
        (np.array(["2020-01-01"], dtype="M8[D]"), r"file: expected whole numbers or text, got values of type datetime"),
    ],
)
def test_unusable_labels(values: np.ndarray, sentence: str) -> None:
    with pytest.raises(InvalidData, match=f"^{sentence}"):
        as_labels(values, "file")


@pytest.mark.parametrize(
    ("y", "sentence"),
    [
        ([], "expected rows, got none"),
        (["spam"] * 9, "expected at least two classes, got only spam"),
        ([0] * 9 + [1] * 4, "expected at least 5 rows of each class, got 4 of 1"),
        (list(range(30)), "expected a few classes, got 30 different labels in 30 rows"),
        (list(range(9)) * 4, "expected a few classes, got 9 different labels in 36 rows"),
    ],
)
def test_classes_that_cannot_be_learned(y: list, sentence: str) -> None:
    with pytest.raises(InvalidData, match=sentence):
        check_classes(np.array(y), "file")


def test_five_rows_are_enough() -> None:
    check_classes(np.array([0] * 5 + [1] * 5), "file")


def test_classes_are_chosen_as_text_in_any_order() -> None:
    y = np.array([7, 1, 3, 7])
    assert (
        rows_of_classes(y, ("7", "1"), "file").tolist() == rows_of_classes(y, ("1", "7"), "file").tolist() == [0, 1, 3]
    )
    assert rows_of_classes(y, None, "file").tolist() == [0, 1, 2, 3]
    with pytest.raises(InvalidArgument, match=r"`classes`: expected labels among 1, 3, 7 \(file\), got '8'"):
        rows_of_classes(y, ("7", "8"), "file")


def test_test_labels_must_occur_in_training() -> None:
    check_test_labels(np.array([0, 1]), np.array([1]), "file")
    with pytest.raises(InvalidData, match="labels that occur in training, got 2"):
        check_test_labels(np.array([0, 1]), np.array([1, 2]), "file")
    with pytest.raises(InvalidData, match="expected test rows, got none"):
        check_test_labels(np.array([0, 1]), np.array([], dtype=int), "file")
    with pytest.raises(InvalidData, match="labels of one type, got <U1 and int64"):
        check_test_labels(np.array(["0", "1"]), np.array([1]), "file")


def test_long_lists_are_cut() -> None:
    assert listing(range(3)) == "0, 1, 2"
    assert listing(range(20), limit=2) == "0, 1 and 18 more"
