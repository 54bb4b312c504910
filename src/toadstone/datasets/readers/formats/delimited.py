"""Delimited text: comma, semicolon, tab or bar between values, one record a line or quoted over several.

Every value is read as text, character for character; `preparation.column_types`
tells what it means. An index of the records (`record_index`) is the truth: the
library that parses has to return as many.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from toadstone.core.arrays import IntArray
from toadstone.core.errors import InvalidData
from toadstone.core.row_names import RowNames
from toadstone.datasets.preparation.features import count
from toadstone.datasets.readers.changes import WEIGHT, Changes
from toadstone.datasets.readers.content import Content
from toadstone.datasets.readers.files import check_rows
from toadstone.datasets.readers.formats.cells import body_end, value_spans
from toadstone.datasets.readers.formats.plain_text import Decoded, decode, joined
from toadstone.datasets.readers.formats.record_index import RecordIndex, index_records
from toadstone.datasets.readers.request import Request
from toadstone.datasets.readers.tables import Table

_TOLD = re.compile(rb'"?sep=([^\r\n])"?(?:\r\n|\n|\r)')
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SNIFFED_RECORDS = 100
_SNIFFED_BYTES = 1 << 16
_BLOCK, _MOST = 1 << 26, (1 << 31) - 1


@dataclass(frozen=True, eq=False)
class Delimited:
    """Text of a file, and its records.

    Parameters
    ----------
    decoded : Decoded
        Without a first line that tells the separator, which is kept with the mark.
    separator : str
    quoted : bool
        False if quotation marks are plain characters.
    index : RecordIndex
    """

    decoded: Decoded
    separator: str
    quoted: bool
    index: RecordIndex

    @property
    def text(self) -> bytes:
        """The text that the index is of."""
        return self.decoded.text


def table(content: Content, request: Request) -> tuple[Table, Request]:
    """Read all values as text, under the names of the first line.

    Returns
    -------
    table : Table
        Rows are named by their lines.
    request : Request
        With the separator that was found.

    Raises
    ------
    InvalidData
        If records have other numbers of values than the first line, quotation
        marks do not pair, or the text is in another encoding; the message
        names the line.
    """
    found = parse(content, request)
    index, names = found.index, _header(found, content.name)
    names = _with_row_names(names, index)
    _refuse_ragged(found, len(names), content.name)
    body = found.text[index.starts[1] :] if len(index) > 1 else b""
    columns = _columns(body, names, found)
    if columns.num_rows != len(index) - 1:
        raise RuntimeError(f"{len(index) - 1} records were counted, and {columns.num_rows} rows parsed")
    rows = RowNames("line", names=index.lines[1:])
    return (
        Table(content.name, columns, rows, untyped=True, notes=_notes(found, content)),
        replace(request, separator=found.separator),
    )


def write_rows(content: Content, rows: IntArray, request: Request) -> bytes:
    """Return the first line and the given records, character for character, in file order.

    Raises
    ------
    InvalidArgument
        If a row does not exist.
    """
    found = parse(content, request)
    records = len(found.index) - 1
    check_rows(rows, records)
    chosen = np.concatenate([[0], np.sort(rows) + 1]).tolist()
    starts, ends = found.index.starts, found.index.ends
    parts = [found.text[starts[record] : ends[record]] for record in chosen]
    return found.decoded.encoded(joined(parts))


def write_changed(content: Content, rows: IntArray, request: Request, label: str, changes: Changes) -> bytes:
    """Return what `write_rows` does, with other label cells, and the weights as a last value of each record.

    A label cell is the bytes of the row that it is taken from, so that it is
    quoted as that one is; all else stays character for character.

    Raises
    ------
    InvalidArgument
        If a row does not exist, or there is a column for the weights already.
    """
    found = parse(content, request)
    records = found.index
    check_rows(rows, len(records) - 1)
    names = _with_row_names(_header(found, content.name), records)
    changes.check_names(names)
    place = names.index(label)

    def whole(record: int) -> bytes:
        return found.text[records.starts[record] : records.ends[record]]

    def cell(record: int) -> tuple[int, int]:
        return value_spans(whole(record), found.separator, quoted=found.quoted)[place]

    chosen = np.sort(rows)
    parts = [whole(0), *(whole(row + 1) for row in chosen.tolist())]
    for number, (row, other) in enumerate(zip(chosen.tolist(), changes.labels_from(chosen), strict=True), start=1):
        if row != other:
            (begin, end), taken = cell(row + 1), slice(*cell(other + 1))
            parts[number] = parts[number][:begin] + whole(other + 1)[taken] + parts[number][end:]
    weights = changes.weights(chosen)
    if weights is not None:
        added = [WEIGHT, *map(repr, weights)]
        parts = [_with_value(part, value, found.separator) for part, value in zip(parts, added, strict=True)]
    return found.decoded.encoded(joined(parts))


def _with_value(record: bytes, value: str, separator: str) -> bytes:
    end = body_end(record)
    return record[:end] + f"{separator}{value}".encode() + record[end:]


def parse(content: Content, request: Request) -> Delimited:
    """Decode a file, find its separator, and index its records.

    Raises
    ------
    InvalidData
        If it is no text, or quotation marks do not pair.
    """
    decoded, quoted = decode(content, request.encoding), request.quote != "none"
    # Excel writes such a line, and reads it.
    told = _TOLD.match(decoded.text)
    if told is not None:
        decoded = replace(decoded, text=decoded.text[told.end() :], mark=decoded.encoded(told[0]))
    separator = request.separator or (told[1].decode() if told else _sniffed(decoded.text, content, quoted=quoted))
    index = index_records(decoded.text, separator, quoted=quoted).moved(0 if told is None else 1)
    found = Delimited(decoded, separator, quoted, index)
    if not len(index):
        raise InvalidData(f"{content.name}: expected a line of column names, got blank lines")
    _refuse_faulty_quotes(found, content.name, sure=request.quote == "double")
    return found


def _sniffed(text: bytes, content: Content, *, quoted: bool) -> str:
    """Return the separator by which the first records have the same number of values, the most values first."""
    head = text[:_SNIFFED_BYTES]
    if len(text) > len(head):
        head = head[: max(head.rfind(b"\n"), head.rfind(b"\r")) + 1] or head
    preferred = "\t" if content.ending in (".tsv", ".tab") else ","
    best, best_rank = "", (0, 0, False)
    for separator in SEPARATORS:
        values = index_records(head, separator, quoted=quoted).values[:_SNIFFED_RECORDS]
        if len(values) and values[0] > 1:
            alike = int(np.count_nonzero(values == values[0]) == len(values))
            rank = (alike, int(separator == preferred) if not alike else int(values[0]), separator == preferred)
            if rank > best_rank:
                best, best_rank = separator, rank
    if best:
        return best
    first = head.lstrip(b"\r\n").splitlines()[:1] or [b""]
    name = first[0][:60].decode("utf-8", errors="replace")
    raise InvalidData(
        f"{content.name}: expected several columns, separated by {', '.join(SEPARATORS.values())}, got only {name!r}; "
        "`separator` names another character"
    )


def _refuse_faulty_quotes(found: Delimited, source: str, *, sure: bool) -> None:
    index = found.index
    literal = "`quote` with none reads quotation marks as plain characters"
    if index.stray_quote is not None and (index.open_quote is None or index.stray_quote <= index.open_quote):
        raise InvalidData(
            f"{source}: expected a separator or a line end after a closing quotation mark, got text, in the value that "
            f"opens with a mark in line {index.stray_quote}; {literal}"
        )
    if index.open_quote is not None:
        raise InvalidData(
            f"{source}: expected a closing quotation mark, got none for the value that opens with one in line "
            f"{index.open_quote}; {literal}"
        )
    several = index.spans > 1
    doubtful = several & index.row_like & (index.values == index.values[0])
    if doubtful.any() and not sure and (found.separator == "\t" or np.all(doubtful[several])):
        line, last = int(index.lines[doubtful][0]), int((index.lines + index.spans)[doubtful][0]) - 1
        raise InvalidData(
            f"{source}: expected one row a line, got a quoted value from line {line} to {last} whose lines look like "
            f"rows of their own; {literal}, with double it takes them for one row"
        )


def _header(found: Delimited, source: str) -> list[str]:
    index = found.index
    line = found.text[index.starts[0] : index.ends[0]]
    names = _columns(line, [str(j) for j in range(index.values[0])], found)
    return [str(column[0].as_py() or "").strip() for column in names.columns]


def _with_row_names(names: list[str], index: RecordIndex) -> list[str]:
    """Put an unnamed column first where every row has one more value than the header, as R writes row names."""
    body = index.values[1:]
    return ["", *names] if len(body) and np.all(body == len(names) + 1) else names


def _refuse_ragged(found: Delimited, expected: int, source: str) -> None:
    index = found.index
    bad = np.flatnonzero(index.values[1:] != expected) + 1
    if len(bad):
        record = int(bad[0])
        start = int(index.starts[record])
        shown = found.text[start : min(start + 60, int(index.ends[record]))].decode("utf-8", errors="replace").rstrip()
        raise InvalidData(
            f"{source}: expected {expected} values as in the first line, got {index.values[record]} in line "
            f"{index.lines[record]}: {shown!r}"
        )


def _columns(body: bytes, names: list[str], found: Delimited) -> Any:
    # Names are given by position, because Arrow refuses those that occur twice.
    keys = [str(position) for position in range(len(names))]
    if not body:
        return pa.table([pa.array([], pa.string()) for _ in keys], names=keys).rename_columns(names)
    # A block has to hold the longest record, and its size fits into 32 bits.
    longest = int((found.index.ends - found.index.starts).max())
    parsed = pacsv.read_csv(
        pa.BufferReader(body),
        pacsv.ReadOptions(use_threads=False, block_size=min(max(_BLOCK, 2 * longest), _MOST), column_names=keys),
        pacsv.ParseOptions(
            delimiter=found.separator, quote_char='"' if found.quoted else False, newlines_in_values=found.quoted
        ),
        pacsv.ConvertOptions(column_types=dict.fromkeys(keys, pa.string()), strings_can_be_null=False),
    )
    return parsed.rename_columns(names)


def _notes(found: Delimited, content: Content) -> tuple[str, ...]:
    notes = []
    usual = "\t" if content.ending in (".tsv", ".tab") else ","
    if found.separator != usual:
        notes.append(f"columns are separated by {SEPARATORS.get(found.separator, repr(found.separator))}")
    if found.decoded.encoding != "utf-8":
        notes.append(f"the file is read as {found.decoded.encoding}")
    several = found.index.spans > 1
    if several.any():
        longest = int(np.argmax(found.index.spans))
        notes.append(
            f"{count(int(np.count_nonzero(several)), 'record')} over several lines; the longest begins in line "
            f"{found.index.lines[longest]} and has {found.index.spans[longest]} lines"
        )
    return tuple(notes)
