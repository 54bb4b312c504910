"""Arrow tables become splits: choice of label, text and rows, and tables encoded like another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.preparation.columns import Origin
from toadstone.datasets.readers.request import Request
from toadstone.datasets.readers.tables import encode_like, split_table

ORIGIN, OTHER = Origin(Path("file.csv"), first_row=2), Origin(Path("other.csv"), first_row=2)
N = 20


def _table(**columns: object) -> pa.Table:
    return pa.table({"a": np.arange(N), "b": np.arange(N) % 7 / 2, **columns})


def _mails(**columns: object) -> pa.Table:
    texts = [f'hello, word{i % 3}\nline "two"' for i in range(N)]
    return pa.table({"sent": np.arange(N), "message": texts, "y": np.arange(N) % 2, **columns})


def test_rows_keep_their_labels_and_numbers() -> None:
    y = [("spam", "ham")[i % 3 == 0] for i in range(N)]
    split = split_table(_table(y=y), ORIGIN, Request(scale="none"))
    for part in (split.train, split.test):
        np.testing.assert_array_equal(part.X, np.c_[part.row_ids, part.row_ids % 7 / 2])
        assert part.y.tolist() == [y[row] for row in part.row_ids]
    assert sorted([*split.train.row_ids, *split.test.row_ids]) == list(range(N))


@pytest.mark.parametrize("name", ["label", "Labels", "CLASS", "target", "y"])
def test_the_label_is_found_by_its_usual_names(name: str) -> None:
    assert split_table(_table(**{name: np.arange(N) % 2}), ORIGIN, Request()).train.feature_names == ("a", "b")


@pytest.mark.parametrize("names", [["outcome"], ["target", "label"]])
def test_an_uncertain_label_is_asked_for(names: list[str]) -> None:
    table = _table(**{name: np.arange(N) % 2 for name in names})
    listed = ", ".join(["a", "b", *names])
    with pytest.raises(InvalidArgument, match=f"`label`: expected the name .*file.csv: {listed}, got nothing"):
        split_table(table, ORIGIN, Request())
    assert split_table(table, ORIGIN, Request(label=names[0])).train.classes.tolist() == [0, 1]


def test_a_wrong_label_gets_a_suggestion() -> None:
    with pytest.raises(InvalidArgument, match=r"`label`: expected a column of file.csv: .*, got 'labl'; did you mean"):
        split_table(_table(label=np.arange(N) % 2), ORIGIN, Request(label="labl"))


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        (pa.array([[1], [2]] * 10), "column 'y': expected whole numbers or text as labels, got values of type list"),
        (pa.array([b"a", b"b"] * 10), "column 'y': expected UTF-8 text, got other bytes"),
        (pa.array([1.0, None] * 10), r"column 'y', row 3 \(the header is row 1\): expected a value, got nothing"),
        (pa.array(np.linspace(0, 1, N)), "column 'y': expected classes, got 0.05.*: it looks like a regression target"),
        (pa.array(np.arange(N)), "column 'y': expected a few classes, got 20 different labels in 20 rows"),
        (pa.array(["a"] * N), "column 'y': expected at least two classes, got only a"),
    ],
)
def test_unusable_labels(column: pa.Array, sentence: str) -> None:
    with pytest.raises(InvalidData, match=f"^file.csv: {sentence}"):
        split_table(_table(y=column), ORIGIN, Request())


def test_only_a_running_number_may_lack_a_name() -> None:
    y = np.arange(N) % 2
    for first in (0, 1):
        split = split_table(_table(y=y, **{"": np.arange(N) + first}), ORIGIN, Request())
        assert split.train.feature_names == ("a", "b")
    with pytest.raises(InvalidData, match="expected a name for every column, got none for column 4"):
        split_table(_table(y=y, **{" ": np.arange(N) * 2}), ORIGIN, Request())


def test_the_text_column_leaves_the_others_out() -> None:
    split = split_table(_mails(), ORIGIN, Request(text="message", weighting="counts"))
    assert split.train.feature_names == ("hello", "line", "two", "word0", "word1", "word2")
    assert split.domain == "integer"
    words = split.train.X[:, [3, 4, 5]].toarray()
    np.testing.assert_array_equal(np.argmax(words, axis=1), split.train.row_ids % 3)


def test_choosing_the_text_column() -> None:
    with pytest.raises(
        InvalidArgument, match=r"`text`: expected a column of .*, got 'mesage'; did you mean 'message'\?"
    ):
        split_table(_mails(), ORIGIN, Request(text="mesage"))
    with pytest.raises(InvalidArgument, match="`text`: expected another column than the label's, got 'y'"):
        split_table(_mails(), ORIGIN, Request(text="y", label="y"))
    with pytest.raises(InvalidData, match="column 'sent': expected text, got values of type int64"):
        split_table(_mails(), ORIGIN, Request(text="sent"))


def test_missing_text_is_named() -> None:
    texts = ["hello"] * (N - 1) + [""]
    with pytest.raises(
        InvalidData, match=r"column 'message', row 21 \(the header is row 1\): expected a value, got nothing"
    ):
        split_table(_mails(message=texts), ORIGIN, Request(text="message"))


def test_another_table_is_scaled_by_the_chosen_rows_of_the_first() -> None:
    table = _table(y=np.arange(N) % 2)
    added = pa.table({"y": [1, 0], "b": [1.0, 2.0], "a": [4, 400]})
    rows = np.arange(5, 15)
    X, y = encode_like(table, added, origins=(ORIGIN, OTHER), row_ids=rows, request=Request(scale="standard"))
    fitted_on = np.c_[rows, rows % 7 / 2]
    np.testing.assert_allclose(X, (np.array([[4, 1], [400, 2]]) - fitted_on.mean(axis=0)) / fitted_on.std(axis=0))
    assert y.tolist() == [1, 0]


def test_errors_name_the_table_that_is_wrong() -> None:
    table, options = _table(y=np.arange(N) % 2), {"origins": (ORIGIN, OTHER), "row_ids": np.arange(N)}
    with pytest.raises(
        InvalidData, match=r"^other.csv: expected the columns of file.csv, got not exactly one column 'b'"
    ):
        encode_like(table, pa.table({"a": [1], "y": [1]}), **options, request=Request())
    with pytest.raises(InvalidData, match=r"^other.csv: expected the columns of file.csv, got no rows"):
        encode_like(table, table.slice(0, 0), **options, request=Request())
    with pytest.raises(InvalidData, match=r"^other.csv: column 'a': expected values of type int64, got string"):
        encode_like(table, pa.table({"a": ["u"], "b": [1.0], "y": [1]}), **options, request=Request())
