"""Text of a file in any encoding, and its lines."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from toadstone.core.errors import InvalidData
from toadstone.datasets.readers.content import Content

MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte order marks, and the encoding that each tells."""

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")


@dataclass(frozen=True)
class Line:
    """One line of a text.

    Parameters
    ----------
    number : int
        From 1.
    whole : str
        With its line end.
    """

    number: int
    whole: str

    @property
    def text(self) -> str:
        """The line without its line end and the blanks around it."""
        return self.whole.strip(" \t\r\n")


def decode(content: Content, encoding: str | None) -> tuple[str, str]:
    """Return the text without byte order mark, and the encoding that `encode` takes.

    Raises
    ------
    InvalidData
        If the bytes are none in this encoding, or hold NUL; the message names
        the line.
    """
    data = content.data
    mark = next((mark for mark in MARKS if data.startswith(mark)), b"")
    named = encoding or MARKS.get(mark, "utf-8")
    if mark == codecs.BOM_UTF8 and codecs.lookup(named).name in ("utf-8", "ascii"):
        named = "utf-8-sig"
    try:
        text = data.decode(named).removeprefix("\ufeff")
    except (UnicodeError, LookupError) as error:
        raise _other_encoding(content, named, error) from None
    nul = text.find("\0")
    if nul >= 0:
        line = text.count("\n", 0, nul) + 1
        raise InvalidData(
            f"{content.name}: expected text, got a NUL byte in line {line}: binary data, or UTF-16 without a mark, "
            "which `encoding` with utf-16-le reads"
        )
    return text, named


def encode(text: str, encoding: str) -> bytes:
    """Return the bytes of a text as they stood in a file; the inverse of `decode`."""
    return text.encode(encoding)


def lines(text: str) -> list[Line]:
    r"""Return all lines; they end with LF, CR LF or CR.

    Examples
    --------
    >>> [(line.number, line.text) for line in lines("a\r\n\n b")]
    [(1, 'a'), (2, ''), (3, 'b')]
    """
    found = (match[0] for match in _LINE.finditer(text))
    return [Line(number, whole) for number, whole in enumerate(found, start=1) if whole]


def joined(parts: list[str]) -> str:
    """Join lines; one without a line end, as the last of a file, gets one before another."""
    line_end = next((end for end in ("\r\n", "\n", "\r") if parts and parts[0].endswith(end)), "\n")
    ended = [part if part.endswith(("\n", "\r")) else part + line_end for part in parts[:-1]]
    return "".join(ended + parts[-1:])


def _other_encoding(content: Content, named: str, error: Exception) -> InvalidData:
    expected = "UTF-8" if named.startswith("utf-8") else named
    if not isinstance(error, UnicodeDecodeError):
        return InvalidData(f"{content.name}: expected {expected} text, got other bytes")
    line = error.object.count(b"\n", 0, error.start) + 1
    return InvalidData(
        f"{content.name}: expected {expected} text, got the byte 0x{error.object[error.start]:02x} in line {line}; "
        "`encoding` names another one, such as latin-1"
    )
