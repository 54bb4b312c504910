"""Reader of CSV and TSV files, plain or gzipped."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from toadstone.core.arrays import IntArray, Labels, Matrix
from toadstone.core.errors import InvalidArgument, InvalidData
from toadstone.core.files import written_aside
from toadstone.datasets.preparation.columns import Origin, is_text
from toadstone.datasets.readers.files import unreadable
from toadstone.datasets.readers.request import Request
from toadstone.datasets.readers.tables import encode_like, split_table
from toadstone.datasets.split import Split

_HEAD = 4096
_BLOCK = 1 << 26
_TO_CLOSING_QUOTE = re.compile(r'[^"]*(?:""[^"]*)*"(?!")')


def read(path: Path, request: Request) -> Split:
    """Read a file of comma- or tab-separated values with a header.

    Raises
    ------
    InvalidArgument, InvalidData
        As `toadstone.datasets.read`.
    """
    table = _table(path, _content(path))
    return split_table(table, Origin(path, first_row=2), request)


def read_prepared_like(path: Path, other: Path, row_ids: IntArray, request: Request) -> tuple[Matrix, Labels]:
    """Read another file of the same columns, with the preparation fitted on some rows of this one.

    Raises
    ------
    InvalidArgument, InvalidData
        As `toadstone.datasets.read`.
    """
    table, added = (_table(file, _content(file)) for file in (path, other))
    origins = (Origin(path, first_row=2), Origin(other, first_row=2))
    return encode_like(table, added, origins=origins, row_ids=row_ids, request=request)


def write_rows(path: Path, rows: IntArray, destination: Path) -> None:
    """Write the header and the given data rows, character for character, in file order.

    Raises
    ------
    InvalidArgument
        If a row does not exist.
    """
    wanted = np.zeros(int(rows.max(initial=-1)) + 1, dtype=bool)
    wanted[rows] = True
    with _text(path) as source, written_aside(destination) as stream, _text_out(stream, destination) as sink:
        records = _records(source, _delimiter(path))
        sink.write(next(records, ""))
        number = -1
        for number, record in enumerate(records):
            if number < len(wanted) and wanted[number]:
                sink.write(record)
        if number + 1 < len(wanted):
            raise InvalidArgument("rows", f"row numbers below {number + 1}", len(wanted) - 1)


def _delimiter(path: Path) -> str:
    return "\t" if ".tsv" in path.name.lower() else ","


def _zipped(path: Path) -> bool:
    return path.name.lower().endswith(".gz")


def _content(path: Path) -> Any:
    """Return the whole file as an Arrow buffer: memory-mapped, or unzipped in memory."""
    if not _zipped(path):
        try:
            return pa.memory_map(str(path)).read_buffer()
        except OSError as error:
            raise unreadable(path, error) from None
    try:
        return pa.input_stream(str(path), compression="gzip").read_buffer()
    except (OSError, pa.ArrowException):
        raise _damaged(path) from None


def _damaged(path: Path) -> InvalidData:
    return InvalidData(f"{path}: expected a complete gzip file, got one that is damaged or cut short")


def _table(path: Path, content: Any) -> Any:
    _refuse_other_text(path, content)
    _refuse_other_separator(path, content[:_HEAD].to_pybytes())
    ragged: list[Any] = []

    def stop(row: Any) -> str:
        ragged.append(row)
        return "error"

    parse = pacsv.ParseOptions(delimiter=_delimiter(path), newlines_in_values=True, invalid_row_handler=stop)
    # With threads, Arrow would not count the rows for the error message.
    try:
        table = pacsv.read_csv(pa.BufferReader(content), pacsv.ReadOptions(use_threads=False, block_size=_BLOCK), parse)
    except (pa.ArrowException, ValueError):
        raise _malformed(path, ragged) from None
    _refuse_open_quote(path, table, content)
    return table


def _malformed(path: Path, ragged: list[Any]) -> InvalidData:
    if not ragged:
        return InvalidData(f"{path}: expected rows of UTF-8 text below a line of column names, got something else")
    row = ragged[0]
    return InvalidData(
        f"{path}: expected {row.expected_columns} values as in the header, got {row.actual_columns} "
        f"in row {row.number} (the header is row 1): {row.text[:60]!r}"
    )


def _refuse_other_text(path: Path, content: Any) -> None:
    """Check that the content is UTF-8 text; the error names the first wrong line."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines = 1
    for start in range(0, content.size, _BLOCK):
        block = content[start : start + _BLOCK].to_pybytes()
        if b"\0" in block:
            raise InvalidData(f"{path}: expected UTF-8 text, got binary data or UTF-16; save it as UTF-8")
        try:
            decoder.decode(block, final=start + _BLOCK >= content.size)
        except UnicodeDecodeError as error:
            line = lines + error.object[: error.start].count(b"\n")
            byte = error.object[error.start]
            raise InvalidData(
                f"{path}: expected UTF-8 text, got the byte 0x{byte:02x} in line {line}; save it as UTF-8"
            ) from None
        lines += block.count(b"\n")


