"""Checks of input files, and of the rows that are asked for."""

from __future__ import annotations

import os
from pathlib import Path

from toadstone.core.arrays import IntArray
from toadstone.core.errors import InvalidArgument, InvalidData


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


def check_rows(rows: IntArray, n: int) -> None:
    """Check that a file of so many rows has all of the given positions.

    Raises
    ------
    InvalidArgument
        If not.
    """
    if rows.max(initial=-1) >= n:
        raise InvalidArgument("rows", f"row numbers below {n}", int(rows.max()))
