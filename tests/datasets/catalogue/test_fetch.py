"""Downloads from a server on this machine: good, wrong, cut short, or not there at all."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from toadstone.core.errors import InvalidArgument, InvalidData, UnknownName
from toadstone.datasets.catalogue import load as catalogue
from toadstone.datasets.catalogue.entries import Entry, Original
from toadstone.datasets.catalogue.fetch import fetch
from toadstone.datasets.readers.arrays import save
from toadstone.datasets.split import sha256

ROWS = "".join(
    f"{20 + i}, Private, 7{i}, 9th, 9, Divorced, Sales, Wife, White, Male, 0, 0, 4, Cuba, {'>' if i % 2 else '<='}50K\n"
    for i in range(30)
)
FILES = {"adult.data": ROWS.encode(), "adult.test": ("|x\n" + ROWS.replace("50K", "50K.")).encode()}


class Publisher:
    """Serves some files; may cut one short. Counts what was asked for."""

    def __init__(self) -> None:
        self.files = dict(FILES)
        self.cut: set[str] = set()
        self.asked: list[str] = []
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.lstrip("/").partition("?")[0]
                publisher.asked.append(name)
                if name not in publisher.files:
                    self.send_error(404)
                    return
                content = publisher.files[name]
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if name in publisher.cut else content)

            def log_message(self, *_: object) -> None:
                """Keep the test output quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def original(self, *, checked: bool = True) -> Original:
        sums = tuple(f"sha256:{hashlib.sha256(content).hexdigest()}" for content in FILES.values())
        urls = tuple(f"{self.address}/{name}?download=1" for name in FILES)
        return Original(urls, sums if checked else (None, None), "parse_adult")


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    serving = Publisher()
    thread = threading.Thread(target=serving.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield serving
    serving.server.shutdown()
    serving.server.server_close()
    thread.join()


def test_good_files_are_parsed_and_nothing_is_left_lying(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "a full system folder"))
    arrays = fetch("tiny", publisher.original(), tmp_path / "cache")
    assert arrays["numeric_train"].shape == (30, 6)
    assert list((tmp_path / "cache").iterdir()) == []


