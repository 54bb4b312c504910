"""Inflated sizes that an Arrow file states, read from its metadata without inflating anything.

The layout is that of the Arrow columnar format, version 1.5: a footer with the
places of all batches, a flatbuffer each, and buffers that begin with the size
of their inflated content.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

MAGIC = b"ARROW1"
_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3
_BLOCK, _BUFFER, _PREFIX = 24, 16, 8


def inflated_size(data: bytes) -> int:
    """Return the number of bytes that the compressed buffers of an Arrow file state to inflate to.

    Raises
    ------
    ValueError
        If the file is damaged.
    """
    try:
        return sum(size for place in _batches(data) for size in _stated(data, place))
    except (struct.error, IndexError) as error:
        raise ValueError(f"a damaged Arrow file: {error}") from None


def _batches(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the offset and the length of the metadata of each batch that the footer names."""
    end = len(data) - len(MAGIC) - 4
    footer = data[end - _number("<i", data, end) : end]
    root = _number("<I", footer, 0)
    for field in (2, 3):
        vector = _follow(footer, root, field)
        for block in range(_number("<I", footer, vector) if vector else 0):
            at = vector + 4 + _BLOCK * block
            yield _number("<q", footer, at), _number("<i", footer, at + 8)


def _stated(data: bytes, place: tuple[int, int]) -> Iterator[int]:
    """Yield the stated size of each compressed buffer of a batch."""
    offset, length = place
    # Files of old versions have no mark before the length of a message.
    start = offset + (8 if _number("<I", data, offset) == 0xFFFFFFFF else 4)
    message = data[start : offset + length]
    root = _number("<I", message, 0)
    kind, batch = _field(message, root, 1), _follow(message, root, 2)
    if not kind or not batch or message[root + kind] not in (_DICTIONARY_BATCH, _RECORD_BATCH):
        return
    if message[root + kind] == _DICTIONARY_BATCH:
        batch = _follow(message, batch, 1)
    if not _field(message, batch, 3):
        return
    vector = _follow(message, batch, 2)
    for buffer in range(_number("<I", message, vector) if vector else 0):
        at, size = struct.unpack_from("<qq", message, vector + 4 + _BUFFER * buffer)
        if size >= _PREFIX:
            # A negative size marks a buffer that is stored as it is.
            yield max(0, _number("<q", data, offset + length + at))


def _number(form: str, data: bytes, at: int) -> int:
    if at < 0:
        raise IndexError(f"a negative offset, {at}")
    value: int = struct.unpack_from(form, data, at)[0]
    return value


def _field(data: bytes, table: int, field: int) -> int:
    """Return the offset of a field within a table of a flatbuffer; 0 if it is not stored."""
    fields = table - _number("<i", data, table)
    return 0 if 4 + 2 * field >= _number("<H", data, fields) else _number("<H", data, fields + 4 + 2 * field)


def _follow(data: bytes, table: int, field: int) -> int:
    """Return the place that a field of a table points to; 0 if it is not stored."""
    found = _field(data, table, field)
    return table + found + _number("<I", data, table + found) if found else 0
