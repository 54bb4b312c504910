"""Text of a file in any encoding, and its lines."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from toadstone.core.errors import InvalidData
from toadstone.datasets.readers.content import Content, told_by_magic

_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_OTHERS = {
    ".gz": "a gzip file",
    ".bz2": "a bzip2 file",
    ".xz": "an xz file",
    ".zst": "a Zstandard file",
    ".zip": "a zip archive",
    ".parquet": "a Parquet file",
}
_PICKLES = (b"\x80\x04", b"\x80\x05")
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


@dataclass(frozen=True)
class Decoded:
    """Text of a file, and how it was written.

    Parameters
    ----------
    text : bytes
        UTF-8 without byte order mark.
    mark : bytes
        Byte order mark of the file; empty for none.
    encoding : str
        Of the bytes after the mark.
    """

    text: bytes
    mark: bytes
    encoding: str

    def encoded(self, text: bytes) -> bytes:
        """Return other text, in UTF-8, as this file would have it."""
        return self.mark + (text if self.encoding == "utf-8" else text.decode().encode(self.encoding))


def decode(content: Content, encoding: str | None) -> Decoded:
    """Decode a file, by its byte order mark, as UTF-8, or as the caller says.

    Raises
    ------
    InvalidData
        If the bytes are none in this encoding, or hold NUL; the message names
        the line.
    """
    data = content.data
    _refuse_other_formats(content)
    mark = next((mark for mark in _MARKS if data.startswith(mark)), b"")
    named = codecs.lookup(encoding or _MARKS.get(mark, "utf-8")).name
    named = {"ascii": "utf-8", "utf-8-sig": "utf-8"}.get(named, named)
    if named in ("utf-16", "utf-32"):
        # The mark tells the order of the bytes.
        named = _MARKS[mark] if mark and _MARKS[mark].startswith(named) else f"{named}-le"
    if _MARKS.get(mark) != named:
        mark = b""
    body = data[len(mark) :]
    try:
        text = body if named == "utf-8" else body.decode(named).encode()
        text.decode("utf-8")
    except (UnicodeError, LookupError) as error:
        raise _other_encoding(content, named, error) from None
    nul = text.find(b"\0")
    if nul >= 0:
        raise InvalidData(
            f"{content.name}: expected text, got a NUL byte in line {_line_at(text, nul)}: binary data, or UTF-16 "
            "without a mark, which `encoding` with utf-16-le reads"
        )
    return Decoded(text, mark, named)


def lines(text: str) -> list[Line]:
    r"""Return all lines; they end with LF, CR LF or CR.

    Examples
    --------
    >>> [(line.number, line.text) for line in lines("a\r\n\n b")]
    [(1, 'a'), (2, ''), (3, 'b')]
    """
    found = (match[0] for match in _LINE.finditer(text))
    return [Line(number, whole) for number, whole in enumerate(found, start=1) if whole]


def joined(parts: list[bytes]) -> bytes:
    """Join lines; one without a line end, as the last of a file, gets one before another."""
    line_end = next((end for end in (b"\r\n", b"\n", b"\r") if parts and parts[0].endswith(end)), b"\n")
    ended = [part if part.endswith((b"\n", b"\r")) else part + line_end for part in parts[:-1]]
    return b"".join(ended + parts[-1:])


def _refuse_other_formats(content: Content) -> None:
    told = told_by_magic(content.data)
    if told in _OTHERS:
        raise InvalidData(f"{content.name}: expected text, got {_OTHERS[told]}, whose name should end in {told}")
    if content.data.startswith(_PICKLES):
        raise InvalidData(f"{content.name}: expected text, got a pickle, which is never loaded")


def _line_at(text: bytes, position: int) -> int:
    before = text[:position]
    # CR LF is one line end.
    return before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n") + 1


def _other_encoding(content: Content, named: str, error: Exception) -> InvalidData:
    expected = "UTF-8" if named == "utf-8" else named
    if not isinstance(error, UnicodeDecodeError):
        return InvalidData(f"{content.name}: expected {expected} text, got other bytes")
    line = _line_at(error.object, error.start)
    return InvalidData(
        f"{content.name}: expected {expected} text, got the byte 0x{error.object[error.start]:02x} in line {line}; "
        "`encoding` names another one, such as latin-1"
    )
