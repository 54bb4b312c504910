"""Bytes changed at random, as damage and attacks change them."""

from __future__ import annotations

import gzip
import io
import zipfile

import numpy as np

TOKENS = (
    *(
        b'"',
        b'"',
        b'""',
        b"\r",
        b"\n",
        b"\n",
        b"\r\n",
        b"\n\n",
        b"\0",
        b",",
        b";",
        b"\t",
        b" ",
        b"#",
        b":",
        b"\xff",
        b"\xc3",
    ),
    *(mark.encode() for mark in ("\ufeff", "\u2028", "\x85", "\x1c", "\u202e", "\u200b", "\x1b[31m", "٣")),
    *(b"nan", b"inf", b"1e999", b"1e300", b"9" * 40, b"-", b"?", b"<5", b"007", b"1,5", b"1.234,5", b"03/04/2024"),
    *(b"\xff\xfe", b"PAR1", b"PK\x03\x04", b"PK\x01\x02", b"ARROW1", b"\x93NUMPY", b"\x80\x04.", b"\x1f\x8b"),
    *(b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"x" * 3000),
)


_INSIDE = 0.8
"""Share of packed files that are changed inside, since their checksums reveal any other change."""


def mutated(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """Change a file one to six times, most often once; parts may come from another one."""
    inside = rng.random() < _INSIDE
    if inside and content.startswith(b"PK"):
        return _archive_changed(content, other, rng)
    if inside and content.startswith(b"\x1f\x8b"):
        return gzip.compress(mutated(gzip.decompress(content), other, rng), mtime=0, compresslevel=1)
    data = bytearray(content)
    for _ in range(min(6, int(rng.geometric(0.6)))):
        _change(data, other, rng)
    return bytes(data)


def _archive_changed(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w") as new:
        names = old.namelist()
        chosen = names[int(rng.integers(len(names)))]
        for name in names:
            member = old.read(name)
            new.writestr(name, mutated(member, other, rng) if name == chosen else member)
    return stream.getvalue()


def _change(data: bytearray, other: bytes, rng: np.random.Generator) -> None:
    at, length = int(rng.integers(len(data) + 1)), int(rng.geometric(0.15))
    match int(rng.integers(8)):
        case 0:
            data[at : at + 1] = bytes([data[at] ^ (1 << int(rng.integers(8)))]) if at < len(data) else b""
        case 1:
            data[at : at + 1] = rng.bytes(1)
        case 2:
            data[at:at] = TOKENS[int(rng.integers(len(TOKENS)))]
        case 3:
            del data[at : at + length]
        case 4 if rng.random() < 0.2:
            del data[at:]
        case 5:
            data[at:at] = data[at : at + 4 * length]
        case 6:
            where = int(rng.integers(len(other) + 1))
            data[at : at + length] = other[where : where + length]
        case _:
            token = TOKENS[int(rng.integers(len(TOKENS)))]
            data[at : at + len(token)] = token