def _refuse_other_separator(path: Path, head: bytes) -> None:
    names = head.strip(b"\r\n").splitlines()[:1]
    if not names:
        raise InvalidData(f"{path}: expected a line of column names, got blank lines")
    separator = _delimiter(path)
    if separator.encode() in names[0]:
        return
    others = {";": "semicolons", "\t": "tabs", ",": "commas", "|": "bars"}
    for other, plural in others.items():
        if other.encode() in names[0]:
            raise InvalidData(f"{path}: expected columns separated by {others[separator]}, got {plural}")
    name = names[0][:60].decode("utf-8", errors="replace")
    raise InvalidData(f"{path}: expected several columns separated by {others[separator]}, got only {name!r}")


def _refuse_open_quote(path: Path, table: Any, content: Any) -> None:
    """Check that the last quoted value is closed."""
    # Arrow reads an open quote up to the end of the file as one value, without an error.
    last = table[table.num_columns - 1]
    if table.num_rows == 0 or not is_text(last.type):
        return
    end = content[max(0, content.size - _HEAD) :].to_pybytes().rstrip(b"\r\n")
    if "\n" in last[-1].as_py() and not end.endswith(b'"'):
        row = table.num_rows + 1
        raise InvalidData(f"{path}: expected a closing quotation mark, got none after row {row} (the header is row 1)")


@contextmanager
def _text(path: Path) -> Iterator[TextIO]:
    opener: Any = gzip.open if _zipped(path) else open
    try:
        with opener(path, "rt", encoding="utf-8", errors="surrogateescape", newline="") as stream:
            yield stream
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise _damaged(path) from None


@contextmanager
def _text_out(stream: Any, destination: Path) -> Iterator[TextIO]:
    # Without time stamp and name, the same rows give the same bytes.
    raw = gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0) if _zipped(destination) else stream
    sink = TextIOWrapper(raw, encoding="utf-8", errors="surrogateescape", newline="")
    yield sink
    sink.flush()
    sink.detach()
    if raw is not stream:
        raw.close()


def _records(lines: Iterable[str], delimiter: str) -> Iterator[str]:
    """Group lines into records, since quoted values may hold line breaks; blank lines are skipped."""
    pending: list[str] = []
    inside = False
    for line in lines:
        if not pending and not line.strip("\r\n"):
            continue
        pending.append(line)
        inside = _ends_inside_quotes(line, delimiter, inside=inside)
        if not inside:
            yield "".join(pending)
            pending.clear()
    if pending:
        yield "".join(pending)


def _ends_inside_quotes(line: str, delimiter: str, *, inside: bool) -> bool:
    if not inside and '"' not in line:
        return False
    position = 0
    if not inside and line.startswith('"'):
        inside, position = True, 1
    while True:
        if inside:
            closing = _TO_CLOSING_QUOTE.match(line, position)
            if closing is None:
                return True
            position = closing.end()
        position = line.find(delimiter, position) + 1
        if position == 0:
            return False
        inside = line.startswith('"', position)
        position += inside