def test_wrong_checksum(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["adult.test"] = FILES["adult.test"] + b"\n"
    wanted = hashlib.sha256(FILES["adult.test"]).hexdigest()
    with pytest.raises(
        InvalidData, match=rf"^tiny: expected http://127.*adult.test.* with sha256 {wanted}, got .*discarded"
    ):
        fetch("tiny", publisher.original(), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("checked", [True, False])
def test_broken_connection(publisher: Publisher, tmp_path: Path, *, checked: bool) -> None:
    publisher.cut.add("adult.data")
    with pytest.raises(
        InvalidData, match=r"^tiny: expected to download http.*adult.data.*, got a connection that broke off"
    ):
        fetch("tiny", publisher.original(checked=checked), tmp_path)


def test_file_that_is_no_longer_there(publisher: Publisher, tmp_path: Path) -> None:
    del publisher.files["adult.data"]
    with pytest.raises(InvalidData, match=r"^tiny: expected to download http.*adult.data.*, got HTTP status 404"):
        fetch("tiny", publisher.original(), tmp_path)


def test_server_that_does_not_answer(publisher: Publisher, tmp_path: Path) -> None:
    original = publisher.original()
    publisher.server.shutdown()
    publisher.server.server_close()
    with pytest.raises(InvalidData, match=r"^tiny: expected to download http.*adult.data.*, got no connection"):
        fetch("tiny", original, tmp_path)


@pytest.mark.parametrize("content", [b"", b"a, b\n", b"\xff\xfe"])
def test_files_of_another_kind(publisher: Publisher, tmp_path: Path, content: bytes) -> None:
    publisher.files["adult.data"] = content
    with pytest.raises(
        InvalidData, match=r"^tiny: expected the published files at http.*, got damaged or changed"
    ):
        fetch("tiny", publisher.original(checked=False), tmp_path)


def test_cache_that_cannot_be_written(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidData, match="expected a folder that can be written, got: "):
        fetch("tiny", publisher.original(), tmp_path / "file")


@pytest.fixture
def entry(publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Entry:
    """A made-up catalogue entry with its own cache and no data folder."""
    tiny = Entry(
        name="tiny",
        title="",
        rows=30,
        test_rows=30,
        features=14,
        origin="",
        licence="",
        citation="",
        domain="real",
        reader="catalogue.adult:read",
        file="tiny.npz",
        original=publisher.original(),
    )
    monkeypatch.setitem(catalogue._BY_NAME, "tiny", tiny)
    monkeypatch.setattr(catalogue, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.delenv("TOADSTONE_DATA", raising=False)
    return tiny


def _with_digests(entry: Entry, digests: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    changed = Entry(**{**entry.__dict__, "sha256": digests})
    monkeypatch.setitem(catalogue._BY_NAME, "tiny", changed)


def test_first_use_downloads_and_later_ones_do_not(publisher: Publisher, entry: Entry, tmp_path: Path) -> None:
    assert catalogue.locate("tiny") is None
    first = catalogue.load("tiny")
    assert len(publisher.asked) == 2
    assert (first.name, first.test_origin, first.domain) == ("tiny", "published test split", "real")
    assert catalogue.locate("tiny") == tmp_path / "cache" / "tiny.npz"
    second = catalogue.load("tiny")
    assert len(publisher.asked) == 2
    assert sha256(first.train) == sha256(second.train)


def test_folder_of_the_user_comes_first(
    publisher: Publisher, entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue.load("tiny")
    mine = tmp_path / "mine"
    mine.mkdir()
    monkeypatch.setenv("TOADSTONE_DATA", str(mine))
    assert catalogue.locate("tiny") == tmp_path / "cache" / "tiny.npz"
    shutil.copy(tmp_path / "cache" / "tiny.npz", mine / "tiny.npz")
    assert catalogue.locate("tiny") == mine / "tiny.npz"
    catalogue.load("tiny")
    assert len(publisher.asked) == 2
    monkeypatch.setenv("TOADSTONE_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(InvalidData, match=r"TOADSTONE_DATA: expected a folder, got .*nowhere"):
        catalogue.load("tiny")


def test_content_is_checked_after_download_and_in_the_cache(
    entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = catalogue.load("tiny")
    digests = (sha256(split.train), sha256(split.test))
    _with_digests(entry, digests, monkeypatch)
    catalogue.load("tiny")
    cached = tmp_path / "cache" / "tiny.npz"
    with np.load(cached, allow_pickle=False) as stored:
        arrays = dict(stored)
    arrays["y_train"][:2] *= -1
    save(cached, arrays)
    with pytest.raises(
        InvalidData, match=rf"^tiny: expected content with SHA-256 {digests[0]}, got .* deleted, so try again"
    ):
        catalogue.load("tiny")
    assert not cached.exists()
    assert sha256(catalogue.load("tiny").train) == digests[0]
    _with_digests(entry, (digests[0], "0" * 64), monkeypatch)
    with pytest.raises(InvalidData, match="tiny: expected content"):
        catalogue.load("tiny")


def test_failed_download_says_where_the_archive_may_be_put(publisher: Publisher, entry: Entry, tmp_path: Path) -> None:
    publisher.files.clear()
    with pytest.raises(
        InvalidData, match=r"HTTP status 404; try again, or put tiny.npz into the folder .* TOADSTONE_DATA names"
    ):
        catalogue.load("tiny")
    assert not (tmp_path / "cache" / "tiny.npz").exists()


def test_what_cannot_be_downloaded_says_so(entry: Entry) -> None:
    with pytest.raises(
        InvalidData, match=r"^fishdog: expected fishdog.npz, which is not available for download; put fishdog.npz into"
    ):
        catalogue.load("fishdog")
    with pytest.raises(UnknownName, match="unknown data set 'tinny': expected one of"):
        catalogue.locate("tinny")


def test_classes_must_exist(entry: Entry) -> None:
    assert catalogue.load("tiny", classes=("1", "-1")).train.classes.tolist() == [-1, 1]
    with pytest.raises(InvalidArgument, match=r"`classes`: expected labels among -1, 1 \(tiny\), got '2'"):
        catalogue.load("tiny", classes=("1", "2"))
