"""Downloads from a server on this machine: good, wrong, cut short, or not there at all."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import pytest

from toadstone.core.errors import InvalidData
from toadstone.datasets.catalogue.fetch import fetch


def test_good_files_are_parsed_and_nothing_is_left_lying(
    publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "a full system folder"))
    arrays = fetch("tiny", publisher.original(), tmp_path / "cache")
    assert arrays["numeric_train"].shape == (30, 6)
    assert list((tmp_path / "cache").iterdir()) == []


def test_wrong_checksum(publisher, tmp_path: Path) -> None:
    wanted = hashlib.sha256(publisher.files["adult.test"]).hexdigest()
    publisher.files["adult.test"] += b"\n"
    with pytest.raises(
        InvalidData, match=rf"^tiny: expected http://127.*adult.test.* with sha256 {wanted}, got .*discarded"
    ):
        fetch("tiny", publisher.original(), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("checked", [True, False])
def test_broken_connection(publisher, tmp_path: Path, *, checked: bool) -> None:
    publisher.cut.add("adult.data")
    with pytest.raises(
        InvalidData, match=r"^tiny: expected to download http.*adult.data.*, got a connection that broke off"
    ):
        fetch("tiny", publisher.original(checked=checked), tmp_path)


def test_file_that_is_no_longer_there(publisher, tmp_path: Path) -> None:
    del publisher.files["adult.data"]
    with pytest.raises(InvalidData, match=r"^tiny: expected to download http.*adult.data.*, got HTTP status 404"):
        fetch("tiny", publisher.original(), tmp_path)


def test_server_that_does_not_answer(publisher, tmp_path: Path) -> None:
    original = publisher.original()
    publisher.server.shutdown()
    publisher.server.server_close()
    with pytest.raises(InvalidData, match=r"^tiny: expected to download http.*adult.data.*, got no connection"):
        fetch("tiny", original, tmp_path)


@pytest.mark.parametrize("content", [b"", b"a, b\n", b"\xff\xfe"])
def test_files_of_another_kind(publisher, tmp_path: Path, content: bytes) -> None:
    publisher.files["adult.data"] = content
    with pytest.raises(InvalidData, match=r"^tiny: expected the published files at http.*, got damaged or changed"):
        fetch("tiny", publisher.original(checked=False), tmp_path)


def test_cache_that_cannot_be_written(publisher, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidData, match="expected a folder that can be written, got: "):
        fetch("tiny", publisher.original(), tmp_path / "file")
