"""CSV and TSV: read as a user means it, written back character for character."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.readers.formats.delimited import _records
from toadstone.datasets.readers.read import read, write_rows

ROWS = [f"{i},{i % 7 / 2},{'spam' if i % 3 else 'ham'}" for i in range(40)]
GOOD = "\n".join(["a,b,label", *ROWS]) + "\n"


def _file(folder: Path, content: str | bytes, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_reading_keeps_names_order_and_row_numbers(tmp_path: Path) -> None:
    split = read(_file(tmp_path, GOOD), scale="none")
    assert split.name == "file.csv"
    assert split.train.feature_names == ("a", "b")
    assert split.train.classes.tolist() == ["ham", "spam"]
    assert split.test_origin == "20 % held out at random, stratified, seed 0"
    for part in (split.train, split.test):
        np.testing.assert_array_equal(part.X[:, 0], part.row_ids)
        np.testing.assert_array_equal(part.y == "spam", part.row_ids % 3 > 0)
    assert len(split.train) == 32


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("name", ["file.csv", "file.TSV", "file.csv.gz", "file.tsv.gz"])
def test_dialects_are_the_same_data(tmp_path: Path, name: str, end: str) -> None:
    text = GOOD.replace("\n", end)
    if ".tsv" in name.lower():
        text = text.replace(",", "\t")
    content = gzip.compress(text.encode()) if name.endswith(".gz") else text
    split = read(_file(tmp_path, content, name), scale="none")
    reference = read(_file(tmp_path, GOOD, "reference.csv"), scale="none")
    np.testing.assert_array_equal(split.train.X, reference.train.X)
    np.testing.assert_array_equal(split.train.y, reference.train.y)


def test_byte_order_mark_and_blank_lines_do_not_matter(tmp_path: Path) -> None:
    content = "\ufeff" + GOOD.replace("\n", "\n\n")
    split = read(_file(tmp_path, content), label="label", scale="none")
    np.testing.assert_array_equal(split.train.X[:, 0], split.train.row_ids)


@pytest.mark.parametrize("first", [0, 1])
def test_row_numbers_of_a_data_frame_are_no_feature(tmp_path: Path, first: int) -> None:
    lines = [",a,b,label", *(f"{i + first},{row}" for i, row in enumerate(ROWS))]
    assert read(_file(tmp_path, "\n".join(lines))).train.feature_names == ("a", "b")


def test_classes_are_filtered_before_anything_is_checked(tmp_path: Path) -> None:
    path = _file(tmp_path, GOOD + ",,rare\n" + GOOD.split("\n", 1)[1])
    split = read(path, classes=("spam", "ham"), scale="none")
    assert len(split.train) + len(split.test) == 80
    for part in (split.train, split.test):
        np.testing.assert_array_equal(part.X[:, 0], np.where(part.row_ids < 40, part.row_ids, part.row_ids - 41))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (GOOD + "1,2\n", r"expected 3 values as in the header, got 2 in row 42 \(the header is row 1\): '1,2'"),
        (GOOD.replace("0,0.0,ham", "1,2,3,4"), r"expected 3 values as in the header, got 4 in row 2 .*'1,2,3,4'"),
        (GOOD.replace(",", ";"), "expected columns separated by commas, got semicolons"),
        (GOOD.replace(",", "\t"), "expected columns separated by commas, got tabs"),
        ("y\n1\n0\n", "expected several columns separated by commas, got only 'y'"),
        ("\n\n \n", "expected several columns|expected a line of column names"),
        ("a,b,label\n", "expected rows below the column names, got none"),
        ("a,b,label", "expected rows of UTF-8 text below a line of column names, got something else"),
        (GOOD.replace("a,b", "a,a"), "expected column names that differ, got 'a' twice"),
        (GOOD.replace("a,b", "a,"), "expected a name for every column, got none for column 2"),
        (GOOD.encode("utf-16"), "expected UTF-8 text, got binary data or UTF-16; save it as UTF-8"),
        (
            GOOD.replace("2,1.0,spam", "2,1.0,café").encode("latin-1"),
            "expected UTF-8 text, got the byte 0xe9 in line 4",
        ),
        (GOOD.encode() + b"1,2,caf\xc3", "expected UTF-8 text, got the byte 0xc3 in line 42"),
        (
            GOOD.replace("3,1.5,ham", '3,1.5,"ham'),
            r"expected a closing quotation mark, got none after row 5 \(the header",
        ),
        (GOOD + ",1,ham\n", r"column 'a', row 42 \(the header is row 1\): expected a value, got nothing"),
        (GOOD + "1,1,\n", r"column 'label', row 42 \(the header is row 1\): expected a value, got nothing"),
    ],
)
def test_unusable_files_get_one_sentence(tmp_path: Path, content: str | bytes, sentence: str) -> None:
    with pytest.raises(InvalidData, match=f"file.csv: ({sentence})"):
        read(_file(tmp_path, content))


@pytest.mark.parametrize("content", [gzip.compress(GOOD.encode())[:60], GOOD.encode()], ids=["cut", "plain"])
def test_damaged_gzip(tmp_path: Path, content: bytes) -> None:
    path = _file(tmp_path, content, "file.csv.gz")
    for attempt in (lambda: read(path), lambda: write_rows(path, [0], tmp_path / "new.csv.gz")):
        with pytest.raises(InvalidData, match=r"file.csv.gz: expected a complete gzip file, got one that is damaged"):
            attempt()
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.csv.gz"]


def test_rows_are_written_character_for_character(tmp_path: Path) -> None:
    content = '\ufeffa,b,label\r\n1.10,"x, ""y""\r\nz",spam\r\n\r\n007,5" disk,ham\r\n3,"",spam'
    path = _file(tmp_path, content)
    write_rows(path, [2, 0], tmp_path / "new.csv")
    assert (tmp_path / "new.csv").read_bytes().decode() == '\ufeffa,b,label\r\n1.10,"x, ""y""\r\nz",spam\r\n3,"",spam'
    write_rows(path, [1], tmp_path / "new.csv")
    assert (tmp_path / "new.csv").read_bytes().decode() == '\ufeffa,b,label\r\n007,5" disk,ham\r\n'
    write_rows(path, [], tmp_path / "new.csv")
    assert (tmp_path / "new.csv").read_bytes().decode() == "\ufeffa,b,label\r\n"


def test_gzipped_rows_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    path = _file(tmp_path, gzip.compress(GOOD.encode()), "file.csv.gz")
    write_rows(path, range(3), tmp_path / "one.csv.gz")
    write_rows(path, range(3), tmp_path / "two.csv.gz")
    assert (tmp_path / "one.csv.gz").read_bytes() == (tmp_path / "two.csv.gz").read_bytes()
    assert (tmp_path / "one.csv.gz").read_bytes()[4:8] == bytes(4), "no time stamp"
    assert gzip.decompress((tmp_path / "one.csv.gz").read_bytes()).decode() == "\n".join(["a,b,label", *ROWS[:3], ""])


def test_kept_rows_read_back_as_the_training_set(tmp_path: Path) -> None:
    path = _file(tmp_path, GOOD)
    split = read(path, scale="none")
    write_rows(path, split.train.row_ids, tmp_path / "kept.csv")
    kept = (tmp_path / "kept.csv").read_text().splitlines()
    assert kept[1:] == [ROWS[row] for row in split.train.row_ids]


def test_rows_that_do_not_exist_leave_nothing_behind(tmp_path: Path) -> None:
    path = _file(tmp_path, GOOD)
    with pytest.raises(InvalidArgument, match="`rows`: expected row numbers below 40, got 40"):
        write_rows(path, [0, 40], tmp_path / "new.csv")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.csv"]


def test_long_files_are_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toadstone.datasets.readers.formats.delimited._BLOCK", 50)
    rows = [f'{i},"a\n\n\nb{i % 3}",{i % 2}' for i in range(60)]
    path = _file(tmp_path, "\n".join(["n,café,label", *rows]) + "\n")
    split = read(path, scale="none")
    assert split.train.feature_names == ("n", "café=a\n\n\nb0", "café=a\n\n\nb1", "café=a\n\n\nb2")
    np.testing.assert_array_equal(split.train.X[:, 0], split.train.row_ids)
    path.write_bytes(path.read_bytes() + b"caf\xe9")
    with pytest.raises(InvalidData, match="got the byte 0xe9 in line 242"):
        read(path)


@pytest.mark.parametrize(
    ("text", "records"),
    [
        ('1,5"" disk\n2,x\n', ['1,5"" disk\n', "2,x\n"]),
        ('1,5" disk\n2,x', ['1,5" disk\n', "2,x"]),
        ('1,"open\n2,x\n', ['1,"open\n2,x\n']),
        ('1,"a ""b""\nc"\n\n2,x\n', ['1,"a ""b""\nc"\n', "2,x\n"]),
    ],
    ids=["two quotes in a bare value", "no end of line", "quote never closed", "blank line"],
)
def test_records_end_where_no_quote_is_open(text: str, records: list[str]) -> None:
    assert list(_records(io.StringIO(text, newline=""), ",")) == records


_value = st.text(alphabet='ab",\n\r ', max_size=6)


@given(st.lists(st.lists(_value, min_size=2, max_size=3), min_size=1, max_size=6))
def test_records_are_those_of_the_standard_parser(table: list[list[str]]) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows(table)
    text = buffer.getvalue()
    records = list(_records(io.StringIO(text, newline=""), ","))
    assert "".join(records) == text
    assert [next(csv.reader(io.StringIO(record, newline=""))) for record in records] == table
