"""Bytes of a source, read once: from a file, standard input or a URL, and inflated within a bound."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import re
import sys
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from toadstone.core.errors import InvalidArgument, InvalidData, missing_extra
from toadstone.datasets.readers.files import readable_file, unreadable
from toadstone.datasets.readers.folders import listing_of_folder

STANDARD_INPUT = "-"
FOLDER = "/"
"""Ending that stands for a folder; its content is the list of its files (`folders`)."""
CODECS = (".gz", ".bz2", ".xz", ".zst", ".zip")
_ROOM, _RATIO = 1 << 30, 100
_INFLATERS: dict[str, Callable[[BinaryIO], Any]] = {
    ".gz": lambda stream: gzip.GzipFile(fileobj=stream),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
    ".zst": lambda stream: pa.CompressedInputStream(stream, "zstd"),
}
_MAGIC = {
    b"\x1f\x8b": ".gz",
    b"BZh": ".bz2",
    b"\xfd7zXZ\x00": ".xz",
    b"\x28\xb5\x2f\xfd": ".zst",
    b"PK\x03\x04": ".zip",
    b"PAR1": ".parquet",
    b"ARROW1": ".arrow",
}
_WORKBOOK = "[Content_Types].xml"
_DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowException, RuntimeError)


@dataclass(frozen=True, eq=False)
class Content:
    """Bytes of a source, inflated, and what is needed to read it again.

    Parameters
    ----------
    name : str
        As the caller named the source, for messages.
    ending : str
        Ending of the name without that of the compression, in lower case.
    codec : str
        Ending of the compression, such as ".gz"; empty for none.
    data : bytes
    digest : str
        SHA-256 of the bytes as stored.
    path : Path or None
        The file; None for standard input and URLs.
    """

    name: str
    ending: str
    codec: str
    data: bytes
    digest: str
    path: Path | None

    def again(self) -> Content:
        """Return the same content, read again from its file.

        Raises
        ------
        InvalidData
            If the file is no longer the one that was read.
        """
        if self.path is None:
            return self
        stored = listing_of_folder(self.path) if self.ending == FOLDER else _stored(self.path)
        if hashlib.sha256(stored).hexdigest() != self.digest:
            raise InvalidData(
                f"{self.name}: expected the file that was read at the start, got one that changed during the run; "
                "nothing was written, run again"
            )
        return replace(self, data=_inflated(stored, self.codec, self.name))

    def without_data(self) -> Content:
        """Return the same content, without holding bytes that can be read again."""
        return self if self.path is None else replace(self, data=b"")

    def short_name(self) -> str:
        """Return the name of the file alone."""
        return self.name if self.path is None else self.path.name


def open_content(source: str | os.PathLike[str]) -> Content:
    """Read a file, standard input (``-``) or a URL, and inflate it.

    Raises
    ------
    InvalidData
        If it cannot be read, is damaged, or inflates to more than a gibibyte
        and a hundred times its size.
    InvalidArgument
        If it is a URL and the extra ``remote`` is not installed.
    """
    name = os.fspath(source)
    if name == STANDARD_INPUT:
        return _content("standard input", "", sys.stdin.buffer.read(), None)
    if is_url(name):
        return _content(name, _path_of_url(name), _fetched(name), None)
    if os.path.isdir(name):
        listed = listing_of_folder(Path(name))
        return Content(name, FOLDER, "", listed, hashlib.sha256(listed).hexdigest(), Path(name))
    path = readable_file(name)
    return _content(str(path), path.name, _stored(path), path)


def is_url(name: str) -> bool:
    """Return True for a URL, of any kind that fsspec reads.

    Examples
    --------
    >>> is_url("s3://bucket/rows.csv"), is_url("rows.csv")
    (True, False)
    """
    scheme, found, _ = name.partition("://")
    return bool(found) and re.fullmatch(r"[A-Za-z0-9+.:-]+", scheme) is not None


def endings(name: str) -> tuple[str, str]:
    """Split the ending of a name into that of the format and that of the compression, in lower case.

    Examples
    --------
    >>> endings("rows.CSV.gz"), endings("rows.npz"), endings("rows")
    (('.csv', '.gz'), ('.npz', ''), ('', ''))
    """
    path = Path(name.lower())
    codec = path.suffix if path.suffix in CODECS else ""
    return (Path(path.stem).suffix if codec else path.suffix), codec


def deflated(data: bytes, codec: str, member: str) -> bytes:
    """Compress bytes, the same bytes each time.

    Parameters
    ----------
    data : bytes
    codec : str
        Ending of the compression; empty for none.
    member : str
        Name of the single member of a .zip archive.
    """
    if codec == ".gz":
        return gzip.compress(data, mtime=0)
    if codec == ".bz2":
        return bz2.compress(data)
    if codec == ".xz":
        return lzma.compress(data)
    if codec == ".zst":
        packed = pa.compress(data, codec="zstd", asbytes=True)
        return bytes(packed)
    if codec == ".zip":
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(member), data, zipfile.ZIP_DEFLATED)
        return stream.getvalue()
    return data


def _content(name: str, file_name: str, stored: bytes, path: Path | None) -> Content:
    if not stored:
        raise InvalidData(f"{name}: expected data, got {'nothing' if path is None else 'an empty file'}")
    ending, codec = endings(file_name)
    # A name without an ending, as that of standard input, says nothing of a compression.
    codec = codec or ("" if ending else _codec_of(stored))
    digest = hashlib.sha256(stored).hexdigest()
    data = _inflated(stored, codec, name)
    ending = ending or (endings(_members(stored)[0])[0] if codec == ".zip" else "")
    return Content(name, ending, codec, data, digest, path)


def _path_of_url(url: str) -> str:
    """Return the part of a URL that names the file: of chained ones, such as zip://rows.csv::s3://b/a.zip, the first.

    Examples
    --------
    >>> _path_of_url("https://host/rows.csv.gz?key=a.b"), _path_of_url("simplecache::s3://bucket/rows.csv")
    ('https://host/rows.csv.gz', 's3://bucket/rows.csv')
    """
    parts = [part for part in url.split("::") if "://" in part]
    return re.split(r"[?#]", parts[0], maxsplit=1)[0] if parts else url


def _codec_of(stored: bytes) -> str:
    """Return the compression that the first bytes tell; empty for none, and for archives of arrays and workbooks."""
    found = told_by_magic(stored)
    return found if found in CODECS else ""


def told_by_magic(stored: bytes) -> str:
    """Return the ending that the first bytes of a file call for; empty where they do not tell.

    Workbooks and archives of arrays are zip files, told by what they hold.

    Examples
    --------
    >>> told_by_magic(b"PAR1..."), told_by_magic(b"a,b")
    ('.parquet', '')
    """
    found = next((ending for magic, ending in _MAGIC.items() if stored.startswith(magic)), "")
    if found != ".zip":
        return found
    try:
        members = _members(stored)
    except _DAMAGED:
        return ".npz"
    if _WORKBOOK in members:
        return ".xlsx"
    return ".npz" if all(member.endswith(".npy") for member in members) else ".zip"


def _members(stored: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(stored)) as archive:
        return [member.filename for member in _files_of(archive)]


def _files_of(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files of an archive, without the notes that macOS adds to each."""
    return [one for one in archive.infolist() if not one.is_dir() and not one.filename.startswith("__MACOSX/")]


