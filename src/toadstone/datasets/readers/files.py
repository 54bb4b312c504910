"""Checks of input files."""

from __future__ import annotations

import os
from pathlib import Path

from toadstone.core.errors import InvalidData


def readable_file(path: str | os.PathLike[str]) -> Path:
    """Check that a path is a readable, regular file that is not empty, and return it.

    Raises
    ------
    InvalidData
        If it is not; the message says why.
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
    """Return the error for a file that the operating system cannot open."""
    reason = (error.strerror or "input/output error").lower()
    return InvalidData(f"{path}: expected a file that can be read, got: {reason}")
