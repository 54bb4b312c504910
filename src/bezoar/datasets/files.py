"""Check what is to be read; write aside what is new."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from bezoar.core.errors import InvalidArgument, InvalidData


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


@contextmanager
def written_aside(destination: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A stream whose content takes the destination's place once complete.

    The bytes go to a new file in the same folder. It is renamed when the
    block ends well and removed when it does not, so that nobody ever finds
    half a file.

    Raises
    ------
    InvalidArgument
        If nothing can be created in that folder.
    """
    target = Path(destination)
    part = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
    try:
        stream = part.open("xb")
    except OSError as error:
        reason = (error.strerror or "input/output error").lower()
        raise InvalidArgument("destination", "a file in a folder that can be written", f"{target}: {reason}") from None
    try:
        with stream:
            yield stream
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