def _stored(path: Path) -> bytes:
    # A plain read: a memory map of a file that is cut short later kills the process.
    try:
        return path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None


def _fetched(url: str) -> bytes:
    try:
        import fsspec
    except ImportError:
        raise InvalidArgument("data", "a file", f"a URL: it {missing_extra('remote', 'fsspec')}") from None
    faults = (OSError, ValueError, KeyError, ImportError, _server_error())
    try:
        with fsspec.open(url, "rb") as stream:
            content: bytes = stream.read()
            return content
    except faults as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise InvalidData(f"{url}: expected a URL that can be read, got: {reason}") from None


def _server_error() -> type[Exception]:
    """Return the error of a server that fsspec passes on as that of its own library."""
    try:
        import aiohttp
    except ImportError:
        return OSError
    return aiohttp.ClientError


def _inflated(stored: bytes, codec: str, name: str) -> bytes:
    if not codec:
        return stored
    limit = inflation_limit(len(stored))
    try:
        if codec == ".zip":
            data = _single_member(stored, name, limit)
        else:
            with _INFLATERS[codec](io.BytesIO(stored)) as stream:
                data = stream.read(limit + 1)
    except _DAMAGED:
        got = "one that is damaged, cut short or of another kind"
        raise InvalidData(f"{name}: expected a complete {codec} file, got {got}") from None
    if len(data) > limit:
        raise InvalidData(too_large(name, limit))
    return data


def too_large(name: str, limit: int) -> str:
    """Return the sentence that refuses a file which inflates to more than a limit, in bytes."""
    return (
        f"{name}: expected at most {limit / 1e9:.1f} GB once inflated (a gibibyte, or a hundred times the file), "
        "got more; store it uncompressed to have it read"
    )


def inflation_limit(stored: int) -> int:
    """Return the number of bytes that a file of so many bytes may inflate to."""
    return max(_ROOM, _RATIO * stored)


def _single_member(stored: bytes, name: str, limit: int) -> bytes:
    with zipfile.ZipFile(io.BytesIO(stored)) as archive:
        members = _files_of(archive)
        if len(members) != 1:
            raise InvalidData(f"{name}: expected a .zip of one file, got {len(members)} files")
        # The directory of the archive states sizes, so that a bomb is refused before it is inflated.
        if members[0].file_size > limit:
            raise InvalidData(too_large(name, limit))
        with archive.open(members[0]) as stream:
            return stream.read(limit + 1)
