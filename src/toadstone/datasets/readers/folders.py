"""Folders as sources: the list of their files, by which a change is noticed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from toadstone.core.errors import InvalidData
from toadstone.datasets.readers.files import unreadable


def listing_of_folder(folder: Path) -> bytes:
    """Return the relative path, size and SHA-256 of every regular file, sorted, one JSON list a line.

    Hidden files and folders are left out, and links to folders are not
    followed. Two folders with the same files have the same list.

    Raises
    ------
    InvalidData
        If a file cannot be read, or the folder holds none.
    """
    rows = []
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        try:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
                rows.append(json.dumps([name, stream.tell(), digest]))
        except OSError as error:
            raise unreadable(path, error) from None
    if not rows:
        raise InvalidData(f"{folder}: expected a file, got a folder without files")
    return "\n".join(rows).encode()


def files_listed(listing: bytes) -> list[tuple[str, int, str]]:
    """Return path, size and digest of each file; the inverse of `listing_of_folder`."""
    return [(name, size, digest) for name, size, digest in map(json.loads, listing.split(b"\n"))]


def read_unchanged(folder: Path, name: str, digest: str) -> bytes:
    """Read a file of a listed folder.

    Raises
    ------
    InvalidData
        If it cannot be read, or is no longer the one that was listed.
    """
    path = folder / name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise InvalidData(f"{path}: expected the file that was listed at the start, got one that changed; run again")
    return data


def _files(folder: Path) -> Iterator[Path]:
    found: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        # Pipes and devices are no regular files: reading one could wait for ever.
        found += [path for name in names if not name.startswith(".") and (path := Path(place) / name).is_file()]
    yield from sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def _refuse(error: OSError) -> None:
    raise unreadable(Path(error.filename), error)
