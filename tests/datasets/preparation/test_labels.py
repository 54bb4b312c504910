"""Labels of the right kind pass; the rest get one sentence each."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.preparation.labels import (
    as_labels,
    check_classes,
    check_several,
    check_test_labels,
    labels_of_texts,
    listing,
    near_equal,
    number_notes,
    rare_classes,
    refuse_many_numbers,
    rows_of_classes,
)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array([-1, 1], dtype=np.int8), np.int64),
        (np.array([[0], [9]], dtype=np.uint8), np.int64),
        (np.array([1.0, 2.0], dtype=np.float32), np.int64),
        (np.array([True, False]), np.bool_),
        (np.array([1.0, 2.5]), np.str_),
        (np.array([1, 2**64 - 1], dtype=np.uint64), np.str_),
        (np.array([1.0, 2.0**70]), np.str_),
        (np.array(["ham", "spam"]), np.str_),
        (np.array(["ham", "spam"], dtype=object), np.str_),
        (np.array([3, 7], dtype=object), np.int64),
        (np.array([True, False], dtype=object), np.bool_),
        (np.array([2**70, 1], dtype=object), np.str_),
        (np.array([b"ham", "café".encode()]), np.str_),
    ],
)
def test_usable_labels(values: np.ndarray, kind: type) -> None:
    labels = as_labels(values, "file")
    assert labels.shape == (2,)
    assert issubclass(labels.dtype.type, kind)
    assert len(set(labels.tolist())) == 2


def test_labels_keep_their_values() -> None:
    assert as_labels(np.array([2**64 - 1, 3], dtype=np.uint64), "file").tolist() == ["18446744073709551615", "3"]
    assert as_labels(np.array([2**63 - 1], dtype=np.uint64), "file").tolist() == [2**63 - 1]
    assert as_labels(np.array([0.5, 2.0]), "file").tolist() == ["0.5", "2"]
    assert as_labels(np.array([2.0**70]), "file").tolist() == [str(2**70)]


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        (["1", "0", "-1"], [1, 0, -1]),
        (["1.0", "2.00", "3."], [1, 2, 3]),
        (["7", "007"], ["7", "007"]),
        (["9223372036854775807", "1"], [2**63 - 1, 1]),
        (["18446744073709551615", "1"], ["18446744073709551615", "1"]),
        (["1", "one"], ["1", "one"]),
        (["1.5", "2"], ["1.5", "2"]),
        (["+1", "-1"], ["+1", "-1"]),
        ([" a", "a"], [" a", "a"]),
        (["true", "false"], ["true", "false"]),
        (["1", "1.0"], [1, 1]),
        (["٣", "٤"], ["٣", "٤"]),
    ],
)
def test_texts_of_a_file_become_labels_without_loss(texts: list[str], labels: list) -> None:
    assert labels_of_texts(texts).tolist() == labels


@pytest.mark.parametrize(
    "pair",
    [("ill", "ill "), ("Ham", "ham"), ("a b", "a  b"), ("café", "cafe\u0301"), ("a\u200b", "a"), ("ﬁt", "fit")],
)
def test_labels_that_look_alike_are_reported(pair: tuple[str, str]) -> None:
    (note,) = near_equal(np.array([*pair, "other"]))
    assert note.startswith("the labels ")
    assert all(repr(label) in note for label in pair)
    assert "'other'" not in note


def test_other_labels_are_not_reported() -> None:
    assert near_equal(np.array(["ham", "spam", "hams"])) == []
    assert near_equal(np.array([1, 11])) == []


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            np.eye(3),
            r"file: expected one label a row, got an array of shape \(3, 3\): several labels a row, and one-hot",
        ),
        (np.float64(1), r"file: expected one label a row, got an array of shape \(\)"),
        (np.arange(21) + 0.5, "file: expected classes, got 0.5: it looks like a regression target"),
        (np.array([1.0, np.nan]), "file: expected a label in every row, got nan at position 1"),
        (np.array([b"\xe9"]), "file: expected UTF-8 text, got other bytes"),
        (np.array(["a", None], dtype=object), "file: expected a label in every row, got nothing at position 1"),
        (np.array([float("nan"), 1.0], dtype=object), "file: expected a label in every row, got nothing at position 0"),
        (np.array(["a", 1], dtype=object), "file: expected whole numbers or text, got values of type int, str"),
        (np.array([[1], [2, 3]], dtype=object), "file: expected whole numbers or text, got values of type list"),
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
        (["spam"] * 9, "expected at least two classes, got only 'spam'"),
        ([0] * 9 + [1] * 4, "expected at least 5 rows of each class, got 4 of '1'; `classes` keeps"),
        (list(range(30)), "expected a few classes, got 30 different labels in 30 rows"),
        (list(range(9)) * 4, "expected a few classes, got 9 different labels in 36 rows"),
    ],
)
def test_classes_that_cannot_be_learned(y: list, sentence: str) -> None:
    with pytest.raises(InvalidData, match=sentence):
        check_classes(np.array(y), "file")


def test_five_rows_are_enough() -> None:
    check_classes(np.array([0] * 5 + [1] * 5), "file")


def test_every_rare_class_is_named() -> None:
    y = np.array(["a"] * 9 + ["b b"] * 4 + ["c"] + ["d"] * 9)
    assert rare_classes(y) == {"b b": 4, "c": 1}
    with pytest.raises(InvalidData, match=r"got 4 of 'b b', 1 of 'c'; `classes` keeps those that it names"):
        check_classes(y, "file")
    check_several(y, "file")


def test_classes_are_chosen_as_text_in_any_order() -> None:
    y = np.array([7, 1, 3, 7])
    assert (
        rows_of_classes(y, ("7", "1"), "file").tolist() == rows_of_classes(y, ("1", "7"), "file").tolist() == [0, 1, 3]
    )
    assert rows_of_classes(y, None, "file").tolist() == [0, 1, 2, 3]
    with pytest.raises(InvalidArgument, match=r"`classes`: expected labels among '1', '3', '7' \(file\), got '8'"):
        rows_of_classes(y, ("7", "8"), "file")


@pytest.mark.parametrize(
    ("y", "classes", "rows"),
    [
        (np.array([1, 0]), ("1.0", "0.0"), [0, 1]),
        (np.array([True, False]), ("true", "FALSE"), [0, 1]),
        (np.array([" ill", "well"]), ("ill", "well"), [0, 1]),
        (np.array(["1.5", "2"]), ("1.50", "2"), [0, 1]),
    ],
)
def test_classes_are_named_as_the_file_shows_them(y: np.ndarray, classes: tuple, rows: list[int]) -> None:
    assert rows_of_classes(y, classes, "file").tolist() == rows


def test_a_class_that_could_be_two_is_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"`classes`: expected labels among 'ill ', ' ill'|' ill', 'ill '"):
        rows_of_classes(np.array(["ill ", " ill", "well"]), ("ill", "well"), "file")


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


@pytest.mark.parametrize("decimal", [".", ","])
def test_fractions_that_repeat_are_no_classes(decimal: str) -> None:
    y = np.repeat([f"{value / 10:.1f}".replace(".", decimal) for value in range(5, 35)], 9)
    with pytest.raises(InvalidData, match=rf"got '0{decimal}5': it looks like a regression target.*--target COLUMN"):
        refuse_many_numbers(y, "file")


@pytest.mark.parametrize(
    "y",
    [
        np.repeat(np.arange(500), 6),
        np.repeat(np.array([f"{digit}.0" for digit in range(26)]), 6),
        np.repeat(np.array([f"1.{part}.1" for part in range(40)]), 6),
        np.array([0, 1, 1, 2]),
        np.array(["a", "b"]),
    ],
)
def test_classes_that_are_numbers_are_read_without_a_word(y: np.ndarray) -> None:
    refuse_many_numbers(y, "file")
    assert number_notes(y) == []


def test_numbers_that_look_like_a_quantity_are_named() -> None:
    (few,) = number_notes(np.array(["5.5", "6", "5.5"]))
    assert few.startswith("the labels are numbers, such as 5.5, and are read as 2 classes; as a quantity")
    (many,) = number_notes(np.concatenate([np.repeat(np.arange(20), 30), np.arange(20, 60)]))
    assert "such as 59, and are read as 60 classes" in many
