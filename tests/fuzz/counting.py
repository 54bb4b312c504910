"""Records of text files as other parsers than ours see them."""

from __future__ import annotations

import csv
import io

_MARKS = {
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe\0\0": "utf-32-le",
    b"\0\0\xfe\xff": "utf-32-be",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}


def delimited_records(content: bytes, separator: str, quoted: bool = True) -> list[list[str]]:
    """All records, the header first, by the standard library; blank lines are none.

    Its strict mode is right wherever our reader accepts a file: both refuse
    text after a closing quotation mark, and a mark that is never closed.
    """
    mark = next((mark for mark in _MARKS if content.startswith(mark)), b"")
    text = content[len(mark) :].decode(_MARKS.get(mark, "utf-8"))
    quoting = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, quoting=quoting, strict=True)
    return [row for row in rows if row]


def svmlight_records(content: bytes, separator: str = "", quoted: bool = True) -> list[list[str]]:
    """A header that the format lacks, and the tokens of every line that is not a comment."""
    lines = [line.partition(b"#")[0].split() for line in content.split(b"\n")]
    return [[], *([token.decode("latin-1") for token in line] for line in lines if line)]


def nothing_counted(content: bytes, separator: str, quoted: bool = True) -> None:
    """Nothing, for formats that only the library which our reader uses can parse."""
