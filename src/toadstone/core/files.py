"""Atomic writing of files: a reader finds the whole file or none."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from toadstone.core.errors import InvalidArgument


@contextmanager
def written_aside(destination: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a stream whose content replaces the destination once it is complete.

    The bytes go to a new file in the same folder, which is renamed when the
    block succeeds and removed when it fails. No reader ever finds a partial
    file.

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
