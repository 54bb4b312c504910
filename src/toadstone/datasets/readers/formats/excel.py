"""Excel workbooks: the first sheet with rows, read by openpyxl, an extra.

Values become text as Excel stores them, and dates ISO dates. Formulas count
with the results that Excel stored with them.
"""

from __future__ import annotations

import datetime
import io
import itertools
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from toadstone.core.arrays import IntArray
from toadstone.core.errors import InvalidArgument, InvalidData, missing_extra
from toadstone.core.row_names import RowNames
from toadstone.datasets.readers.content import Content, inflation_limit, too_large
from toadstone.datasets.readers.files import check_rows
from toadstone.datasets.readers.request import Request
from toadstone.datasets.readers.tables import Table

_OLD = b"\xd0\xcf\x11\xe0"
_CELL = 64
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell [^>]*ref=\"([A-Z0-9:]+)\"")
_FORMULA = re.compile(rb"<(?:\w+:)?f[ >/]")
_TEXT_RESULT = re.compile(rb"<(?:\w+:)?c (?=[^>]*\bt=\"str\")[^>]*\br=\"([A-Z]+\d+)\"")
"""A cell whose formula gives text, which may be empty."""
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    SyntaxError,
    NotImplementedError,
    RuntimeError,
)
"""Exceptions of openpyxl and the XML parser on a damaged workbook."""


@dataclass(frozen=True, eq=False)
class _Sheet:
    """Cells of a sheet that has rows: the first is the header.

    Parameters
    ----------
    title : str
    others : list of str
        Titles of the other sheets.
    numbers : list of int
        Row of the sheet of each row, the header's first.
    rows : list of tuple
        Cells of openpyxl, without empty ones at the end.
    """

    title: str
    others: list[str]
    numbers: list[int]
    rows: list[tuple[Any, ...]]


def table(content: Content, request: Request) -> tuple[Table, Request]:
    """Read all values as text; rows are named by their number in the sheet.

    Raises
    ------
    InvalidArgument
        If openpyxl is not installed, or an option is for delimited text.
    InvalidData
        If the workbook is damaged, has no rows, merged cells, or formulas
        without results.
    """
    request.refuse_notation("an Excel workbook")
    sheet = _sheet(content)
    width = max(len(row) for row in sheet.rows)
    cells = [[_value(row, column) for row in sheet.rows] for column in range(width)]
    names = [str(_texts(column[:1])[0] or "") for column in cells]
    arrays = [pa.array(_texts(column[1:]), pa.string()) for column in cells]
    rows = RowNames("row", names=np.array(sheet.numbers[1:], dtype=np.int64))
    notes = [f"rows are named by their number in sheet {sheet.title!r}"]
    if sheet.others:
        notes.append(f"the other sheets are left out: {', '.join(map(repr, sheet.others))}")
    columns = pa.Table.from_arrays(arrays, names=names)
    return Table(content.name, columns, rows, untyped=True, notes=tuple(notes)), request


def write_rows(content: Content, rows: IntArray, request: Request) -> bytes:
    """Return a new workbook with the header and the values of the given rows, in file order.

    Formats of dates are kept; other formats, formulas and sheets are not.

    Raises
    ------
    InvalidArgument
        If a row does not exist.
    """
    sheet = _sheet(content)
    check_rows(rows, len(sheet.rows) - 1)
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    written = book.create_sheet(sheet.title)
    for row in [0, *(rows + 1).tolist()]:
        written.append([_copied(WriteOnlyCell(written), cell) for cell in sheet.rows[row]])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _copied(target: Any, cell: Any) -> Any:
    if cell.value is None:
        return None
    number = isinstance(cell.value, int | float) and not isinstance(cell.value, bool)
    # Numbers are written by us, since openpyxl rounds them to 16 digits.
    target.value = repr(cell.value) if number else cell.value
    if number:
        target.data_type = "n"
    elif isinstance(cell.value, str):
        # A text that begins with an equals sign is a text, as in the source, and not a formula.
        target.data_type = "s"
    elif cell.is_date:
        target.number_format = cell.number_format
    return target


