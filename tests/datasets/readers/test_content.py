"""Compressions, standard input and URLs give the rows of the plain file, and kept rows come back readable."""

from __future__ import annotations

import bz2
import gzip
import http.server
import io
import json
import lzma
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.datasets.readers.content import CODECS, deflated, open_content
from toadstone.datasets.readers.read import read, read_source
from toadstone.datasets.readers.request import Request

N = 40
ROWS = [{"x": row / 8, "kind": "a" if row % 3 else "b", "label": row % 2} for row in range(N)]


def _csv() -> bytes:
    return b"x,kind,label\n" + b"".join(b"%g,%s,%d\n" % (r["x"], r["kind"].encode(), r["label"]) for r in ROWS)


def _parquet() -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), stream)
    return stream.getvalue()


def _npz() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, X=np.array([[row["x"], row["label"] + row["x"]] for row in ROWS]), y=np.arange(N) % 2)
    return stream.getvalue()


def _workbook() -> bytes:
    import openpyxl

    book, stream = openpyxl.Workbook(), io.BytesIO()
    book.active.append(list(ROWS[0]))
    for row in ROWS:
        book.active.append(list(row.values()))
    book.save(stream)
    return stream.getvalue()


FORMATS = {
    ".csv": _csv(),
    ".jsonl": "\n".join(map(json.dumps, ROWS)).encode(),
    ".json": json.dumps(ROWS).encode(),
    ".arff": b"@relation r\n@attribute x real\n@attribute kind {a,b}\n@attribute label {0,1}\n@data\n"
    + _csv().split(b"\n", 1)[1],
    ".parquet": _parquet(),
    ".npz": _npz(),
    ".xlsx": _workbook(),
    ".svm": b"".join(b"%d 1:%g 2:1\n" % (row["label"], row["x"] + 1) for row in ROWS),
}


def _assert_same(source: Any, plain: Path) -> None:
    found, expected = source.split.whole(), read(plain).whole()
    left, right = (X.toarray() if hasattr(X, "toarray") else X for X in (found.X, expected.X))
    np.testing.assert_array_equal(left, right)
    np.testing.assert_array_equal(found.y, expected.y)


def _plain(folder: Path, ending: str) -> Path:
    path = folder / f"plain{ending}"
    path.write_bytes(FORMATS[ending])
    return path


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("ending", FORMATS)
def test_compressed_files_read_and_write_as_plain_ones(tmp_path: Path, ending: str, codec: str) -> None:
    path = tmp_path / f"rows{ending}{codec}"
    path.write_bytes(deflated(FORMATS[ending], codec, f"rows{ending}"))
    source = read_source(path, Request())
    _assert_same(source, _plain(tmp_path, ending))
    kept = source.write_rows(range(12), tmp_path, stem="kept")
    assert kept.name == f"kept{ending}{codec}"
    assert len(read(kept).whole()) == 12


@pytest.mark.parametrize("codec", ["", *CODECS])
@pytest.mark.parametrize("ending", [ending for ending in FORMATS if ending != ".svm"])
def test_standard_input_is_told_by_its_first_bytes(
    tmp_path: Path, ending: str, codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = deflated(FORMATS[ending], codec, f"rows{ending}") if codec else FORMATS[ending]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    source = read_source("-", Request())
    _assert_same(source, _plain(tmp_path, ending))
    kept = source.write_rows(range(12), tmp_path, stem="kept")
    assert kept.name == f"kept{ending}{codec}"
    assert len(read(kept).whole()) == 12


def test_a_pipe_into_the_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "toadstone", "scan", "-", "--detectors", "mahalanobis", "--json"]
    done = subprocess.run(command, input=gzip.compress(FORMATS[".parquet"]), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)


