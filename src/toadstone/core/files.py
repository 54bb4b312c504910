"""Atomic writing of files: a reader finds the whole file or none."""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from toadstone.core.claims import hold, is_at
from toadstone.core.errors import InvalidArgument

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says where there is no room left."""


@contextmanager
def written_aside(destination: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a stream whose content replaces the destination once it is complete.

    The bytes go to a new file in the same folder, which is renamed when the
    block succeeds and removed when it fails. No reader ever finds a partial
    file. What a killed run left of the same destination is removed.

    Raises
    ------
    InvalidArgument
        If nothing can be created in that folder.
    OSError
        If there is no room.
    """
    target = Path(destination)
    try:
        _sweep(target)
        part, stream, lock = _new_part(target)
    except OSError as error:
        if error.errno in FULL:
            raise
        reason = (error.strerror or "input/output error").lower()
        raise InvalidArgument("destination", "a file in a folder that can be written", f"{target}: {reason}") from None
    try:
        with stream:
            yield stream
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    finally:
        if lock is not None:
            os.close(lock)


def _new_part(target: Path) -> tuple[Path, BinaryIO, int | None]:
    """Open a new file, and a second descriptor that locks it until it has its name."""
    while True:
        part = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
        stream = part.open("xb")
        held = hold(stream.fileno())
        if held is None:
            return part, stream, None
        # Between the two calls another run may take it for an orphan; it is then gone, or about to be.
        if held and is_at(stream.fileno(), part):
            return part, stream, os.dup(stream.fileno())
        stream.close()


def _sweep(target: Path) -> None:
    """Remove parts of the same destination that no living process holds."""
    orphan = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{12}}\.part")
    for path in target.parent.iterdir():
        if orphan.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            with suppress(OSError), path.open("r+b") as stream:
                if hold(stream.fileno()):
                    path.unlink(missing_ok=True)
