"""SVMlight files: sparse rows, and lines copied as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import issparse

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.readers.read import read, read_source, write_rows
from toadstone.datasets.readers.request import Request

LINES = [f"{'+1' if i % 2 else '-1'} qid:{i} 1:{i + 1} 4:2.5 # row {i}\n" for i in range(20)]


def _file(folder: Path, lines: list[str], name: str = "file.svm") -> Path:
    path = folder / name
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["file.svm", "file.svmlight", "file.libsvm"])
def test_reading(tmp_path: Path, name: str) -> None:
    split = read(_file(tmp_path, ["# a comment\n", "\n", *LINES], name))
    assert issparse(split.train.X)
    assert split.train.X.shape == (16, 4)
    assert split.train.classes.tolist() == [-1, 1]
    np.testing.assert_array_equal(split.train.X[:, [0]].toarray().ravel(), split.train.row_ids + 1)


def test_columns_count_from_zero_if_one_is_zero(tmp_path: Path) -> None:
    assert read(_file(tmp_path, [f"{i % 2} 0:1 2:1\n" for i in range(20)])).train.n_features == 3


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([*LINES, "+1 1:a\n"], "got in line 21: '\\+1 1:a'"),
        ([*LINES, "+1 3:1 2:1\n"], "got in line 21: '\\+1 3:1 2:1'"),
        ([*LINES, "+1 2:nan\n"], "got in line 21: '\\+1 2:nan'"),
        ([*LINES, "nan 2:1\n"], "got in line 21: 'nan 2:1'"),
        ([*LINES, "+1 -1:1\n"], "got in line 21"),
        ([*LINES, "+1 99999999999999999999:1\n"], "got in line 21"),
        (["a b\n", "1 2\n"], "got in line 1: 'a b'"),
        (["# only a comment\n"], "got none"),
    ],
)
def test_malformed_lines_are_named(tmp_path: Path, lines: list[str], sentence: str) -> None:
    with pytest.raises(InvalidData, match=rf"file.svm: expected lines such as '\+1 3:1 7:2.5'.*{sentence}"):
        read(_file(tmp_path, lines))


def test_several_labels_a_row_are_refused_as_such(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidData, match=r"file.svm: expected one label a row, got '1,2' in line 21: several labels a row cannot"
    ):
        read(_file(tmp_path, [*LINES, "1,2 1:1\n"]))


def test_labels_that_are_no_classes(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match=r"labels: expected classes, got 0.5: it looks like a regression target"):
        read(_file(tmp_path, [f"{i}.5 1:1\n" for i in range(30)]))


def test_other_files_count_their_columns_from_the_same_number(tmp_path: Path) -> None:
    with_zero = _file(tmp_path, [f"{i % 2} 0:1 2:1\n" for i in range(20)], "with_zero.svm")
    without = _file(tmp_path, ["1 2:5\n", "0 1:3\n"], "without.svm")
    other = read_source(with_zero, Request()).encode(without)
    np.testing.assert_array_equal(other.X.toarray(), [[0, 0, 5], [0, 3, 0]])
    assert other.y.tolist() == [1, 0]


def test_rows_are_named_by_their_lines(tmp_path: Path) -> None:
    split = read(_file(tmp_path, ["# a comment\n", *LINES[:2], "\n", *LINES[2:]]))
    assert [split.row_names.full(row) for row in (0, 1, 2)] == ["line 2", "line 3", "line 5"]


def test_kept_lines_are_copied_as_they_are(tmp_path: Path) -> None:
    path = _file(tmp_path, ["# a comment\n", *LINES[:2], "\n", *LINES[2:]])
    write_rows(path, [7, 2], tmp_path / "new.svm")
    assert (tmp_path / "new.svm").read_text() == LINES[2] + LINES[7]
    with pytest.raises(InvalidArgument, match="`rows`: expected row numbers below 20, got 20"):
        write_rows(path, [20], tmp_path / "other.svm")
    assert not (tmp_path / "other.svm").exists()