@pytest.mark.parametrize("name", ["memory://folder/rows{}?a=b.npz#part", "memory://Über Ordner/rows{}"])
@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".csv.gz", ".npz"])
def test_urls_are_opened_as_they_are_written(tmp_path: Path, ending: str, name: str) -> None:
    url, plain = name.format(ending), ending.removesuffix(".gz")
    data = gzip.compress(FORMATS[plain]) if ending.endswith(".gz") else FORMATS[plain]
    with fsspec.open(url, "wb") as stream:
        stream.write(data)
    source = read_source(url, Request())
    _assert_same(source, _plain(tmp_path, plain))
    assert source.content.name == url
    kept = source.write_rows(range(12), tmp_path, stem="kept")
    assert kept.name == f"kept{ending}"
    assert len(read(kept).whole()) == 12


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        if "fault" in self.path:
            self.send_error(500)
        else:
            super().do_GET()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "served").mkdir()
    handler = partial(_Quiet, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        thread = threading.Thread(target=serving.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()
        thread.join()


def test_files_of_a_server(tmp_path: Path, server: str) -> None:
    (tmp_path / "served/rows v1.csv").write_bytes(FORMATS[".csv"])
    with zipfile.ZipFile(tmp_path / "served/several.zip", "w") as archive:
        archive.writestr("rows.jsonl", FORMATS[".jsonl"])
        archive.writestr("other.csv", "a,label\n1,2\n")
    _assert_same(read_source(f"{server}/rows%20v1.csv?key=a/b.npz", Request()), _plain(tmp_path, ".csv"))
    chained = f"zip://rows.jsonl::file://{tmp_path}/served/several.zip"
    _assert_same(read_source(chained, Request()), _plain(tmp_path, ".jsonl"))
    unreadable = (
        "no-such://a.csv",
        f"{server}/none.csv",
        f"{server}/fault.csv",
        chained.replace("rows.jsonl", "none.csv"),
    )
    for url in unreadable:
        with pytest.raises(InvalidData, match=r"csv\S*: expected a URL that can be read, got: "):
            open_content(url)


def test_a_url_through_the_command(tmp_path: Path, server: str) -> None:
    (tmp_path / "served/rows.csv").write_bytes(FORMATS[".csv"])
    url = f"{server}/rows.csv?version=1"
    command = [sys.executable, "-m", "toadstone", "scan", url, "--detectors", "mahalanobis", "--json"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert url in done.stdout.decode()


def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(InvalidArgument, match=r"a URL: it needs fsspec, .* pip install '.\[remote\]'"):
        open_content("s3://bucket/rows.csv")


@pytest.mark.parametrize("codec", CODECS)
def test_cut_and_damaged_files_are_refused(tmp_path: Path, codec: str) -> None:
    whole = deflated(FORMATS[".csv"], codec, "rows.csv")
    path = tmp_path / f"rows.csv{codec}"
    for data in (whole[:-9], whole[:9], b"x,label\n1,2\n"):
        path.write_bytes(data)
        with pytest.raises(InvalidData, match=f"expected a complete {codec} file, got one that is damaged"):
            open_content(path)


@pytest.mark.parametrize("codec", CODECS)
def test_bombs_are_refused(tmp_path: Path, codec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toadstone.datasets.readers.content._ROOM", 1 << 16)
    path = tmp_path / f"rows.csv{codec}"
    path.write_bytes(deflated(bytes(20_000_000), codec, "rows.csv"))
    with pytest.raises(InvalidData, match=r"rows.csv\.\w+: expected at most .* once inflated"):
        open_content(path)


def test_members_of_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "rows.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("folder/rows.jsonl", FORMATS[".jsonl"])
        archive.writestr("__MACOSX/folder/._rows.jsonl", b"\0")
    assert open_content(path).ending == ".jsonl"
    _assert_same(read_source(path, Request()), _plain(tmp_path, ".jsonl"))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("more.csv", FORMATS[".csv"])
    with pytest.raises(InvalidData, match=r"expected a .zip of one file, got 2 files"):
        open_content(path)


def test_joined_streams_are_read_to_the_end(tmp_path: Path) -> None:
    half = len(FORMATS[".csv"]) // 2
    first, second = FORMATS[".csv"][:half], FORMATS[".csv"][half:]
    for codec, pack in ((".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)):
        (tmp_path / f"rows.csv{codec}").write_bytes(pack(first) + pack(second))
        assert open_content(tmp_path / f"rows.csv{codec}").data == FORMATS[".csv"]
    packed = [deflated(part, ".zst", "") for part in (first, second)]
    (tmp_path / "rows.csv.zst").write_bytes(b"".join(packed))
    assert open_content(tmp_path / "rows.csv.zst").data == FORMATS[".csv"]


def test_pipes_and_devices_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "rows.csv")
    for path in (tmp_path / "rows.csv", Path("/dev/zero")):
        with pytest.raises(InvalidData, match="expected a regular file, got a device or pipe"):
            open_content(path)


def test_a_file_that_changed_is_not_written(tmp_path: Path) -> None:
    path = _plain(tmp_path, ".jsonl")
    source = read_source(path, Request())
    path.write_bytes(FORMATS[".jsonl"].replace(b'"a"', b'"b"'))
    with pytest.raises(InvalidData, match="changed during the run; nothing was written"):
        source.write_rows([1], tmp_path, stem="kept")
    assert not list(tmp_path.glob("kept*"))
