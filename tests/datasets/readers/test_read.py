"""What holds for every format: options, paths, and writing aside."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pyarrow.csv as pacsv
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.core.files import written_aside
from toadstone.datasets.readers.content import deflated, open_content
from toadstone.datasets.readers.read import SUFFIXES, is_data_file, read, write_rows


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "file.csv"
    path.write_text("a,b,y\n" + "".join(f"{i},{i % 5},{i % 2}\n" for i in range(40)), encoding="utf-8")
    return path


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
    assert is_data_file("a.txt")
    assert is_data_file("s3://bucket/rows")
    assert is_data_file("-")
    assert not is_data_file("a.docx")
    with pytest.raises(InvalidData, match="expected a file, got a folder"):
        read(tmp_path)


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".npz", ".feather"])
def test_where_the_ending_says_nothing_the_content_does(table: Path, ending: str) -> None:
    made = table.with_suffix(ending)
    columns = pacsv.read_csv(table)
    if ending == ".npz":
        np.savez(made, X=np.c_[columns["a"], columns["b"]], y=columns["y"])
    elif ending == ".parquet":
        pq.write_table(columns, made)
    elif ending == ".feather":
        feather.write_feather(columns, made)
    bare = made.rename(table.parent / "rows.dat")
    assert read(bare, scale="none").train.X[:, 0].tolist() == read(bare, scale="none").train.row_ids.tolist()


@pytest.mark.parametrize("codec", [".gz", ".bz2", ".xz", ".zst", ".zip"])
class TestCompression:
    def test_is_the_same_data(self, table: Path, codec: str) -> None:
        packed = table.parent / f"file.csv{codec}"
        packed.write_bytes(deflated(table.read_bytes(), codec, "file.csv"))
        assert read(packed).train.X.tolist() == read(table).train.X.tolist()
        write_rows(packed, [0, 1], table.parent / f"one.csv{codec}")
        write_rows(packed, [0, 1], table.parent / f"two.csv{codec}")
        one = (table.parent / f"one.csv{codec}").read_bytes()
        assert one == (table.parent / f"two.csv{codec}").read_bytes() or codec == ".zip"
        assert open_content(table.parent / f"one.csv{codec}").data == b"a,b,y\n0,0,0\n1,1,1\n"

    def test_that_is_cut_short_is_refused(self, table: Path, codec: str) -> None:
        packed = table.parent / f"file.csv{codec}"
        whole = deflated(table.read_bytes(), codec, "file.csv")
        for damaged in (whole[: len(whole) // 2], whole[:-1], table.read_bytes(), b"\0" * 99):
            packed.write_bytes(damaged)
            with pytest.raises(InvalidData, match=rf"file.csv{codec}: expected a complete \{codec} file, got one that"):
                read(packed)

    def test_is_bounded(self, table: Path, codec: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("toadstone.datasets.readers.content._ROOM", 100_000)
        packed = table.parent / f"file.csv{codec}"
        packed.write_bytes(deflated(b"a,b,y\n" + b"1,1,1\n" * 900_000, codec, "file.csv"))
        with pytest.raises(InvalidData, match=rf"file.csv{codec}: expected at most .* GB once inflated .* got more"):
            read(packed)


def test_a_zip_of_several_files_is_refused(table: Path) -> None:
    with zipfile.ZipFile(table.parent / "file.csv.zip", "w") as archive:
        archive.writestr("a.csv", table.read_bytes())
        archive.writestr("b.csv", table.read_bytes())
    with pytest.raises(InvalidData, match=r"expected a .zip of one file, got 2 files"):
        read(table.parent / "file.csv.zip")


def test_standard_input_is_read(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(table.read_bytes())))
    assert read("-").train.X.tolist() == read(table).train.X.tolist()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(InvalidData, match=r"^standard input: expected data, got nothing"):
        read("-")


def test_refusals_of_the_system_are_told(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(InvalidData, match=r"file.csv: expected a file that can be read, got: permission denied"):
        read(table)
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InvalidData, match=r"file.csv: expected a file that can be read, got: permission denied"):
        read(table)


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
