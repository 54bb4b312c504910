"""Files that can be read pass; for others the message says why they cannot."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from toadstone.core.errors import InvalidData
from toadstone.datasets.readers.files import readable_file, unreadable


def test_a_file_with_content_is_returned_as_a_path(tmp_path: Path) -> None:
    (tmp_path / "file.csv").write_bytes(b"\0")
    assert readable_file(str(tmp_path / "file.csv")) == tmp_path / "file.csv"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("none.csv", "none.csv: expected a file, got a name that does not exist"),
        ("folder", "folder: expected a file, got a folder"),
        ("empty.csv", "empty.csv: expected data, got an empty file"),
    ],
)
def test_files_without_data(tmp_path: Path, name: str, sentence: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.csv").touch()
    with pytest.raises(InvalidData, match=f"{sentence}$"):
        readable_file(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes")
def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InvalidData, match="expected a regular file, got a device or pipe"):
        readable_file(tmp_path / "pipe.csv")


def test_errors_of_the_system_are_stated_with_their_reason() -> None:
    assert str(unreadable(Path("a.csv"), OSError(5, "Input/output error"))) == (
        "a.csv: expected a file that can be read, got: input/output error"
    )
    assert str(unreadable(Path("a.csv"), OSError())).endswith("got: input/output error")
