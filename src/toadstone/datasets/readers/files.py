"""Check what is to be read; write aside what is new."""

from __future__ import annotations

import os
from pathlib import Path

from toadstone.core.errors import InvalidData


def readable_file(path: str | os.PathLike[str]) -> Path:
    """Give the path of a file that exists, is not empty and may be read.

    Raises
    ------
    InvalidData
        Otherwise, with the reason.
    """
    file = Path(path)
    try:
        if file.is_dir():
            raise InvalidData(f"{file}: expected a file, got a folder")
        if not file.exists():
            raise InvalidData(f"{file}: expected a file, got a name that does not exist")
        if not file.is_file():
            raise InvalidData(f"{file}: expected a regular file, got a device or pipe")
        with file.open("rb") as stream:
            empty = not stream.read(1)
    except OSError as error:
        raise unreadable(file, error) from None
    if empty:
        raise InvalidData(f"{file}: expected data, got an empty file")
    return file


def unreadable(path: Path, error: OSError) -> InvalidData:
    """The sentence for a file that the operating system refuses."""
    reason = (error.strerror or "input/output error").lower()
    return InvalidData(f"{path}: expected a file that can be read, got: {reason}")
