"""Tables become splits: choice of label, columns and rows, and tables encoded like another."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.core.row_names import RowNames
from toadstone.datasets.readers.aside import OTHER_CLASS
from toadstone.datasets.readers.request import Request
from toadstone.datasets.readers.tables import Table, TableReader, split_table
from toadstone.datasets.split import Split

N = 20


def _table(source: str = "file.csv", **columns: object) -> Table:
    held = pa.table({"a": np.arange(N), "b": np.arange(N) % 7 / 2, **columns})
    return Table(source, held, RowNames("line", names=np.arange(2, N + 2)))


def _mails(**columns: object) -> Table:
    texts = [f'hello, word{i % 3}\nline "two"' for i in range(N)]
    held = pa.table({"sent": np.arange(N), "message": texts, "y": np.arange(N) % 2} | columns)
    return Table("file.csv", held, RowNames("line", names=np.arange(2, N + 2)))


def _split(table: Table, **options: object) -> Split:
    return split_table(table, "file.csv", Request(**options))[0]  # type: ignore[arg-type]


def test_rows_keep_their_labels_and_numbers() -> None:
    y = [("spam", "ham")[i % 3 == 0] for i in range(N)]
    split = _split(_table(y=y), scale="none")
    for part in (split.train, split.test):
        np.testing.assert_array_equal(part.X, np.c_[part.row_ids, part.row_ids % 7 / 2])
        assert part.y.tolist() == [y[row] for row in part.row_ids]
    assert sorted([*split.train.row_ids, *split.test.row_ids]) == list(range(N))
    assert split.row_names.full(3) == "line 5"


@pytest.mark.parametrize("name", ["label", "Labels", "CLASS", "target", "y", " y "])
def test_the_label_is_found_by_its_usual_names(name: str) -> None:
    assert _split(_table(**{name: np.arange(N) % 2})).train.feature_names == ("a", "b")


@pytest.mark.parametrize("names", [["outcome"], ["target", "label"]])
def test_an_uncertain_label_is_asked_for(names: list[str]) -> None:
    table = _table(**{name: np.arange(N) % 2 for name in names})
    listed = ", ".join(["a", "b", *names])
    with pytest.raises(InvalidArgument, match=f"`label`: expected the name .*file.csv: {listed}, got nothing"):
        _split(table)
    assert _split(table, label=names[0]).train.classes.tolist() == [0, 1]


def test_a_wrong_label_gets_a_suggestion() -> None:
    with pytest.raises(InvalidArgument, match=r"`label`: expected a column of file.csv: .*, got 'labl'; did you mean"):
        _split(_table(label=np.arange(N) % 2), label="labl")


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        (
            pa.array([[1], [2]] * 10),
            "column 'y': expected one label a row, got lists: several labels a row cannot be used",
        ),
        (pa.array([b"a", b"b"] * 10), "column 'y': expected UTF-8 text, got other bytes"),
        (pa.nulls(N), "column 'y': expected labels, got an empty column"),
        (pa.array([""] * N), "column 'y', line 2: expected a label, got no label in any row, only ''"),
        (pa.array([1, 2] * 10, pa.date32()), "column 'y': expected whole numbers or text as labels, got values of"),
        (pa.array(np.linspace(0, 1, N)), "column 'y': expected a few classes, got 20 different labels in 20 rows"),
        (pa.array(np.arange(N)), "column 'y': expected a few classes, got 20 different labels in 20 rows"),
        (pa.array(["a"] * N), "column 'y': expected at least two classes, got only 'a'"),
    ],
)
def test_unusable_labels(column: pa.Array, sentence: str) -> None:
    with pytest.raises(InvalidData, match=f"^file.csv: {sentence}"):
        _split(_table(y=column))


@pytest.mark.parametrize("nothing", [None, "", " ", "nan", "NA", "NULL"])
def test_a_row_without_a_label_is_set_aside_or_refused(nothing: str | None) -> None:
    table = _table(y=["u", nothing, *["u", "v"] * 9])
    split = _split(table)
    assert [(row.position, row.label, row.reason, row.dropped) for row in split.aside] == [(1, "", "no label", False)]
    assert sorted([*split.train.row_ids, *split.test.row_ids]) == [0, *range(2, N)]
    assert _split(table, missing="drop-rows").aside[0].dropped
    with pytest.raises(InvalidData, match=r"^file.csv: column 'y', line 3: expected a label, got nothing; `missing`"):
        _split(table, missing="refuse")


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (pa.array([0, 2**64 - 1] * 10, pa.uint64()), ["0", str(2**64 - 1)]),
        (pa.array([True, False] * 10), [False, True]),
        (pa.array([0.0, 1.0] * 10), [0, 1]),
        (pa.array(["007", "7"] * 10), ["007", "7"]),
        (pa.array([7, 8] * 10).dictionary_encode(), [7, 8]),
    ],
)
def test_labels_keep_their_values(values: pa.Array, classes: list) -> None:
    assert _split(_table(y=values)).train.classes.tolist() == classes


class TestMissingValues:
    TABLE = _table(y=np.arange(N) % 2, c=[None, *["u", "v"] * 9, "u"], d=[1.5] * 19 + [None])

    def test_are_marked(self) -> None:
        split = _split(self.TABLE)
        assert split.aside == ()
        assert "c=(missing)" in split.train.feature_names or 0 in split.test.row_ids

    def test_are_refused_with_the_way_on(self) -> None:
        with pytest.raises(
            InvalidData,
            match=r"^file.csv: column 'c', line 2: expected a value, got nothing; `missing` with indicate or drop-rows",
        ):
            _split(self.TABLE, missing="refuse")

    def test_drop_their_rows_which_are_listed(self) -> None:
        split = _split(self.TABLE, missing="drop-rows")
        assert [(row.position, row.reason, row.dropped) for row in split.aside] == [
            (0, "no value in column 'c'", True),
            (19, "no value in column 'd'", True),
        ]
        assert sorted([*split.train.row_ids, *split.test.row_ids]) == list(range(1, 19))

    def test_in_columns_left_out_do_not_count(self) -> None:
        assert _split(self.TABLE, missing="refuse", drop="c,d").train.n_features == 2

    def test_in_texts_are_texts_without_words(self) -> None:
        assert _split(_mails(message=["hello you"] * (N - 1) + [""]), text="message", missing="refuse").aside == ()


class TestColumns:
    TABLE = _table(y=np.arange(N) % 2, c=["u", "v"] * 10)

    def test_are_dropped_or_chosen(self) -> None:
        assert _split(self.TABLE, drop="a,c").train.feature_names == ("b",)
        assert _split(self.TABLE, columns=["c"]).train.feature_names == ("c=u", "c=v")

    @pytest.mark.parametrize("option", ["drop", "columns", "text", "id"])
    def test_that_do_not_exist(self, option: str) -> None:
        with pytest.raises(InvalidArgument, match=f"`{option}`: expected a column of file.csv: a, b, y, c, got 'z'"):
            _split(self.TABLE, **{option: "z"})
        with pytest.raises(InvalidArgument, match=r"`types`: expected a column of file.csv"):
            _split(self.TABLE, types="z=number")

    @pytest.mark.parametrize("options", [{"drop": "y"}, {"columns": "y"}, {"text": "y"}, {"types": {"y": "number"}}])
    def test_that_are_the_label(self, options: dict) -> None:
        (name,) = options
        with pytest.raises(InvalidArgument, match=f"`{name}`: expected another column than the label's, got 'y'"):
            _split(self.TABLE, label="y", **options)

    def test_with_one_name_after_trimming(self) -> None:
        with pytest.raises(InvalidData, match=r"^file.csv: expected column names that differ, got 'a' twice"):
            _split(_table(y=np.arange(N) % 2, **{" a": np.arange(N)}))

    @pytest.mark.parametrize(
        ("column", "kind"),
        [
            (np.arange(N), "an index"),
            (np.arange(N) * 7 + 3, "an index"),
            (pa.array([str(i) for i in range(N)]), "an index"),
            (pa.nulls(N), "empty"),
            (pa.array([" "] * N), "empty"),
        ],
    )
    def test_without_a_name_are_left_out_and_said(self, column: object, kind: str) -> None:
        split = _split(_table(y=np.arange(N) % 2, **{" ": column}))
        assert split.train.feature_names == ("a", "b")
        assert split.notes == (f"column 4 has no name and is left out: it is {kind}",)

    @pytest.mark.parametrize("column", [np.arange(N) // 2, np.arange(N) / 2, pa.array(["u", "v"] * 10)])
    def test_without_a_name_that_hold_something_are_refused(self, column: object) -> None:
        with pytest.raises(InvalidData, match="expected a name for every column, got none for column 4, which is"):
            _split(_table(y=np.arange(N) % 2, **{"": column}))


class TestTexts:
    def test_stand_beside_the_other_columns(self) -> None:
        split = _split(_mails(), text="message", weighting="counts")
        assert split.train.feature_names == ("sent", "hello", "line", "two", "word0", "word1", "word2")
        words = split.train.X[:, [4, 5, 6]].toarray()
        np.testing.assert_array_equal(np.argmax(words, axis=1), split.train.row_ids % 3)

    def test_alone_have_a_domain(self) -> None:
        assert _split(_mails(), text="message", drop="sent", weighting="counts").domain == "integer"
        assert _split(_mails(), text="message", drop="sent").domain == "box"

    def test_are_chosen_by_name(self) -> None:
        with pytest.raises(InvalidArgument, match=r"`text`: expected a column of .*, got 'mesage'; did you mean 'mess"):
            _split(_mails(), text="mesage")

    def test_may_be_written_as_numbers(self) -> None:
        split = _split(_mails(), text="sent", columns="sent")
        assert split.preparation.startswith("TF-IDF of")

    def test_that_all_differ_are_read_if_there_is_nothing_else(self) -> None:
        mails = _mails(message=[f"hello number {i} of many" for i in range(N)])
        assert "left out: message (20 different texts in 20 rows)" in _split(mails).preparation
        alone = _split(mails, drop="sent")
        assert alone.preparation.startswith("TF-IDF of")


class TestIdentifiers:
    def test_name_the_rows(self) -> None:
        names = [f"k{i}" for i in range(N)]
        split = _split(_table(y=np.arange(N) % 2, key=names), id="key")
        assert split.row_names.full(4) == "key 'k4'"
        assert split.train.feature_names == ("a", "b")
        assert split.preparation.endswith("; left out: key (it names the rows)")

    @pytest.mark.parametrize("names", [["k"] * N, [None, *(f"k{i}" for i in range(1, N))]])
    def test_must_differ(self, names: list) -> None:
        with pytest.raises(InvalidArgument, match="`id`: expected a column with a different value in each row"):
            _split(_table(y=np.arange(N) % 2, key=names), id="key")

    def test_are_used_in_messages(self) -> None:
        table = _table(y=np.arange(N) % 2, key=[f"k{i}" for i in range(N)], c=[1.0, np.inf] + [2.0] * (N - 2))
        with pytest.raises(InvalidData, match=r"^file.csv: column 'c', key 'k1': expected a finite number"):
            _split(table, id="key")


def test_classes_that_are_too_small_are_refused_or_set_aside() -> None:
    table = _table(y=["a"] * 9 + ["b"] * 9 + ["c", "d d"])
    with pytest.raises(InvalidData, match=r"column 'y': expected at least 5 rows of each class, got 1 of 'c', 1 of 'd"):
        _split(table)
    split = split_table(table, "file.csv", Request().setting_aside())[0]
    assert [(row.position, row.label) for row in split.aside] == [(18, "c"), (19, "d d")]
    assert len(split.train) + len(split.test) == 18


@pytest.mark.parametrize(
    ("y", "sentence"),
    [
        (["a"] * 20, "expected at least two classes, got only 'a'"),
        ([None] * 4 + ["a"] * 16, "expected at least two classes, got only 'a'"),
        ([None] * 12 + ["a"] * 4 + ["b"] * 4, "expected at least 5 rows of each class, got 4 of 'a', 4 of 'b'"),
    ],
)
def test_classes_that_are_all_too_small_are_refused(y: list, sentence: str) -> None:
    with pytest.raises(InvalidData, match=f"column 'y': {sentence}"):
        split_table(_table(y=y), "file.csv", Request().setting_aside())


def test_what_was_done_is_noted() -> None:
    table = _table(y=["ill", "ill "] * 10, p=[f"{i},5" for i in range(N)], z=["007", "008"] * 10)
    assert _split(table).notes == (
        "column 'p' is read as numbers: decimal comma",
        "column 'z' is read as categories: text, for their leading zeros",
        "the labels 'ill' and 'ill ' differ only by blanks, case or invisible characters, and count as different "
        "classes",
    )
    three = _table(y=["a", "b", "c", "a", "b"] * 4)
    split = _split(three, classes=("a", "b"))
    assert [row.position for row in split.aside] == [2, 7, 12, 17]
    assert {(row.label, row.reason, row.dropped) for row in split.aside} == {("c", OTHER_CLASS, True)}


class TestAnotherTable:
    TABLE = _table(y=np.arange(N) % 2)

    def reader(self, **options: object) -> tuple[Split, TableReader]:
        return split_table(self.TABLE, "file.csv", Request(**options))  # type: ignore[arg-type]

    def other(self, **columns: object) -> Table:
        return Table("other.csv", pa.table(columns), RowNames("line", names=np.arange(2, 99)))

    def test_is_scaled_by_the_training_rows_of_the_first(self) -> None:
        split, reader = self.reader(scale="standard")
        X, y = reader.encode(self.other(y=[1, 0], b=[1.0, 2.0], a=[4, 400]))
        rows = split.train.row_ids
        fitted_on = np.c_[rows, rows % 7 / 2]
        np.testing.assert_allclose(X, (np.array([[4, 1], [400, 2]]) - fitted_on.mean(axis=0)) / fitted_on.std(axis=0))
        assert y.tolist() == [1, 0]

    def test_keeps_the_requested_classes(self) -> None:
        _, reader = self.reader(classes=("0", "1"))
        X, y = reader.encode(self.other(y=[1, 0, 7], b=[1.0, 2.0, 3.0], a=[4, 5, 6]))
        assert (len(X), y.tolist()) == (2, [1, 0])

    @pytest.mark.parametrize(
        ("columns", "sentence"),
        [
            ({"a": [1], "y": [1]}, "expected a column 'b', got a, y"),
            ({"a": [1], "b": [1.0]}, "expected rows with a column 'y', got a, b"),
            ({"a": pa.array([], pa.int64()), "b": [], "y": []}, "expected rows with a column 'y', got no rows"),
            ({"a": ["u"], "b": [1.0], "y": [1]}, "column 'a', line 2: expected a number as in the other rows, got 'u'"),
            ({"a": [1], "b": [1.0], "y": [None]}, "column 'y'(, line 2)?: expected (a label|labels), got"),
        ],
    )
    def test_is_named_if_it_is_wrong(self, columns: dict, sentence: str) -> None:
        with pytest.raises(InvalidData, match=f"^other.csv: {sentence}"):
            self.reader()[1].encode(self.other(**columns))
