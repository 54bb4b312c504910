"""CSV and TSV: read as a user means it, written back character for character."""

from __future__ import annotations

import codecs
import gzip
from pathlib import Path

import numpy as np
import pytest

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.readers.read import read, read_source, write_rows
from toadstone.datasets.readers.request import Request

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
@pytest.mark.parametrize("name", ["file.csv", "file.TSV", "file.csv.gz", "file.tsv.gz", "file.txt", "file"])
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
    split = read(path, classes=("spam", "ham"), scale="none", missing="refuse")
    assert len(split.train) + len(split.test) == 80
    for part in (split.train, split.test):
        np.testing.assert_array_equal(part.X[:, 0], np.where(part.row_ids < 40, part.row_ids, part.row_ids - 41))
    assert [(row.position, row.label, row.dropped) for row in split.aside] == [(40, "rare", True)]


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".txt", ".tab", ""])
@pytest.mark.parametrize(("separator", "words"), [(",", "commas"), (";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_the_separator_is_told_from_the_file(tmp_path: Path, ending: str, separator: str, words: str) -> None:
    path = _file(tmp_path, GOOD.replace(",", separator), f"file{ending}")
    split = read(path, scale="none")
    assert split.train.feature_names == ("a", "b")
    usual = "tabs" if ending in (".tsv", ".tab") else "commas"
    assert split.notes == (() if words == usual else (f"columns are separated by {words}",))


def test_other_separators_are_named(tmp_path: Path) -> None:
    path = _file(tmp_path, GOOD.replace(",", "~"))
    assert read(path, separator="~").train.feature_names == ("a", "b")
    with pytest.raises(
        InvalidData, match=r"expected several columns, separated by commas, .*`separator` names another"
    ):
        read(path)
    assert read(_file(tmp_path, GOOD.replace(",", "\t")), separator="tab").train.feature_names == ("a", "b")


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "shift-jis"])
def test_other_encodings_are_read_and_written(tmp_path: Path, encoding: str) -> None:
    word = "カフェ" if encoding == "shift-jis" else "café"
    text = GOOD.replace("spam", word)
    path = _file(tmp_path, text.encode(encoding))
    marked = encoding in ("utf-16", "utf-32")
    split = read(path, encoding=None if marked else encoding)
    assert split.train.classes.tolist() == sorted(["ham", word])
    assert split.notes[0].startswith(f"the file is read as {codecs.lookup(encoding).name}")
    file = read_source(path, Request(encoding=encoding))
    (tmp_path / "out").mkdir()
    assert file.write_rows(range(40), tmp_path / "out", stem="all").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-8"])
def test_a_byte_order_mark_is_kept(tmp_path: Path, order: str) -> None:
    path = _file(tmp_path, ("\ufeff" + GOOD).encode(order))
    assert read(path).train.feature_names == ("a", "b")
    write_rows(path, range(40), tmp_path / "new.csv")
    assert (tmp_path / "new.csv").read_bytes() == path.read_bytes()


def test_a_mark_of_another_encoding_than_the_named_one_is_no_mark(tmp_path: Path) -> None:
    path = _file(tmp_path, b"\xff\xfe" + GOOD.encode())
    with pytest.raises(InvalidData, match="expected UTF-8 text, got the byte 0xff in line 1"):
        read(path, encoding="utf-8")


def test_row_names_of_r_are_an_unnamed_first_column(tmp_path: Path) -> None:
    text = "a,b,label\n" + "".join(f"{i + 1},{row}\n" for i, row in enumerate(ROWS))
    split = read(_file(tmp_path, text), scale="none")
    assert split.train.feature_names == ("a", "b")
    np.testing.assert_array_equal(split.train.X[:, 0], split.train.row_ids)
    assert split.notes == ("column 1 has no name and is left out: it is an index",)


def test_rows_are_named_by_their_lines(tmp_path: Path) -> None:
    lines = ["", "a,b,label", "", *ROWS[:3], "", "", *ROWS[3:]]
    split = read(_file(tmp_path, "\n".join(lines)))
    assert [split.row_names.line(row) for row in (0, 2, 3, 39)] == [4, 6, 9, 45]


def test_values_over_several_lines_are_told(tmp_path: Path) -> None:
    rows = [f'"some words{chr(10)}and more, {chr(10)}{i}",{i % 2}' for i in range(20)]
    split = read(_file(tmp_path, "\n".join(["body,label", *rows])), text="body")
    assert split.notes == ("20 records over several lines; the longest begins in line 2 and has 3 lines",)
    assert [split.row_names.line(row) for row in (0, 1, 19)] == [2, 5, 59]


class TestQuotationMarks:
    def test_one_that_is_closed_within_a_value_is_refused(self, tmp_path: Path) -> None:
        path = _file(tmp_path, GOOD.replace("3,1.5,ham", '3,"1" x,ham'))
        with pytest.raises(
            InvalidData,
            match="expected a separator or a line end after a closing quotation mark, got text, in the value that "
            "opens with a mark in line 5; `quote` with none reads",
        ):
            read(path)

    def test_inside_a_bare_value_are_plain(self, tmp_path: Path) -> None:
        split = read(_file(tmp_path, GOOD.replace(",spam", ',5" disk')))
        assert split.train.classes.tolist() == ['5" disk', "ham"]

    def test_that_join_rows_are_refused(self, tmp_path: Path) -> None:
        texts = ['"oh no', *["so it goes"] * 5, 'he said"'] * 4
        content = "text\tlabel\n" + "".join(f"{text}\t{i % 2}\n" for i, text in enumerate(texts))
        with pytest.raises(InvalidData, match=r"line [0-9]+.*`quote` with none reads quotation marks as plain") as told:
            read(_file(tmp_path, content, "file.tsv"))
        assert "\n" not in str(told.value)
        split = read(_file(tmp_path, content, "file.tsv"), quote="none", text="text")
        assert len(split.train) + len(split.test) == len(texts)

    def test_that_look_like_joined_rows_are_settled_by_an_option(self, tmp_path: Path) -> None:
        rows = [f'"{i}\n",{i % 2}' for i in range(10)] + [f"{i},{i % 2}" for i in range(10, 20)]
        content = "text,label\n" + "\n".join(rows) + '\n"x,1\ny",0\n'
        path = _file(tmp_path, content)
        sure = read(path, quote="double", text="text")
        assert sum(len(part) for part in (sure.train, sure.test)) == 21


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (GOOD + "1,2\n", r"expected 3 values as in the first line, got 2 in line 42: '1,2'"),
        (GOOD.replace("0,0.0,ham", "1,2,3,4"), r"expected 3 values as in the first line, got 4 in line 2: '1,2,3,4'"),
        (GOOD.replace("\n", "\n\n") + "  \n", "expected 3 values as in the first line, got 1 in line 83: ''"),
        ("y\n1\n0\n", "expected several columns, separated by commas, semicolons, tabs, bars, got only 'y'"),
        ("\n\n\n", "expected several columns|expected a line of column names"),
        ("a,b,label\n", "expected rows below the column names, got none"),
        ("a,b,label", "expected rows below the column names, got none"),
        (GOOD.replace("a,b", "a,a"), "expected column names that differ, got 'a' twice"),
        (GOOD.replace("a,b", "a,"), "expected a name for every column, got none for column 2"),
        (GOOD.encode("utf-16-le"), "expected text, got a NUL byte in line 1: binary data, or UTF-16 without a mark"),
        (GOOD.encode() + b"1,\0,ham\n", "expected text, got a NUL byte in line 42"),
        (GOOD.replace("\n", "\r").encode() + b"1,\0,ham\n", "expected text, got a NUL byte in line 42"),
        (
            GOOD.replace("2,1.0,spam", "2,1.0,café").encode("latin-1"),
            "expected UTF-8 text, got the byte 0xe9 in line 4; `encoding` names another one, such as latin-1",
        ),
        (GOOD.encode() + b"1,2,caf\xc3", "expected UTF-8 text, got the byte 0xc3 in line 42"),
        (GOOD.replace("\n", "\r").encode() + b"1,2,caf\xc3", "expected UTF-8 text, got the byte 0xc3 in line 42"),
        (
            GOOD.replace("3,1.5,ham", '3,1.5,"ham'),
            "expected a closing quotation mark, got none for the value that opens with one in line 5; `quote` with",
        ),
    ],
)
def test_unusable_files_get_one_sentence(tmp_path: Path, content: str | bytes, sentence: str) -> None:
    with pytest.raises(InvalidData, match=f"file.csv: ({sentence})") as told:
        read(_file(tmp_path, content))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (",1,ham\n", "column 'a', line 42: expected a value, got nothing"),
        ("1,1,\n", "column 'label', line 42: expected a label, got nothing"),
    ],
)
def test_missing_values_are_refused_on_request(tmp_path: Path, row: str, sentence: str) -> None:
    path = _file(tmp_path, GOOD + row)
    with pytest.raises(InvalidData, match=f"file.csv: {sentence}; `missing`"):
        read(path, missing="refuse")
    assert len(read(path).aside) == (row == "1,1,\n")


@pytest.mark.parametrize("content", [gzip.compress(GOOD.encode())[:60], GOOD.encode()], ids=["cut", "plain"])
def test_damaged_gzip(tmp_path: Path, content: bytes) -> None:
    path = _file(tmp_path, content, "file.csv.gz")
    for attempt in (lambda: read(path), lambda: write_rows(path, [0], tmp_path / "new.csv.gz")):
        with pytest.raises(
            InvalidData,
            match=r"file.csv.gz: expected a complete .gz file, got one that is damaged, cut short or of another kind",
        ):
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
