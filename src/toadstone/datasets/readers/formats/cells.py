"""Values of a record of delimited text, by the bytes that they take."""

from __future__ import annotations

import re

_LINE_END = re.compile(rb"(?:\r\n|\n|\r)?\Z")


def value_spans(record: bytes, separator: str, *, quoted: bool) -> list[tuple[int, int]]:
    r"""Find where each value of a record begins and ends, its quotation marks included.

    Parameters
    ----------
    record : bytes
        Of a text whose quotation marks pair, as `record_index` checks; with or
        without its line end.
    separator : str
        One ASCII character.
    quoted : bool
        False if quotation marks have no meaning.

    Examples
    --------
    >>> value_spans(b'1,"a ""b"", c",\r\n', ",", quoted=True)
    [(0, 1), (2, 14), (15, 15)]
    """
    end = body_end(record)
    mark = re.escape(separator).encode()
    value = re.compile(rb'"(?:[^"]|"")*+"|[^%b]*+' % mark if quoted else rb"[^%b]*+" % mark)
    spans, position = [], 0
    while position <= end:
        found = value.match(record, position, end)
        position = end if found is None else found.end()
        spans.append((0 if found is None else found.start(), position))
        # The separator follows, or the record ends.
        position += 1
    return spans


def body_end(record: bytes) -> int:
    """Return where a record ends without its line end."""
    found = _LINE_END.search(record)
    return len(record) if found is None else found.start()
