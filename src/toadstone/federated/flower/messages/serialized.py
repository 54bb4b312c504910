"""Reads arrays from messages without trusting what they declare."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
from flwr.app import Array
from numpy.typing import NDArray

SERIALIZED_BY_NUMPY = "numpy.ndarray"
_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER = re.compile(
    rb"\{'descr': '(?P<descr>[<>|=]?[a-z]\d{1,3})', 'fortran_order': (?P<order>True|False), "
    rb"'shape': \((?P<shape>[0-9, ]*)\), ?\}\s*\n"
)
_LONGEST_HEADER = 4096


class Unreadable(Exception):
    """A message's array is not what the server asked for; the text says how."""


def read_array(array: Array, *, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Read an array that must have a known shape and type.

    Nothing is allocated before the length of the data is known to be right,
    and the header is matched, not evaluated: what NumPy's own reader does with
    a header that declares 10^15 values is an attack on the server's memory.

    Parameters
    ----------
    array : flwr.app.Array
    name : str
        Key of the array, for the reason.
    shape : tuple of int
    dtype : dtype

    Returns
    -------
    ndarray
        A view of the message's bytes.

    Raises
    ------
    Unreadable
    """
    if array.stype != SERIALIZED_BY_NUMPY:
        raise Unreadable(f"array {name!r} is serialized by {shown(array.stype)}, not by {SERIALIZED_BY_NUMPY}")
    if tuple(array.shape) != shape:
        raise Unreadable(f"array {name!r} has shape {_short(tuple(array.shape))}, not {_short(shape)}")
    if array.dtype != str(dtype):
        raise Unreadable(f"array {name!r} has type {shown(array.dtype)}, not {dtype}")
    data = array.data
    size = math.prod(shape) * dtype.itemsize
    if not size <= len(data) <= size + _LONGEST_HEADER:
        raise Unreadable(f"array {name!r} has {len(data)} bytes, not {size} and a header")
    length = int.from_bytes(data[8:10], "little")
    header = _HEADER.fullmatch(data[10 : 10 + length])
    if data[:8] != _MAGIC or header is None:
        raise Unreadable(f"array {name!r} has no header of NumPy's format 1.0")
    extents = tuple(int(extent) for extent in header["shape"].replace(b" ", b"").split(b",") if extent)
    if extents != shape or np.dtype(header["descr"].decode()) != dtype or len(data) != 10 + length + size:
        raise Unreadable(f"array {name!r} holds other data than it declares")
    flat = np.frombuffer(data, dtype=dtype, offset=10 + length)
    return flat.reshape(shape, order="F" if header["order"] == b"True" else "C")


def shown(sent: object, length: int = 40) -> str:
    r"""Return the beginning of what a client sent, as a log may hold it: without line ends or a terminal's commands.

    Examples
    --------
    >>> shown("float64"), shown("float64" + chr(10))
    ('float64', "'float64\\n'")
    """
    text = str(sent)[:length]
    return text if text.isascii() and text.isprintable() else ascii(text)


def _short(shape: tuple[int, ...]) -> str:
    text = str(shape)
    return text if len(text) <= 60 else f"{text[:57]}..."
