"""What holds for every format: options, paths, and writing aside."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.core.files import written_aside
from toadstone.datasets.readers.files import readable_file
from toadstone.datasets.readers.read import SUFFIXES, is_data_file, read, write_rows


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "file.csv"
    path.write_text("a,b,y\n" + "".join(f"{i},{i % 5},{i % 2}\n" for i in range(40)), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"scale": "minmax"}, r"`scale`: expected one of \('auto', 'standard', 'none'\), got 'minmax'"),
        ({"weighting": "bm25"}, r"`weighting`: expected one of \('tfidf', 'counts'\), got 'bm25'"),
        ({"test_share": 1.0}, r"`test_share`: expected a number in \(0, 1\), got 1.0"),
        ({"random_state": -3}, "`random_state`: expected a whole number from 0, got -3"),
        ({"classes": "01"}, r"`classes`: expected at least two different labels, got \('01',\)"),
        ({"classes": ("1", "1")}, r"`classes`: expected at least two different labels, got \('1', '1'\)"),
        ({"label": "z"}, "`label`: expected a column of .*file.csv: a, b, y, got 'z'"),
    ],
)
def test_options_out_of_range(table: Path, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidArgument, match=f"^{sentence}"):
        read(table, **options)


def test_share_and_seed_choose_the_test_rows(table: Path) -> None:
    split = read(table, test_share=0.5, random_state=3)
    assert len(split.test) == 20
    assert split.test_origin == "50 % held out at random, stratified, seed 3"
    again, other = read(table, test_share=0.5, random_state=3), read(table, test_share=0.5, random_state=4)
    np.testing.assert_array_equal(split.test.row_ids, again.test.row_ids)
    assert split.test.row_ids.tolist() != other.test.row_ids.tolist()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_refuses_what_is_no_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"file{suffix}"
    with pytest.raises(InvalidData, match=f"file{suffix}: expected a file, got a name that does not exist"):
        read(path)
    path.touch()
    with pytest.raises(InvalidData, match=f"file{suffix}: expected data, got an empty file"):
        read(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(InvalidData, match=f"file{suffix}: expected a file, got a folder"):
        read(path)


def test_endings_decide(tmp_path: Path) -> None:
    assert is_data_file("A.CSV.GZ")
    assert not is_data_file("a.txt")
    with pytest.raises(InvalidData, match=r"a.xlsx: expected a file ending in .csv, .*, got .xlsx"):
        read("a.xlsx")
    with pytest.raises(InvalidData, match="expected a file, got a folder"):
        read(tmp_path)


def test_refusals_of_the_system_are_told(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InvalidData, match=r"file.csv: expected a file that can be read, got: permission denied"):
        read(table)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes")
def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InvalidData, match="expected a regular file, got a device or pipe"):
        readable_file(tmp_path / "pipe.csv")


@pytest.mark.parametrize(
    ("rows", "destination", "sentence"),
    [
        ([0], "new.tsv", "`destination`: expected a name ending in .csv, as the source does, got .*new.tsv"),
        ([0], "file.csv", "`destination`: expected another file than the source"),
        ([0], "none/new.csv", "`destination`: expected a file in a folder that can be written, got .*no such file"),
        ([0, 0], "new.csv", "`rows`: expected distinct row numbers from 0, got a negative or repeated one"),
        ([-1], "new.csv", "`rows`: expected distinct row numbers from 0, got a negative or repeated one"),
        ([0.5], "new.csv", "`rows`: expected row numbers, got values of type float64"),
        ([[0]], "new.csv", "`rows`: expected row numbers, got values of type int64 and shape"),
        ([40], "new.csv", "`rows`: expected row numbers below 40, got 40"),
    ],
)
def test_rows_that_cannot_be_written(table: Path, rows: list, destination: str, sentence: str) -> None:
    with pytest.raises(InvalidArgument, match=f"^{sentence}"):
        write_rows(table, rows, table.parent / destination)
    assert [entry.name for entry in table.parent.iterdir()] == ["file.csv"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "kept"
    target.write_bytes(b"old")

    def fail() -> None:
        with written_aside(target) as stream:
            stream.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert target.read_bytes() == b"old"
    with written_aside(target) as stream:
        stream.write(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["kept"]
