"""Index of the records of delimited text: where each begins and ends, on which line, and its number of values."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from toadstone.core.arrays import IntArray

_LF, _CR, _NO_QUOTE = 10, 13, -1
_FIELD_START, _PLAIN, _QUOTED, _AFTER_QUOTE = 0, 1, 2, 3


@dataclass(frozen=True, eq=False)
class RecordIndex:
    """Places of all records that are not blank lines, the header among them.

    Parameters
    ----------
    starts, ends : ndarray of int of shape (n,)
        Bytes from which and up to which each record reaches, its line end included.
    lines : ndarray of int of shape (n,)
        Line on which each begins, from 1.
    values : ndarray of int of shape (n,)
        Number of values of each.
    spans : ndarray of int of shape (n,)
        Lines of each; more than one where a quoted value holds line breaks.
    row_like : ndarray of bool of shape (n,)
        Records over several lines, each of which alone has as many separators
        as the whole: a stray quotation mark has probably joined rows.
    stray_quote : int or None
        Line of a quoted value that text follows after its closing mark.
    open_quote : int or None
        Line of a quoted value that is never closed.
    """

    starts: IntArray
    ends: IntArray
    lines: IntArray
    values: IntArray
    spans: IntArray
    row_like: NDArray[np.bool_]
    stray_quote: int | None
    open_quote: int | None

    def __len__(self) -> int:
        return len(self.starts)

    def moved(self, lines: int) -> RecordIndex:
        """Return the same index for text that begins so many lines further down in its file."""
        stray, opened = (None if line is None else line + lines for line in (self.stray_quote, self.open_quote))
        return replace(self, lines=self.lines + lines, stray_quote=stray, open_quote=opened)


def index_records(content: bytes, separator: str, *, quoted: bool) -> RecordIndex:
    r"""Find the records of delimited text, as RFC 4180 has them.

    Lines end with LF, CR LF or CR. A value is quoted if it opens with a
    quotation mark; inside, a mark is written twice. Marks elsewhere are plain
    characters. Blank lines are not records.

    Parameters
    ----------
    content : bytes
        UTF-8 without byte order mark.
    separator : str
        One ASCII character.
    quoted : bool
        False if quotation marks have no meaning.

    Examples
    --------
    >>> found = index_records(b'a,b\n"x\ny",1\n\n2,3', ",", quoted=True)
    >>> found.lines.tolist(), found.values.tolist()
    ([1, 2, 5], [2, 2, 2])
    """
    data = np.frombuffer(content, dtype=np.uint8)
    most = content.count(b"\n") + content.count(b"\r") + 1
    table = np.empty((6, most), dtype=np.int64)
    n, stray, opened = _scan(data, ord(separator), 34 if quoted else _NO_QUOTE, table)
    starts, ends, lines, values, spans, row_like = table[:, :n].copy()
    return RecordIndex(starts, ends, lines, values, spans, row_like.astype(bool), stray or None, opened or None)


@njit(cache=True)  # type: ignore[misc]
def _scan(data, separator, quote, table):  # type: ignore[no-untyped-def]
    """Fill one column of `table` for each record; return their number, and the lines of faulty quotes, or 0."""
    n, position, line = 0, 0, 1
    stray, opened = 0, 0
    while position < len(data):
        begin = position
        position, lines, separators, alike, bad, unclosed = _scan_record(data, begin, separator, quote)
        if data[begin] not in (_LF, _CR):
            table[0, n], table[1, n], table[2, n] = begin, position, line
            table[3, n], table[4, n], table[5, n] = separators + 1, lines, alike and lines > 1
            n += 1
        if bad >= 0 and stray == 0:
            stray = line + bad
        if unclosed >= 0:
            opened = line + unclosed
        line += lines
    return n, stray, opened


@njit(cache=True)  # type: ignore[misc]
def _scan_record(data, position, separator, quote):  # type: ignore[no-untyped-def]
    """Return the end of a record, its lines and separators, if its lines look like rows, and faulty quotes or -1."""
    state, separators, lines, opened_on, bad = _FIELD_START, 0, 0, -1, -1
    on_line, first, alike, ended = 0, -1, True, False
    while position < len(data) and not ended:
        byte = data[position]
        position += 1
        if byte in (_LF, _CR):
            # CR LF is one line end.
            if byte == _CR and position < len(data) and data[position] == _LF:
                position += 1
            first = on_line if first < 0 else first
            alike, on_line, lines = alike and on_line == first, 0, lines + 1
            ended = state != _QUOTED
            continue
        after = _next_state(state, byte, separator, quote)
        if after == _QUOTED and state == _FIELD_START:
            opened_on = lines
        if after == _PLAIN and state == _AFTER_QUOTE and bad < 0:
            bad = opened_on
        on_line += byte == separator
        separators += byte == separator and state != _QUOTED
        state = after
    if not ended:
        alike, lines = alike and on_line == first, lines + 1
    unclosed = opened_on if state == _QUOTED else -1
    return position, lines, separators, alike and first == separators, bad, unclosed


@njit(cache=True)  # type: ignore[misc]
def _next_state(state, byte, separator, quote):  # type: ignore[no-untyped-def]
    if state == _QUOTED:
        return _AFTER_QUOTE if byte == quote else _QUOTED
    if byte == separator:
        return _FIELD_START
    # A mark after the closing one is a doubled mark.
    if byte == quote and state != _PLAIN:
        return _QUOTED
    return _PLAIN
