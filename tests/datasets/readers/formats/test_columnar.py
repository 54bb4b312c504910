"""Parquet: the same columns as a CSV file, types and metadata kept."""

from __future__ import annotations

import decimal
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.readers.arrow_sizes import inflated_size
from toadstone.datasets.readers.read import read, write_rows


def _table() -> pa.Table:
    n = np.arange(40)
    return pa.table(
        {
            "a": pa.array(n, pa.int16()),
            "b": [decimal.Decimal(int(i)) / 4 for i in n],
            "kind": pa.array([f"k{i % 3}" for i in n]).dictionary_encode(),
            "y": pa.array([float(i % 2) for i in n]),
        },
        metadata={"owner": "somebody"},
    )


def _file(folder: Path, table: pa.Table, name: str = "file.parquet") -> Path:
    pq.write_table(table, folder / name)
    return folder / name


def test_reading(tmp_path: Path) -> None:
    split = read(_file(tmp_path, _table()), scale="none")
    assert split.train.feature_names == ("a", "b", "kind=k0", "kind=k1", "kind=k2")
    assert split.train.y.dtype == np.int64
    ids = split.train.row_ids
    np.testing.assert_array_equal(split.train.X[:, :2], np.c_[ids, ids / 4])
    np.testing.assert_array_equal(np.argmax(split.train.X[:, 2:], axis=1), ids % 3)


@pytest.mark.parametrize("kind", [pa.large_string(), pa.string(), pa.string_view()])
def test_every_kind_of_text(tmp_path: Path, kind: pa.DataType) -> None:
    table = pa.table({"c": pa.array(["u", "v"] * 20, kind), "y": pa.array(["no", "yes"] * 20, kind)})
    try:
        path = _file(tmp_path, table)
    except pa.ArrowNotImplementedError:
        pytest.skip("this pyarrow writes no views, so that there are none to read")
    split = read(path)
    assert split.train.feature_names == ("c=u", "c=v")
    assert split.train.classes.tolist() == ["no", "yes"]
    write_rows(tmp_path / "file.parquet", [2, 1], tmp_path / "new.parquet")
    assert pq.read_table(tmp_path / "new.parquet").equals(
        table.cast(pq.read_schema(tmp_path / "new.parquet")).slice(1, 2)
    )
    assert pq.read_schema(tmp_path / "new.parquet").field("c").type == kind


def test_stored_index_of_a_data_frame_is_no_feature(tmp_path: Path) -> None:
    table = _table().append_column("__index_level_0__", pa.array(np.arange(40)))
    assert "__index_level_0__" not in read(_file(tmp_path, table)).train.feature_names


def test_damaged_files(tmp_path: Path) -> None:
    path = _file(tmp_path, _table())
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"a,b,y\n1,2,3\n", whole[:-4] + b"PAR2"):
        path.write_bytes(content)
        with pytest.raises(
            InvalidData, match=r"file.parquet: expected a complete Parquet file, got one that is damaged"
        ):
            read(path)


def test_written_rows_keep_schema_metadata_and_order(tmp_path: Path) -> None:
    path = _file(tmp_path, _table())
    write_rows(path, [9, 3, 30], tmp_path / "new.parquet")
    written = pq.read_table(tmp_path / "new.parquet")
    assert written["a"].to_pylist() == [3, 9, 30]
    assert written.schema.equals(pq.read_table(path).schema, check_metadata=True)
    with pytest.raises(InvalidArgument, match="`rows`: expected row numbers below 40, got 40"):
        write_rows(path, [40], tmp_path / "other.parquet")
    assert not (tmp_path / "other.parquet").exists()


class TestArrow:
    @pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
    def test_is_the_same_data(self, tmp_path: Path, compression: str) -> None:
        feather.write_feather(_table(), tmp_path / "file.feather", compression=compression)
        arrow, parquet = read(tmp_path / "file.feather"), read(_file(tmp_path, _table()))
        np.testing.assert_array_equal(arrow.train.X, parquet.train.X)
        assert arrow.row_names.full(0) == "row 1"

    def test_offsets_and_indices_that_lie_are_refused(self, tmp_path: Path) -> None:
        """Arrow takes them as they stand, and reads beyond its memory."""
        words = pa.array([f"word {i}" for i in range(40)])
        for values, wrong in ((words, b"\xff\xff\xff\x7f"), (words.dictionary_encode(), b"\x99\x00\x00\x00")):
            table = pa.table({"a": values, "y": np.arange(40) % 2})
            feather.write_feather(table, tmp_path / "file.feather", compression="uncompressed")
            content = bytearray((tmp_path / "file.feather").read_bytes())
            five = content.index(struct.pack("<ii", *((42, 48) if values is words else (6, 7))))
            content[five : five + 4] = wrong
            (tmp_path / "file.feather").write_bytes(bytes(content))
            with pytest.raises(InvalidData, match=r"file.feather: expected a complete Parquet or Arrow file"):
                read(tmp_path / "file.feather", text="a")

    @pytest.mark.parametrize("compression", ["lz4", "zstd"])
    def test_is_bounded_before_it_is_inflated(
        self, tmp_path: Path, compression: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        table = pa.table(
            {"a": np.zeros(1_000_000), "kind": pa.array(["x" * 99] * 9).dictionary_encode().take([0] * 10**6)}
        )
        feather.write_feather(table, tmp_path / "file.feather", compression=compression)
        data = (tmp_path / "file.feather").read_bytes()
        assert 8e6 <= inflated_size(data) <= 8e6 + 6e6
        monkeypatch.setattr("toadstone.datasets.readers.content._ROOM", 1 << 20)
        monkeypatch.setattr("toadstone.datasets.readers.content._RATIO", 1)
        monkeypatch.setattr("pyarrow.ipc.open_file", lambda source: pytest.fail("the file was opened"))
        with pytest.raises(InvalidData, match=r"file.feather: expected at most 0.0 GB once inflated .*got more"):
            read(tmp_path / "file.feather")

    def test_sizes_of_uncompressed_files_are_their_own(self, tmp_path: Path) -> None:
        feather.write_feather(_table(), tmp_path / "file.feather", compression="uncompressed")
        assert inflated_size((tmp_path / "file.feather").read_bytes()) == 0
        with pytest.raises(ValueError, match="a damaged Arrow file"):
            inflated_size(b"ARROW1" + b"\xff" * 40 + b"ARROW1")
