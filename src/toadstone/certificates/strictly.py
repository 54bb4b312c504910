"""Strict reading of a certificate's two files: nothing unbounded, unknown or stated twice comes through."""

from __future__ import annotations

import io
import json
import math
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from toadstone.core.arrays import Array
from toadstone.core.checks import plainly
from toadstone.core.errors import InvalidData

_LARGEST_TEXT = 2**20
"""Bytes of JSON: a certificate has about three thousand."""

LARGEST_ARRAYS = 2**29
"""Bytes of the arrays: one number for each clean row and three for each feature, thus 67 million of them."""

_LONGEST_INTEGER = 20
_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER = re.compile(
    rb"\{'descr': '([<>]f8|[<>]i8|[<>]u2|\|u1)', 'fortran_order': (?:False|True), 'shape': \(([\d, ]{1,40})\), \} *\n"
)
_TYPES = {"f8": np.float64, "i8": np.int64, "u2": np.uint16, "u1": np.uint8}
_NOT_NAMED = "another file"
_WORDS = {
    float: "a number",
    int: "a whole number",
    bool: "true or false",
    str: "a text",
    list: "a list of texts",
    dict: "an object of texts and numbers",
}


def read_regular(path: Path, most: int) -> bytes:
    """Read a whole file, unless it is no regular file or larger than `most` bytes.

    Raises
    ------
    OSError
        If it cannot be opened.
    ValueError
        If it is a folder, pipe or device, or too large; with the reason.
    """
    # Without waiting, for a pipe that nobody writes to would never open.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as stream:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise ValueError("no regular file")
        content = stream.read(about.st_size + 1) if about.st_size <= most else b""
    if about.st_size > most or len(content) > most:
        raise ValueError(f"{max(about.st_size, len(content)):,} bytes, where {most:,} are more than enough")
    return content


def read_object(path: Path, kinds_of: Callable[[Mapping[str, Any]], Mapping[str, type]]) -> dict[str, Any]:
    """Read a JSON object of known keys, each once and of its type.

    Parameters
    ----------
    path : Path
    kinds_of : callable
        Takes the object as it was read, and returns the type of each key:
        float, int, bool, str, list for a list of texts, or dict for an object
        of texts and numbers. It raises ValueError for an object of no kind
        that it knows.

    Raises
    ------
    InvalidData
        In one sentence, whatever is in the file.
    """
    try:
        fields = json.loads(
            read_regular(path, _LARGEST_TEXT).decode(),
            object_pairs_hook=_once,
            parse_constant=_no_number,
            parse_float=_finite,
            parse_int=_short,
        )
        if not isinstance(fields, dict) or "format" not in fields:
            raise ValueError(_NOT_NAMED)
        _check_kinds(fields, kinds_of(fields))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "text that is not JSON"
        raise InvalidData(f"{path}: expected a certificate, got: {reason}") from None
    except ValueError as error:
        raise InvalidData(f"{path}: expected a certificate, got {error}") from None
    return dict(fields)


def read_arrays(content: bytes, names: Collection[str]) -> dict[str, Array]:
    """Read arrays of numbers from an archive that holds these and no others.

    They are of double precision, whole numbers of 64 bits, or of one or two bytes without a sign.

    Nothing is inflated beyond the size that the archive states, nor if all of
    them together state too much.

    Raises
    ------
    ValueError
        If the archive is none, is damaged, or holds anything else.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if sorted(member.filename for member in members) != sorted(f"{name}.npy" for name in names):
                raise ValueError("other arrays")
            if sum(member.file_size for member in members) > LARGEST_ARRAYS:
                raise ValueError(f"more than {LARGEST_ARRAYS:,} bytes of them")
            return {member.filename.removesuffix(".npy"): _array(archive, member) for member in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, struct.error) as error:
        raise ValueError(f"a damaged archive ({plainly(error)})") from None


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Array:
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("a compression that is not used here")
    with archive.open(member) as stream:
        # Not read(), which inflates all that is there before it looks at the stated size.
        content = stream.read(member.file_size)
    (length,) = struct.unpack_from("<H", content, len(_MAGIC))
    begin = len(_MAGIC) + 2
    found = _HEADER.fullmatch(content[begin : begin + length])
    if not content.startswith(_MAGIC) or found is None:
        raise ValueError("arrays that are neither of double precision nor of whole numbers")
    shape = tuple(int(part) for part in found[2].decode().split(",") if part.strip())
    kind = found[1].decode()
    values = np.frombuffer(content, dtype=kind, offset=begin + length)
    if math.prod(shape) != values.size:
        raise ValueError("arrays that are shorter or longer than they state")
    in_rows = b"'fortran_order': False" in found[0]
    return values.astype(_TYPES[kind[1:]]).reshape(shape, order="C" if in_rows else "F")


def _check_kinds(fields: Mapping[str, Any], kinds: Mapping[str, type]) -> None:
    for key in kinds:
        if key not in fields:
            raise ValueError(f"one without {key}")
    for key, value in fields.items():
        if key not in kinds:
            raise ValueError(f"an unknown field {key!r}")
        if not _fits(value, kinds[key]):
            raise ValueError(f"{type(value).__name__} for {key}, which is {_WORDS[kinds[key]]}")


def _fits(value: Any, kind: type) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind is list:
        return isinstance(value, list) and all(isinstance(part, str) for part in value)
    if kind is dict:
        return isinstance(value, dict) and all(_fits(part, float) or isinstance(part, str) for part in value.values())
    return isinstance(value, kind)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the field {next(key for key in keys if keys.count(key) > 1)!r} twice")
    return fields


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text}, which is no number")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:_LONGEST_INTEGER]}, which is beyond double precision")
    return number


def _short(text: str) -> int:
    if len(text) > _LONGEST_INTEGER:
        raise ValueError(f"a whole number of {len(text)} digits")
    return int(text)