def _sheet(content: Content) -> _Sheet:
    """Return the first sheet with rows, checked for what would be read wrongly."""
    try:
        import openpyxl
    except ImportError:
        raise InvalidArgument(
            "data", "a format of the core", f"an Excel workbook: it {missing_extra('excel', 'openpyxl')}"
        ) from None
    if content.data.startswith(_OLD):
        raise InvalidData(
            f"{content.name}: expected an .xlsx workbook without a password, got an old .xls or a locked one; "
            "save it as .xlsx or .csv"
        )
    with _readable(content):
        _refuse_bomb(content)
        book = openpyxl.load_workbook(io.BytesIO(content.data), read_only=True, data_only=True)
        titles = [sheet.title for sheet in book.worksheets]
        for sheet in book.worksheets:
            numbers, rows = _filled_rows(sheet, content)
            if rows:
                _refuse_unsaid(content, sheet, rows)
                return _Sheet(sheet.title, [title for title in titles if title != sheet.title], numbers, rows)
    raise InvalidData(f"{content.name}: expected a sheet with rows, got empty ones")


@contextmanager
def _readable(content: Content) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            # openpyxl warns of parts that it leaves out, such as colours and drop-down lists.
            warnings.simplefilter("ignore")
            yield
    except InvalidData:
        raise
    except _DAMAGED:
        raise InvalidData(
            f"{content.name}: expected a complete .xlsx workbook, got one that is damaged or of another kind"
        ) from None


def _refuse_bomb(content: Content) -> None:
    limit = inflation_limit(len(content.data))
    with zipfile.ZipFile(io.BytesIO(content.data)) as archive:
        if sum(member.file_size for member in archive.infolist()) > limit:
            raise InvalidData(too_large(content.name, limit))


def _filled_rows(sheet: Any, content: Content) -> tuple[list[int], list[tuple[Any, ...]]]:
    """Return the numbers and cells of the rows that are not empty, without empty cells at their ends."""
    # The stated size of a sheet may be a lie, and rows would be filled up to it.
    sheet.reset_dimensions()
    numbers, rows, cells = [], [], 0
    limit = inflation_limit(len(content.data))
    for number, row in enumerate(sheet.iter_rows(), start=1):
        filled = [position for position, cell in enumerate(row) if cell.value is not None]
        if filled:
            numbers.append(number)
            rows.append(tuple(row[: filled[-1] + 1]))
            cells = max(cells, len(rows[-1]))
            if cells * len(rows) * _CELL > limit:
                raise InvalidData(too_large(content.name, limit))
    return numbers, rows


def _refuse_unsaid(content: Content, sheet: Any, rows: list[tuple[Any, ...]]) -> None:
    """Refuse merged cells, of which all but one are empty, and formulas whose results are not stored."""
    import openpyxl

    with zipfile.ZipFile(io.BytesIO(content.data)) as archive:
        xml = archive.read(sheet._worksheet_path)
    merged = _MERGED.search(xml)
    if merged:
        raise InvalidData(
            f"{content.name}, sheet {sheet.title!r}: expected one value in each cell, got merged cells "
            f"{merged[1].decode()}; unmerge them and fill in what each stands for"
        )
    if not _FORMULA.search(xml):
        return
    results = {cell.coordinate for row in rows for cell in row if cell.value is not None}
    results |= {place.decode() for place in _TEXT_RESULT.findall(xml)}
    formulas = openpyxl.load_workbook(io.BytesIO(content.data), read_only=True)[sheet.title]
    formulas.reset_dimensions()
    for cell in itertools.chain.from_iterable(formulas.iter_rows()):
        if cell.data_type == "f" and cell.coordinate not in results:
            raise InvalidData(
                f"{content.name}, sheet {sheet.title!r}, cell {cell.coordinate}: expected a value, got a formula "
                "without its result; open the workbook in Excel and save it"
            )


def _value(row: tuple[Any, ...], column: int) -> Any:
    return row[column].value if column < len(row) else None


def _texts(values: list[Any]) -> list[str | None]:
    """Return the values of a column as texts; moments at midnight are dates if all are."""
    moments = [value for value in values if isinstance(value, datetime.datetime)]
    dates = all(moment.time() == datetime.time() for moment in moments)
    return [_text(value, dates=dates) for value in values]


def _text(value: Any, *, dates: bool) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if dates else value.isoformat(sep=" ")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return repr(value.total_seconds())
    return repr(value)
